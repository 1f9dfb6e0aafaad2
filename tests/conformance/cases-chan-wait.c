/* SPDX-License-Identifier: MIT */
/* cases-chan-wait.c - channels: who waits, who is woken, in which order, and what is known then. */
#include "case.h"

#include <stdatomic.h>

static struct rt_chan *c, *d, *done;

FN(put_num)
{
  put(c, num(arg));
  say("put %d ", num(arg));
}
FN(take_say)
{
  int got = take(c);
  say("%d took %d ", num(arg), got);
}
FN(recv_say)
{
  int v = -1;
  bool open = rt_chan_recv(c, &v);
  say("%d: %d %s ", num(arg), v, open ? "true" : "false");
}

CASE(chan_unbuffered_send_waits,
     "spec, Channel types: succeeds only when both sender and receiver are ready",
     PRINTS("waiting 5 put 5 "))
{
  c = ints(0);
  go(put_num, NUM(5));
  settle();
  say("waiting ");
  say("%d ", take(c));
  settle();
}

CASE(chan_buffered_send_goes_on,
     "spec, Channel types: a buffered send succeeds without blocking if not full",
     PRINTS("put 5 5 "))
{
  c = ints(1);
  go(put_num, NUM(5));
  settle();
  say("%d ", take(c));
}

CASE(chan_full_buffer_waits, "spec, Send statements: a send on a full buffered channel blocks",
     PRINTS("full 1 put 2 2 "))
{
  c = ints(1);
  put(c, 1);
  go(put_num, NUM(2));
  settle();
  say("full ");
  say("%d ", take(c));
  settle();
  say("%d ", take(c));
}

CASE(chan_recv_waits_for_a_value,
     "spec, Receive operator: the expression blocks until a value is available",
     PRINTS("waiting 1 took 6 "))
{
  c = ints(0);
  go(take_say, NUM(1));
  settle();
  say("waiting ");
  put(c, 6);
  settle();
}

CASE(chan_receivers_wait_in_line,
     "runtime, chan.go: waiting receivers are served first come first served",
     PRINTS("1 took 10 2 took 20 3 took 30 "))
{
  c = ints(0);
  for (int i = 1; i <= 3; i++) {
    go(take_say, NUM(i));
    settle();
  }
  for (int i = 1; i <= 3; i++) {
    put(c, 10 * i);
    settle();
  }
}

CASE(chan_senders_wait_in_line,
     "runtime, chan.go: waiting senders are served first come first served",
     PRINTS("1 put 1 2 put 2 3 put 3 "))
{
  c = ints(0);
  for (int i = 1; i <= 3; i++) {
    go(put_num, NUM(i));
    settle();
  }
  for (int i = 1; i <= 3; i++) {
    say("%d ", take(c));
    settle();
  }
}

CASE(chan_waiting_senders_queue_behind_the_buffer,
     "spec, Channel types: first-in-first-out, waiting senders too",
     PRINTS("0 put 1 1 put 2 2 put 3 3 "))
{
  c = ints(1);
  put(c, 0);
  for (int i = 1; i <= 3; i++) {
    go(put_num, NUM(i));
    settle();
  }
  for (int i = 0; i <= 3; i++) {
    say("%d ", take(c));
    settle();
  }
}

CASE(chan_waiting_sender_refills_the_buffer,
     "runtime, chan.go: a receive moves the first waiting sender's value in", PRINTS("2 2 1 "))
{
  c = ints(2);
  put(c, 1);
  put(c, 2);
  go(put_num, NUM(3));
  settle();
  say("%zu ", rt_chan_len(c));
  take(c);
  say("%zu ", rt_chan_len(c));
  take(c);
  say("%zu ", rt_chan_len(c));
}

CASE(chan_value_bypasses_the_buffer, "runtime, chan.go: a waiting receiver gets the value directly",
     PRINTS("0 1 took 4 "))
{
  c = ints(3);
  go(take_say, NUM(1));
  settle();
  put(c, 4);
  say("%zu ", rt_chan_len(c));
  settle();
}

/* ---- close wakes ---- */

CASE(chan_close_wakes_a_receiver, "spec, Close: a waiting receive gets the zero value and false",
     PRINTS("1: 0 false "))
{
  c = ints(0);
  go(recv_say, NUM(1));
  settle();
  rt_chan_close(c);
  settle();
}

FN(count_false)
{
  put(done, rt_chan_recv(c, NULL) ? 0 : 1);
}
CASE(chan_close_wakes_every_receiver, "Effective use: close is a broadcast to all receivers",
     PROCS(4), PRINTS("100 "))
{
  c = ints(0);
  done = ints(100);
  for (int i = 0; i < 100; i++)
    go(count_false, NULL);
  rt_sleep(5 * MS);
  rt_chan_close(c);
  int n = 0;
  for (int i = 0; i < 100; i++)
    n += take(done);
  say("%d ", n);
}
FN(send_and_recover)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, recover_say, NULL);
  put(c, num(arg));
  say("sent ");
}
CASE(chan_close_makes_a_waiting_sender_panic,
     "spec, Send statements: a send on a closed channel panics, one that waits too",
     PRINTS("recovered: send on closed channel 0 false "))
{
  c = ints(0);
  go(send_and_recover, NUM(1));
  settle();
  rt_chan_close(c);
  settle();
  say_take(c);
}

CASE(chan_close_spares_the_buffer,
     "spec, Close: what was sent before is received; a waiting sender's value is not",
     PRINTS("recovered: send on closed channel 1 true 0 false "))
{
  c = ints(1);
  put(c, 1);
  go(send_and_recover, NUM(2));
  settle();
  rt_chan_close(c);
  settle();
  say_take(c);
  say_take(c);
}

CASE(chan_waiting_senders_panic_kills,
     "spec, Handling panics: an unrecovered panic ends the program, from any goroutine",
     PANICS_IN_G("send on closed channel"))
{
  c = ints(0);
  go(put_num, NUM(1));
  settle();
  rt_chan_close(c);
  settle();
  say("not reached ");
}

CASE(chan_close_does_not_wait,
     "spec, Close: records that no more values will be sent; it does not block",
     PRINTS("closed 1 true 2 true 0 false "))
{
  c = ints(2);
  put(c, 1);
  put(c, 2);
  rt_chan_close(c);
  say("closed ");
  say_take(c);
  say_take(c);
  say_take(c);
}

/* ---- memory model ---- */

static int shared;
FN(write_then_send)
{
  shared = 77;
  put(c, 0);
}
CASE(mm_send_before_receive,
     "memory model: a send is synchronized before the completion of the receive", PROCS(2),
     PRINTS("77 "))
{
  c = ints(1);
  go(write_then_send, NULL);
  take(c);
  say("%d ", shared);
}

FN(write_then_close)
{
  shared = 78;
  rt_chan_close(c);
}
CASE(mm_close_before_zero,
     "memory model: closing is synchronized before a receive that returns because of it", PROCS(2),
     PRINTS("78 "))
{
  c = ints(0);
  go(write_then_close, NULL);
  take(c);
  say("%d ", shared);
}

FN(write_then_receive)
{
  shared = 79;
  take(c);
}
CASE(mm_receive_before_send_completes,
     "memory model: an unbuffered receive is synchronized before the completion of the send",
     PROCS(2), PRINTS("79 "))
{
  c = ints(0);
  go(write_then_receive, NULL);
  put(c, 0);
  say("%d ", shared);
}

static _Atomic int inside, most;
FN(limited)
{
  put(c, 0);
  int n = ++inside, seen = most;
  while (n > seen && !atomic_compare_exchange_weak(&most, &seen, n))
    ;
  rt_yield();
  inside--;
  take(c);
  put(done, 0);
}
CASE(mm_kth_receive_before_k_plus_c_send,
     "memory model: a buffered channel of capacity 3 is a semaphore of 3", PROCS(4),
     PRINTS("at most 3: yes "))
{
  c = ints(3);
  done = ints(0);
  for (int i = 0; i < 200; i++)
    go(limited, NULL);
  for (int i = 0; i < 200; i++)
    take(done);
  say("at most 3: %s ", most <= 3 ? "yes" : "no");
}

FN(read_what_go_saw)
{
  put(c, shared);
}
CASE(mm_go_statement_before_start,
     "memory model: the go statement is synchronized before the start of the goroutine", PROCS(2),
     PRINTS("80 "))
{
  c = ints(0);
  shared = 80;
  go(read_what_go_saw, NULL);
  say("%d ", take(c));
}

/* ---- programs ---- */

FN(produce)
{
  for (int i = 0; i < 1000; i++)
    put(c, num(arg));
  put(done, 0);
}
CASE(chan_many_producers_lose_nothing,
     "spec, Channel types: may be used by any number of goroutines without further synchronization",
     PROCS(4), PRINTS("36000 "))
{
  c = ints(7);
  done = ints(8);
  for (int i = 1; i <= 8; i++)
    go(produce, NUM(i));
  int sum = 0;
  for (int i = 0; i < 8000; i++)
    sum += take(c);
  say("%d ", sum);
}

struct stage {
  struct rt_chan *in, *out;
  int prime;
};
FN(numbers)
{
  for (int i = 2;; i++)
    put(arg, i);
}
FN(filter)
{
  struct stage *s = arg;
  for (;;) {
    int n = take(s->in);
    if (n % s->prime != 0)
      put(s->out, n);
  }
}
CASE(chan_prime_sieve, "spec, An example package: the concurrent prime sieve", PROCS(2),
     PRINTS("2 3 5 7 11 13 17 19 23 29 31 37 41 43 47 53 59 61 67 71 "))
{
  static struct stage stages[20];
  c = ints(0);
  go(numbers, c);
  for (int i = 0; i < 20; i++) {
    int prime = take(c);
    say("%d ", prime);
    stages[i] = (struct stage){ c, ints(0), prime };
    go(filter, &stages[i]);
    c = stages[i].out;
  }
}

FN(pong)
{
  for (int v; rt_chan_recv(c, &v);)
    put(d, v + 1);
  rt_chan_close(d);
}
CASE(chan_ping_pong, "spec, Channel types: unbuffered channels hand over in turn", PROCS(2),
     PRINTS("10000 0 false "))
{
  c = ints(0);
  d = ints(0);
  go(pong, NULL);
  int v = 0;
  while (v < 10000) {
    put(c, v);
    v = take(d);
  }
  say("%d ", v);
  rt_chan_close(c);
  say_take(d);
}

FN(pass_on)
{
  struct rt_chan **pair = arg;
  put(pair[1], take(pair[0]) + 1);
}
CASE(chan_daisy_chain,
     "spec, Go statements: goroutines are cheap; a chain of 1,000 hands one value on", PROCS(2),
     PRINTS("1001 "))
{
  static struct rt_chan *chain[1001];
  chain[0] = ints(0);
  for (int i = 0; i < 1000; i++) {
    chain[i + 1] = ints(0);
    go(pass_on, &chain[i]);
  }
  put(chain[0], 1);
  say("%d ", take(chain[1000]));
}

CASE(chan_close_wakes_the_last_first,
     "runtime, chan.go: close readies the waiters from a stack; runnext is the last made ready",
     PRINTS("1: 0 false 3: 0 false 2: 0 false "))
{
  c = ints(0);
  for (int i = 1; i <= 3; i++) {
    go(recv_say, NUM(i));
    settle();
  }
  rt_chan_close(c);
  settle();
}
