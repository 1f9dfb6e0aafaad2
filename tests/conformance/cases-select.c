/* SPDX-License-Identifier: MIT */
/* cases-select.c - select: which case runs, who is woken, and that the choice is fair. */
#include "case.h"

static struct rt_chan *c, *d, *done;

/* What one case of a select statement is. */
static struct rt_case recv_from(struct rt_chan *from, int *to)
{
  return (struct rt_case){ .chan = from, .dir = RT_RECV, .elem = to };
}
static struct rt_case send_to(struct rt_chan *to, int *value)
{
  return (struct rt_case){ .chan = to, .dir = RT_SEND, .elem = value };
}
static const char *truth(bool b)
{
  return b ? "true" : "false";
}

/* select { case v, ok := <-x: "0 v ok"; case v, ok := <-y: "1 v ok" } */
static void say_select(struct rt_chan *x, struct rt_chan *y)
{
  int v[2] = { -1, -1 };
  struct rt_case cases[] = { recv_from(x, &v[0]), recv_from(y, &v[1]) };
  int i = rt_select(cases, 2);
  say("%d %d %s ", i, v[i], truth(cases[i].open));
}
/* The same with default. */
static void say_select_default(struct rt_chan *x, struct rt_chan *y)
{
  int v[2] = { -1, -1 };
  struct rt_case cases[] = { recv_from(x, &v[0]), recv_from(y, &v[1]) };
  int i = rt_select_default(cases, 2);
  if (i < 0)
    say("default ");
  else
    say("%d %d %s ", i, v[i], truth(cases[i].open));
}

/* ---- one choice ---- */

CASE(select_takes_the_ready_case, "spec, Select: a case that can proceed is chosen",
     PRINTS("1 5 true 0 6 true "))
{
  c = ints(1);
  d = ints(1);
  put(d, 5);
  say_select(c, d);
  put(c, 6);
  say_select(c, d);
}

CASE(select_default_if_none_is_ready,
     "spec, Select: otherwise, if there is a default case, that case is chosen", PRINTS("default "))
{
  say_select_default(ints(0), ints(1));
}

CASE(select_no_default_if_one_is_ready, "spec, Select: default only if none can proceed",
     PRINTS("1 3 true default "))
{
  c = ints(1);
  d = ints(1);
  put(d, 3);
  say_select_default(c, d);
  say_select_default(c, d);
}

CASE(select_only_default, "spec, Select: a select with only a default case runs it", PRINTS("-1 "))
{
  say("%d ", rt_select_default(NULL, 0));
}

CASE(select_nil_is_never_ready, "spec, Select: a nil channel in a case is never chosen",
     PRINTS("1 1 true default "))
{
  c = ints(1);
  put(c, 1);
  say_select(NULL, c);
  say_select_default(NULL, NULL);
}

CASE(select_nil_send_is_never_ready,
     "spec, Select: communication on nil channels can never proceed", PRINTS("-1 "))
{
  int v = 1;
  struct rt_case cases[] = { send_to(NULL, &v), recv_from(NULL, &v) };
  say("%d ", rt_select_default(cases, 2));
}

CASE(select_closed_is_ready, "spec, Select: a receive from a closed channel can always proceed",
     PRINTS("0 0 false 0 0 false 0 0 false "))
{
  c = ints(0);
  rt_chan_close(c);
  for (int i = 0; i < 3; i++)
    say_select(c, ints(0));
}

CASE(select_closed_drains_first, "spec, Close: values sent before come first, in a select too",
     PRINTS("0 4 true 0 0 false "))
{
  c = ints(1);
  put(c, 4);
  rt_chan_close(c);
  say_select(c, NULL);
  say_select(c, NULL);
}

CASE(select_send_into_room, "spec, Select: a send case proceeds if the buffer has room",
     PRINTS("0 9 "))
{
  c = ints(1);
  int v = 9, w;
  struct rt_case cases[] = { send_to(c, &v), recv_from(ints(0), &w) };
  say("%d ", rt_select(cases, 2));
  say("%d ", take(c));
}

CASE(select_send_into_full, "spec, Select: a send case on a full buffer cannot proceed",
     PRINTS("-1 "))
{
  c = ints(1);
  put(c, 1);
  int v = 9;
  struct rt_case cases[] = { send_to(c, &v), send_to(c, &v) };
  say("%d ", rt_select_default(cases, 2));
}

static void select_send_closed(void *unused)
{
  int v = 9, w;
  (void)unused;
  struct rt_case cases[] = { send_to(c, &v), recv_from(d, &w) };
  rt_select_default(cases, 2);
}
CASE(select_send_on_closed_panics, "spec, Select: a chosen send to a closed channel panics",
     PANICS("send on closed channel"))
{
  c = ints(1);
  d = ints(0);
  rt_chan_close(c);
  select_send_closed(NULL);
}
CASE(select_send_panic_is_recovered,
     "spec, Handling panics: the panic of a send case is recovered like others",
     PRINTS("recovered: send on closed channel 0 "))
{
  c = ints(1);
  d = ints(1);
  rt_chan_close(c);
  catch_panic(select_send_closed, NULL);
  say("%zu ", rt_chan_len(d));
}

CASE(select_receives_without_variable, "spec, Select: a receive case may drop its value",
     PRINTS("0 true 0 "))
{
  c = ints(1);
  put(c, 1);
  struct rt_case cases[] = { recv_from(c, NULL), recv_from(NULL, NULL) };
  int i = rt_select(cases, 2);
  say("%d %s %zu ", i, truth(cases[i].open), rt_chan_len(c));
}

CASE(select_untaken_cases_do_nothing, "spec, Select: only the selected communication is executed",
     PRINTS("1 1 1 "))
{
  c = ints(2);
  d = ints(2);
  put(c, 1);
  put(d, 1);
  int v = 0, w = 0;
  struct rt_case cases[] = { recv_from(c, &v), recv_from(d, &w) };
  rt_select(cases, 2);
  say("%zu %d ", rt_chan_len(c) + rt_chan_len(d), v + w);
  say("%d ", take(rt_chan_len(c) ? c : d));
}

/* ---- the same channel twice ---- */

CASE(select_does_not_talk_to_itself,
     "spec, Select: an unbuffered channel's own send and receive cases cannot meet", PRINTS("-1 "))
{
  c = ints(0);
  int v = 1, w;
  struct rt_case cases[] = { send_to(c, &v), recv_from(c, &w) };
  say("%d ", rt_select_default(cases, 2));
}

FN(put_seven)
{
  put(c, 7);
  say("sent ");
}
CASE(select_waits_on_both_ends, "spec, Select: send and receive on one channel, woken by a sender",
     PRINTS("sent 1 7 "))
{
  c = ints(0);
  go(put_seven, NULL);
  int v = 1, w = 0;
  struct rt_case cases[] = { send_to(c, &v), recv_from(c, &w) };
  say("%d ", rt_select(cases, 2));
  say("%d ", w);
  settle();
}

FN(take_say)
{
  say("%d took %d ", num(arg), take(c));
}
CASE(select_waits_on_both_ends_for_receiver,
     "spec, Select: send and receive on one channel, woken by a receiver", PRINTS("5 took 1 0 "))
{
  c = ints(0);
  go(take_say, NUM(5));
  int v = 1, w = 0;
  struct rt_case cases[] = { send_to(c, &v), recv_from(c, &w) };
  say("%d ", rt_select(cases, 2));
  settle();
}

CASE(select_send_or_receive_on_a_buffer,
     "spec, Select: on an empty buffer only the send can proceed, on a full one only the receive",
     PRINTS("0 1 0 1 "))
{
  c = ints(1);
  for (int i = 0; i < 4; i++) {
    int v = 1, w;
    struct rt_case cases[] = { send_to(c, &v), recv_from(c, &w) };
    say("%d ", rt_select(cases, 2));
  }
}

/* ---- fairness: 4,000 choices; each bound is more than 12 standard deviations away ---- */

static bool within(int n, int low, int high)
{
  return n >= low && n <= high;
}

CASE(select_two_ready_are_chosen_fairly,
     "spec, Select: a single one is chosen via a uniform pseudo-random selection", PRINTS("fair "))
{
  c = ints(0);
  d = ints(0);
  rt_chan_close(c);
  rt_chan_close(d);
  int n[2] = { 0 };
  for (int i = 0; i < 4000; i++)
    n[rt_select((struct rt_case[]){ recv_from(c, NULL), recv_from(d, NULL) }, 2)]++;
  say(within(n[0], 1600, 2400) ? "fair " : "unfair ");
}

CASE(select_four_ready_are_chosen_fairly, "spec, Select: uniform also among more",
     PRINTS("fair fair fair fair "))
{
  c = ints(0);
  rt_chan_close(c);
  int n[4] = { 0 };
  struct rt_case cases[4] = { recv_from(c, NULL), recv_from(c, NULL), recv_from(c, NULL),
                              recv_from(c, NULL) };
  for (int i = 0; i < 4000; i++)
    n[rt_select(cases, 4)]++;
  for (int i = 0; i < 4; i++)
    say(within(n[i], 650, 1350) ? "fair " : "unfair ");
}

CASE(select_fair_between_send_and_receive, "spec, Select: send and receive cases are chosen alike",
     PRINTS("fair "))
{
  c = ints(4001);
  d = ints(0);
  rt_chan_close(d);
  int sends = 0, v = 1;
  for (int i = 0; i < 4000; i++)
    sends += rt_select((struct rt_case[]){ send_to(c, &v), recv_from(d, NULL) }, 2) == 0;
  say(within(sends, 1600, 2400) ? "fair " : "unfair ");
}

CASE(select_duplicates_weigh_double, "spec, Select: each case counts, two of one channel are two",
     PRINTS("fair "))
{
  c = ints(0);
  d = ints(0);
  rt_chan_close(c);
  rt_chan_close(d);
  int n = 0;
  struct rt_case cases[3] = { recv_from(c, NULL), recv_from(d, NULL), recv_from(c, NULL) };
  for (int i = 0; i < 4500; i++)
    n += rt_select(cases, 3) == 1;
  say(within(n, 1100, 1900) ? "fair " : "unfair ");
}

CASE(select_not_ready_cases_do_not_skew, "spec, Select: uniform among those that can proceed",
     PRINTS("fair "))
{
  c = ints(0);
  d = ints(0);
  rt_chan_close(c);
  rt_chan_close(d);
  struct rt_case cases[4] = { recv_from(NULL, NULL), recv_from(ints(0), NULL), recv_from(c, NULL),
                              recv_from(d, NULL) };
  int n = 0;
  for (int i = 0; i < 4000; i++)
    n += rt_select(cases, 4) == 2;
  say(within(n, 1600, 2400) ? "fair " : "unfair ");
}

/* ---- waiting ---- */

FN(select_c_d)
{
  say_select(c, d);
}
CASE(select_waits_and_is_woken, "spec, Select: without default it blocks until one can proceed",
     PRINTS("waiting 1 8 true "))
{
  c = ints(0);
  d = ints(0);
  go(select_c_d, NULL);
  settle();
  say("waiting ");
  put(d, 8);
  settle();
}

CASE(select_woken_leaves_the_other_queue,
     "runtime, select.go: a woken select is dequeued from its other channels",
     PRINTS("1 8 true none "))
{
  c = ints(0);
  d = ints(0);
  go(select_c_d, NULL);
  settle();
  put(d, 8);
  settle();
  say("%s ", rt_chan_try_send(c, &(int){ 1 }) ? "sent" : "none");
}

CASE(select_woken_by_close, "spec, Close: a waiting select receives the zero value and false",
     PRINTS("0 0 false "))
{
  c = ints(0);
  d = ints(0);
  go(select_c_d, NULL);
  settle();
  rt_chan_close(c);
  settle();
}

FN(select_send_c_d)
{
  int v = 1, w = 2;
  struct rt_case cases[] = { send_to(c, &v), send_to(d, &w) };
  say("sent to %d ", rt_select(cases, 2));
}
CASE(select_send_woken_by_receiver,
     "spec, Select: a waiting send case proceeds when a receiver comes",
     PRINTS("2 sent to 1 none "))
{
  c = ints(0);
  d = ints(0);
  go(select_send_c_d, NULL);
  settle();
  say("%d ", take(d));
  settle();
  say("%s ", rt_chan_try_recv(c, NULL, NULL) ? "got" : "none");
}

FN(select_send_recovering)
{
  catch_panic(select_send_c_d, NULL);
}
CASE(select_waiting_send_panics_on_close,
     "spec, Send statements: closing makes a waiting send case panic",
     PRINTS("recovered: send on closed channel none "))
{
  c = ints(0);
  d = ints(0);
  go(select_send_recovering, NULL);
  settle();
  rt_chan_close(c);
  settle();
  say("%s ", rt_chan_try_recv(d, NULL, NULL) ? "got" : "none");
}

FN(select_tell)
{
  int v = 0;
  struct rt_case cases[] = { recv_from(c, &v), recv_from(d, NULL) };
  rt_select(cases, 2);
  say("%d got %d ", num(arg), v);
}
CASE(select_waiters_stand_in_line,
     "runtime, chan.go: selects wait in the same line as plain receivers",
     PRINTS("1 got 10 2 took 20 3 got 30 "))
{
  c = ints(0);
  d = ints(0);
  go(select_tell, NUM(1));
  settle();
  go(take_say, NUM(2));
  settle();
  go(select_tell, NUM(3));
  settle();
  for (int i = 1; i <= 3; i++) {
    put(c, 10 * i);
    settle();
  }
}

CASE(select_meets_select, "spec, Select: two selects can be each other's partner",
     PRINTS("sent to 0 0 1 true "))
{
  c = ints(0);
  d = NULL;
  go(select_c_d, NULL);
  settle();
  select_send_c_d(NULL);
  settle();
}

FN(close_later)
{
  say("closing ");
  rt_chan_close(d);
}
CASE(select_cancel_by_done_channel,
     "Go blog, Pipelines and cancellation: closing done cancels who selects on it",
     PRINTS("closing 1 0 false "))
{
  c = ints(0);
  d = ints(0);
  go(close_later, NULL);
  say_select(c, d);
}

CASE(select_timeout, "time.After: a select with it waits at most so long", PRINTS("timeout "))
{
  struct rt_case cases[] = { recv_from(ints(0), NULL),
                             { .chan = rt_after(2 * MS), .dir = RT_RECV } };
  say(rt_select(cases, 2) == 1 ? "timeout " : "wrong ");
}

CASE(select_value_beats_timeout, "time.After: a value that is there goes first", PRINTS("value 3 "))
{
  c = ints(1);
  put(c, 3);
  int v = 0;
  struct rt_case cases[] = { recv_from(c, &v), { .chan = rt_after(3600000 * MS), .dir = RT_RECV } };
  say(rt_select(cases, 2) == 0 ? "value " : "wrong ");
  say("%d ", v);
}

/* ---- many ---- */

CASE(select_many_cases_last_is_ready, "spec, Select: any number of cases", PRINTS("39 11 "))
{
  struct rt_case cases[40];
  int v = 0;
  for (int i = 0; i < 40; i++)
    cases[i] = recv_from(ints(1), &v);
  put(cases[39].chan, 11);
  say("%d ", rt_select(cases, 40));
  say("%d ", v);
}

FN(put_later)
{
  put(arg, 12);
}
CASE(select_many_cases_wait, "spec, Select: any number of cases wait at once", PRINTS("17 12 "))
{
  struct rt_case cases[40];
  int v = 0;
  for (int i = 0; i < 40; i++)
    cases[i] = recv_from(ints(0), &v);
  go(put_later, cases[17].chan);
  say("%d ", rt_select(cases, 40));
  say("%d ", v);
}

static void select_too_many(void *unused)
{
  (void)unused;
  struct rt_case *cases = calloc(65537, sizeof *cases);
  rt_select_default(cases, 65537);
}
CASE(select_too_many_cases, "reflect.Select: panics with more than 65536 cases",
     NOT_GO("there it is the compiler or reflect that says so"),
     PRINTS("recovered: select: too many cases "))
{
  catch_panic(select_too_many, NULL);
}

FN(count_to)
{
  for (int i = 0; i < 2000; i++)
    put(arg, 1);
  rt_chan_close(arg);
}
CASE(select_merges_until_both_are_closed, "spec, Select: a channel set to nil takes its case out",
     PROCS(4), PRINTS("4000 "))
{
  c = ints(0);
  d = ints(3);
  go(count_to, c);
  go(count_to, d);
  int sum = 0, v[2];
  struct rt_case cases[] = { recv_from(c, &v[0]), recv_from(d, &v[1]) };
  while (cases[0].chan || cases[1].chan) {
    int i = rt_select(cases, 2);
    if (cases[i].open)
      sum += v[i];
    else
      cases[i].chan = NULL;
  }
  say("%d ", sum);
}

FN(select_worker)
{
  for (int i = 0; i < 1000; i++) {
    int v = 1, w = 1;
    rt_select((struct rt_case[]){ send_to(c, &v), send_to(d, &w) }, 2);
  }
  put(done, 0);
}
CASE(select_loses_nothing_on_four_ps, "spec, Select: each chosen communication happens once",
     PROCS(4), PRINTS("4000 "))
{
  c = ints(0);
  d = ints(2);
  done = ints(4);
  for (int i = 0; i < 4; i++)
    go(select_worker, NULL);
  int sum = 0;
  for (int i = 0; i < 4000; i++) {
    int v = 0, w = 0;
    rt_select((struct rt_case[]){ recv_from(c, &v), recv_from(d, &w) }, 2);
    sum += v + w;
  }
  say("%d ", sum);
}

CASE(select_writes_only_the_chosen_variable,
     "spec, Select: only the chosen case's assignment happens", PRINTS("3 -1 "))
{
  c = ints(1);
  put(c, 3);
  int v = -1, w = -1;
  struct rt_case cases[] = { recv_from(c, &v), recv_from(ints(0), &w) };
  rt_select(cases, 2);
  say("%d %d ", v, w);
}

CASE(select_priority_by_nesting,
     "spec, Select: no order among cases; a first select with default makes one",
     PRINTS("urgent urgent urgent 3 "))
{
  c = ints(3);
  d = ints(3);
  for (int i = 0; i < 3; i++) {
    put(c, i);
    put(d, i);
  }
  for (int i = 0; i < 3; i++)
    if (rt_chan_try_recv(c, NULL, NULL))
      say("urgent ");
    else
      say_select(c, d);
  say("%zu ", rt_chan_len(d));
}
