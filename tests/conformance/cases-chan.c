/* SPDX-License-Identifier: MIT */
/* cases-chan.c - channels: what single operations do, on open, closed and nil channels. */
#include "case.h"

#include <string.h>

static struct rt_chan *c, *d;

/* ---- length, capacity, order ---- */

CASE(chan_keeps_the_order_of_values,
     "spec, Channel types: channels act as first-in-first-out queues", PRINTS("1 2 3 "))
{
  c = ints(3);
  for (int i = 1; i <= 3; i++)
    put(c, i);
  for (int i = 1; i <= 3; i++)
    say("%d ", take(c));
}

CASE(chan_ring_wraps_in_order,
     "spec, Channel types: first-in-first-out, also when the buffer is reused",
     PRINTS("0 1 2 3 4 5 6 7 8 9 "))
{
  c = ints(3);
  put(c, 0);
  put(c, 1);
  for (int i = 2; i < 10; i++) {
    put(c, i);
    say("%d ", take(c));
  }
  say("%d ", take(c));
  say("%d ", take(c));
}

CASE(chan_len_counts_queued_values,
     "spec, Length and capacity: len is the number of elements queued in the buffer",
     PRINTS("0 1 2 1 0 "))
{
  c = ints(4);
  say("%zu ", rt_chan_len(c));
  put(c, 1);
  say("%zu ", rt_chan_len(c));
  put(c, 1);
  say("%zu ", rt_chan_len(c));
  take(c);
  say("%zu ", rt_chan_len(c));
  take(c);
  say("%zu ", rt_chan_len(c));
}

CASE(chan_cap_is_the_buffer_size, "spec, Length and capacity: cap is the channel buffer capacity",
     PRINTS("5 5 "))
{
  c = ints(5);
  say("%zu ", rt_chan_cap(c));
  put(c, 1);
  say("%zu ", rt_chan_cap(c));
}

CASE(chan_unbuffered_has_no_length, "spec, Channel types: capacity zero means unbuffered",
     PRINTS("0 0 "))
{
  c = ints(0);
  say("%zu %zu ", rt_chan_len(c), rt_chan_cap(c));
}

CASE(chan_nil_has_no_length,
     "spec, Length and capacity: the length and the capacity of a nil channel are 0",
     PRINTS("0 0 "))
{
  say("%zu %zu ", rt_chan_len(NULL), rt_chan_cap(NULL));
}

CASE(chan_len_survives_close, "spec, Close: previously sent values are still received",
     PRINTS("2 4 1 "))
{
  c = ints(4);
  put(c, 1);
  put(c, 2);
  rt_chan_close(c);
  say("%zu %zu ", rt_chan_len(c), rt_chan_cap(c));
  take(c);
  say("%zu ", rt_chan_len(c));
}

/* ---- values ---- */

CASE(chan_send_copies_the_value,
     "spec, Send statements: the value is evaluated before communication begins", PRINTS("1 2 "))
{
  c = ints(2);
  int v = 1;
  rt_chan_send(c, &v);
  v = 2;
  rt_chan_send(c, &v);
  v = 3;
  say("%d ", take(c));
  say("%d ", take(c));
}

struct wide {
  int numbers[64];
  char text[32];
};
FN(send_wide)
{
  struct wide w = { .text = "whole" };
  for (int i = 0; i < 64; i++)
    w.numbers[i] = i;
  rt_chan_send(c, &w);
  memset(&w, 0, sizeof w);
  put(d, 0);
}
CASE(chan_carries_wide_values, "spec, Channel types: an element is of any type; it is copied whole",
     PRINTS("2016 whole "))
{
  c = rt_chan_new(sizeof(struct wide), 0);
  d = ints(0);
  go(send_wide, NULL);
  struct wide w;
  rt_chan_recv(c, &w);
  take(d);
  int sum = 0;
  for (int i = 0; i < 64; i++)
    sum += w.numbers[i];
  say("%d %s ", sum, w.text);
}

CASE(chan_of_empty_values_counts,
     "spec, Size: struct{} has size zero; a channel of it still queues",
     PRINTS("2 true true false "))
{
  c = rt_chan_new(0, 2);
  rt_chan_send(c, "");
  rt_chan_send(c, "");
  say("%zu ", rt_chan_len(c));
  rt_chan_close(c);
  for (int i = 0; i < 3; i++)
    say("%s ", rt_chan_recv(c, NULL) ? "true" : "false");
}

FN(answer)
{
  struct rt_chan *reply;
  rt_chan_recv(c, &reply);
  put(reply, 42);
}
CASE(chan_of_channels, "spec, Channel types: the element type may be a channel", PRINTS("42 "))
{
  c = rt_chan_new(sizeof(struct rt_chan *), 0);
  d = ints(0);
  go(answer, NULL);
  rt_chan_send(c, &d);
  say("%d ", take(d));
}

CASE(chan_receive_may_drop_the_value,
     "spec, Receive operator: <-ch as a statement discards the value", PRINTS("2 "))
{
  c = ints(2);
  put(c, 1);
  put(c, 2);
  rt_chan_recv(c, NULL);
  say("%d ", take(c));
}

CASE(chan_receive_tells_open,
     "spec, Receive operator: ok is true if the value was delivered by a send", PRINTS("7 true "))
{
  c = ints(1);
  put(c, 7);
  say_take(c);
}

CASE(chan_zero_value_is_not_closed,
     "spec, Receive operator: a sent zero has ok true, a generated zero has false",
     PRINTS("0 true 0 false "))
{
  c = ints(1);
  put(c, 0);
  rt_chan_close(c);
  say_take(c);
  say_take(c);
}

/* ---- closed ---- */

CASE(chan_close_then_drain,
     "spec, Close: after the last value, receives return the zero value, ok false",
     PRINTS("1 true 2 true 0 false 0 false "))
{
  c = ints(2);
  put(c, 1);
  put(c, 2);
  rt_chan_close(c);
  for (int i = 0; i < 4; i++)
    say_take(c);
}

CASE(chan_closed_never_blocks_receivers,
     "spec, Receive operator: a receive on a closed channel always proceeds", PRINTS("1000 "))
{
  c = ints(0);
  rt_chan_close(c);
  int n = 0;
  for (int i = 0; i < 1000; i++)
    n += !rt_chan_recv(c, NULL);
  say("%d ", n);
}

CASE(chan_range_ends_at_close, "spec, For range: iterates until the channel is closed",
     PRINTS("1 2 3 done "))
{
  c = ints(3);
  for (int i = 1; i <= 3; i++)
    put(c, i);
  rt_chan_close(c);
  for (int v; rt_chan_recv(c, &v);)
    say("%d ", v);
  say("done ");
}

CASE(chan_send_on_closed,
     "spec, Send statements: a send on a closed channel causes a run-time panic",
     PANICS("send on closed channel"))
{
  c = ints(1);
  rt_chan_close(c);
  put(c, 1);
}

CASE(chan_send_on_closed_full, "spec, Send statements: also when the buffer is full",
     PANICS("send on closed channel"))
{
  c = ints(1);
  put(c, 1);
  rt_chan_close(c);
  put(c, 2);
}

CASE(chan_close_of_closed, "spec, Close: closing a closed channel causes a run-time panic",
     PANICS("close of closed channel"))
{
  c = ints(0);
  rt_chan_close(c);
  rt_chan_close(c);
}

CASE(chan_close_of_nil, "spec, Close: closing the nil channel causes a run-time panic",
     PANICS("close of nil channel"))
{
  rt_chan_close(NULL);
}

FN(send_arg)
{
  put(arg, 1);
}
FN(close_arg)
{
  rt_chan_close(arg);
}
CASE(chan_panics_can_be_recovered,
     "spec, Handling panics: run-time panics are recovered like others",
     PRINTS("recovered: send on closed channel recovered: close of closed channel "
            "recovered: close of nil channel 0 false "))
{
  c = ints(0);
  rt_chan_close(c);
  catch_panic(send_arg, c);
  catch_panic(close_arg, c);
  catch_panic(close_arg, NULL);
  say_take(c);
}

CASE(chan_failed_send_leaves_the_buffer, "spec, Send statements: a send that panics sends nothing",
     PRINTS("recovered: send on closed channel 5 true 0 false "))
{
  c = ints(2);
  put(c, 5);
  rt_chan_close(c);
  catch_panic(send_arg, c);
  say_take(c);
  say_take(c);
}

/* ---- without waiting (Go: select with one case and default) ---- */

static void say_try_recv(struct rt_chan *from)
{
  int v = -1;
  bool open = false;
  if (rt_chan_try_recv(from, &v, &open))
    say("%d %s ", v, open ? "true" : "false");
  else
    say("none ");
}
static void say_try_send(struct rt_chan *to, int v)
{
  say("%s ", rt_chan_try_send(to, &v) ? "sent" : "none");
}

CASE(try_recv_of_empty, "spec, Select: default runs if no communication can proceed",
     PRINTS("none none "))
{
  say_try_recv(ints(0));
  say_try_recv(ints(1));
}

CASE(try_recv_takes_a_value, "spec, Select: default is chosen only if no case can proceed",
     PRINTS("3 true none "))
{
  c = ints(1);
  put(c, 3);
  say_try_recv(c);
  say_try_recv(c);
}

CASE(try_recv_of_closed, "spec, Select: a receive from a closed channel can proceed",
     PRINTS("0 false "))
{
  c = ints(0);
  rt_chan_close(c);
  say_try_recv(c);
}

CASE(try_recv_drains_closed, "spec, Close: values sent before are received first",
     PRINTS("1 true 0 false "))
{
  c = ints(1);
  put(c, 1);
  rt_chan_close(c);
  say_try_recv(c);
  say_try_recv(c);
}

CASE(try_recv_of_nil, "spec, Select: a nil channel is never ready", PRINTS("none "))
{
  say_try_recv(NULL);
}

CASE(try_send_fills_the_buffer, "spec, Send statements: a buffered send proceeds if there is room",
     PRINTS("sent sent none 2 "))
{
  c = ints(2);
  for (int i = 0; i < 3; i++)
    say_try_send(c, i);
  say("%zu ", rt_chan_len(c));
}

CASE(try_send_without_receiver,
     "spec, Send statements: an unbuffered send proceeds only if a receiver is ready",
     PRINTS("none "))
{
  say_try_send(ints(0), 1);
}

CASE(try_send_of_nil, "spec, Select: a nil channel is never ready", PRINTS("none "))
{
  say_try_send(NULL, 1);
}

FN(try_send_arg)
{
  say_try_send(arg, 1);
}
CASE(try_send_of_closed,
     "spec, Select: a chosen send to a closed channel panics; default does not save it",
     PRINTS("recovered: send on closed channel "))
{
  c = ints(0);
  rt_chan_close(c);
  catch_panic(try_send_arg, c);
}

FN(take_and_say)
{
  say("got %d ", take(c));
}
CASE(try_send_to_a_waiting_receiver,
     "spec, Send statements: a receiver is ready, so the send proceeds", PRINTS("sent got 8 "))
{
  c = ints(0);
  go(take_and_say, NULL);
  settle();
  say_try_send(c, 8);
  settle();
}

FN(put_num)
{
  put(c, num(arg));
  say("put %d ", num(arg));
}
CASE(try_recv_from_a_waiting_sender,
     "spec, Receive operator: a sender is ready, so the receive proceeds",
     PRINTS("9 true put 9 none "))
{
  c = ints(0);
  go(put_num, NUM(9));
  settle();
  say_try_recv(c);
  settle();
  say_try_recv(c);
}

CASE(chan_free_with_waiters, "a channel on which goroutines wait cannot be freed",
     NOT_GO("Go has no free"), PANICS("free of channel on which goroutines wait"))
{
  c = ints(0);
  go(take_and_say, NULL);
  settle();
  rt_chan_free(c);
}
