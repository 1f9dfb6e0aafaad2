/* SPDX-License-Identifier: MIT */
/* trace-sentence-rest.c - sentences about timers, defer, panic, preemption, sysmon, the world, and the trace. */
#include "trace-sentence.h"

/* ---- timers ---- */

TRACE_SAY(timer_new)
{
  trace_say(s, "Timer %u is new: a %s timer", a.timer,
            trace_name_word(TRACE_ARG_TIMERKIND, a.what));
  if (a.owner_g)
    trace_say(s, " of %s", trace_name_g(s, a.owner_g));
  trace_say(s, ".");
}

/* "in 5 ms", or that it is due. */
static void say_when(struct trace_saying *s, int64_t when)
{
  int64_t from_now;
  if (when <= s->e->ts || __builtin_sub_overflow(when, s->e->ts, &from_now))
    trace_say(s, "due at once");
  else
    trace_say(s, "due in %s", trace_name_time(s, from_now));
}

TRACE_SAY(timer_add)
{
  const struct trace_p *p = trace_replay_p(s->before, a.heap);
  trace_say(s, "%s went into P%u's heap, ", trace_name_timer(s, a.timer), a.heap);
  say_when(s, (int64_t)a.when);
  if (p)
    trace_say(s, "; %s were there", trace_name_count(s, p->n_timers, "other"));
  trace_say(s, ".");
}

TRACE_SAY(timer_modify)
{
  trace_say(s, "%s got another time, ", trace_name_timer(s, a.timer));
  say_when(s, (int64_t)a.when);
  trace_say(s, "; its place in P%u's heap is mended later.", a.heap);
}

TRACE_SAY(timer_stop)
{
  trace_say(s, "%s was stopped%s; it stays in P%u's heap as a zombie until that is cleaned.",
            trace_name_timer(s, a.timer), a.was_pending ? "" : ", though it was not pending",
            a.heap);
}

TRACE_SAY(timer_wait)
{
  if (a.waited)
    trace_say(s, "%s waits on the channel of %s, which is no zombie in P%u's heap any more.",
              trace_name_me(s), trace_name_timer(s, a.timer), a.heap);
  else
    trace_say(s, "Nobody waits on the channel of %s any more; it stays in P%u's heap as a zombie.",
              trace_name_timer(s, a.timer), a.heap);
}

TRACE_SAY(timer_update)
{
  trace_say(s, "%s got its new place in P%u's heap (from %u: %s).", trace_name_timer(s, a.timer),
            a.heap, a.place, trace_name_word(TRACE_ARG_HEAPSTEP, a.step));
}

TRACE_SAY(timer_remove)
{
  trace_say(s, "%s left P%u's heap (from %u: %s).", trace_name_timer(s, a.timer), a.heap, a.place,
            trace_name_word(TRACE_ARG_HEAPSTEP, a.step));
}

TRACE_SAY(timer_heapify)
{
  trace_say(s, "After a scan, the order of P%u's heap of %s was rebuilt.", a.heap,
            trace_name_count(s, a.n, "timer"));
}

TRACE_SAY(timer_fire)
{
  if (a.heap == TRACE_NO_P) {
    trace_say(s, "%s looked into the channel of %s, which was due for %s, and ran it.",
              trace_name_me(s), trace_name_timer(s, a.timer), trace_name_time(s, (int64_t)a.late));
    return;
  }
  trace_say(s, "%s ran %s of P%u's heap, %s late.", trace_name_me(s), trace_name_timer(s, a.timer),
            a.heap, trace_name_time(s, (int64_t)a.late));
}

TRACE_SAY(timer_run_other)
{
  trace_say(s, "%s runs the due timers of P%u, whose own M did not.", trace_name_me(s), a.heap);
}

TRACE_SAY(timer_check)
{
  trace_say(s, "P%u's heap has %s (the trace checks itself).", a.heap,
            trace_name_count(s, a.n, "timer"));
}

TRACE_SAY(timer_status)
{
  trace_say(s, "When recording began, timer %u was in P%u's heap, ", a.timer, a.heap);
  say_when(s, (int64_t)a.when);
  trace_say(s, ".");
}

TRACE_SAY(timer_move)
{
  trace_say(s, "P%u goes away: its timers moved to P%u's heap.", a.heap, a.to_heap);
}

/* ---- defer ---- */

TRACE_SAY(defer_push)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  trace_say(s, "%s deferred %s in the frame at depth %u (%s record)", trace_name_running(s),
            trace_name_fn(s, a.fn), a.frame, trace_name_word(TRACE_ARG_DEFERKIND, a.record));
  if (g)
    trace_say(s, "; its chain has %u now", g->n_defers + 1);
  trace_say(s, ".");
}

TRACE_SAY(defer_pop)
{
  trace_say(s, "%s unlinked its newest deferred call, %s, to run it.", trace_name_running(s),
            trace_name_fn(s, a.fn));
}

TRACE_SAY(defer_begin)
{
  trace_say(s, "%s runs the deferred call of %s because of a %s.", trace_name_running(s),
            trace_name_fn(s, a.fn), trace_name_word(TRACE_ARG_CAUSE, a.because));
}

TRACE_SAY(defer_end)
{
  trace_say(s, "A deferred call of %s came to its end.", trace_name_running(s));
}

TRACE_SAY(defer_alloc)
{
  trace_say(s, "No pool had a defer record: %s allocated a new one.", trace_name_running(s));
}

TRACE_SAY(defer_recycle)
{
  trace_say(s, "A defer record went back to %s's pool, which has %u now.", trace_name_p(s, s->e->p),
            a.pool_len);
}

TRACE_SAY(defer_refill)
{
  trace_say(s, "%s came from the central pool to %s's, which has %u now.",
            trace_name_count(s, a.n, "defer record"), trace_name_p(s, s->e->p), a.pool_len);
}

TRACE_SAY(defer_spill)
{
  trace_say(s, "%s's pool was full: %s went to the central one, and %u stay.",
            trace_name_p(s, s->e->p), trace_name_count(s, a.n, "defer record"), a.pool_len);
}

TRACE_SAY(defer_status)
{
  trace_say(s, "When recording began, %s had deferred %s in the frame at depth %u.",
            trace_name_g(s, a.subject_g), trace_name_fn(s, a.fn), a.frame);
}

/* ---- panic ---- */

TRACE_SAY(panic_begin)
{
  trace_say(s, "%s panics with %s%s.", trace_name_running(s), trace_name_string(s, a.value),
            a.depth > 1 ? ", while an older panic is in progress" : "");
}

/* The call that this frame of the running G would run next; 0 if it has none, or none that is known. */
static uint64_t next_call_of(const struct trace_saying *s, uint32_t frame)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  const struct trace_defer *newest = g && g->n_defers ? &g->defers[g->n_defers - 1] : NULL;
  return newest && newest->frame == frame ? newest->fn : 0;
}

/* "the frame that deferred d1" says more than its depth, where a deferred call of it is known. */
static void say_frame(struct trace_saying *s, uint32_t frame, uint64_t fn)
{
  if (fn)
    trace_say(s, "the frame that deferred %s", trace_name_fn(s, fn));
  else
    trace_say(s, "the frame at depth %u", frame);
}

/* "G7 \"worker\"'s panic", or "...'s Goexit". */
static void say_whose(struct trace_saying *s, uint32_t depth)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  bool is_goexit = false;
  for (uint32_t i = 0; g && i < g->n_panics; i++)
    is_goexit |= g->panics[i].depth == depth && g->panics[i].is_goexit;
  trace_say(s, "%s's %s", trace_name_running(s), is_goexit ? "Goexit" : "panic");
}

TRACE_SAY(panic_walk)
{
  const uint64_t fn = a.step == TRACE_WALK_RUN ? next_call_of(s, a.frame) : 0;
  const char *what = a.step == TRACE_WALK_RUN       ? "runs a deferred call of"
                     : a.step == TRACE_WALK_SKIPPED ? "skips"
                                                    : "looks at";
  say_whose(s, a.depth);
  if (fn) {
    trace_say(s, " runs %s, a deferred call of the frame that it looks at.", trace_name_fn(s, fn));
    return;
  }
  trace_say(s, " walks outwards and %s ", what);
  say_frame(s, a.frame, next_call_of(s, a.frame));
  trace_say(s, ".");
}

TRACE_SAY(panic_recover_call)
{
  if (a.verdict == TRACE_VERDICT_VALID)
    trace_say(s,
              "%s called recover, and it counts: the panic ends when this deferred call returns.",
              trace_name_running(s));
  else
    trace_say(s, "%s called recover, but it does not count: %s.", trace_name_running(s),
              trace_name_word(TRACE_ARG_VERDICT, a.verdict));
}

/* The frame is named by the call that recovered: that one is of it, and may have been its last. */
TRACE_SAY(panic_recovered)
{
  const struct trace_g *g = trace_replay_g(s->before, s->e->g);
  const struct trace_panic *newest = g && g->n_panics ? &g->panics[g->n_panics - 1] : NULL;
  trace_say(s, "%s's panic is over: control goes back to ", trace_name_running(s));
  say_frame(s, a.frame, newest ? newest->recovered_by : 0);
  trace_say(s, ", which runs its other deferred calls and returns.");
}

TRACE_SAY(panic_nested)
{
  trace_say(
      s,
      "%s panicked in a deferred call that panic %u runs: that one waits until the newer is over.",
      trace_name_running(s), a.supersedes);
}

TRACE_SAY(panic_aborted)
{
  trace_say(s, "%s's panic %u was dropped: panic %u was recovered at or above its frame.",
            trace_name_running(s), a.depth, a.by_depth);
}

TRACE_SAY(panic_fatal)
{
  trace_say(s, "Nobody recovered %s from %s: the program ends with exit code 2.",
            trace_name_running(s), trace_name_string(s, a.value));
}

TRACE_SAY(goexit_begin)
{
  trace_say(s, "%s called Goexit: its deferred calls run, then it ends.", trace_name_running(s));
}

TRACE_SAY(goexit_end)
{
  trace_say(s, "Goexit of %s ran the last deferred call; the G ends next.", trace_name_running(s));
}

/* ---- preemption, sysmon, the world ---- */

TRACE_SAY(preempt_request)
{
  trace_say(s, "%s asked %s on M%u to stop: %s.", trace_name_me(s), trace_name_g(s, a.target_g),
            a.target_m, trace_name_word(TRACE_ARG_PREEMPTWHY, a.why));
}

TRACE_SAY(preempt_send)
{
  trace_say(s, "%s sent SIGURG to M%u.", trace_name_me(s), a.target_m);
}

TRACE_SAY(preempt_land)
{
  trace_say(s, "SIGURG arrived at M%u", s->e->m);
  if (a.refusal == TRACE_REFUSAL_NONE)
    trace_say(s, " where %s could be stopped.", trace_name_running(s));
  else
    trace_say(s, ", but nothing could be stopped there: %s.",
              trace_name_word(TRACE_ARG_REFUSAL, a.refusal));
}

TRACE_SAY(preempt_taken)
{
  trace_say(s, "%s obeyed a request to stop, %s.", trace_name_running(s),
            a.by_signal ? "by signal" : "at a call");
}

TRACE_SAY(sysmon_retake)
{
  trace_say(s, "sysmon goes for P%u: %s.", a.proc, trace_name_word(TRACE_ARG_RETAKE, a.why));
}

TRACE_SAY(sysmon_netpoll)
{
  trace_say(s, "Nobody had polled for 10 ms: sysmon did, and found %s.",
            trace_name_count(s, a.n, "ready G"));
}

TRACE_SAY(sysmon_sleep)
{
  trace_say(s, "sysmon sleeps %s between its rounds now%s.", trace_name_time(s, (int64_t)a.delay),
            a.deep ? ", until it is woken" : "");
}

TRACE_SAY(stw_begin)
{
  const bool has_reason = a.why != TRACE_STWWHY_UNKNOWN;
  trace_say(s, "%s began to stop the world%s%s", trace_name_running(s), has_reason ? ": " : "",
            has_reason ? trace_name_word(TRACE_ARG_STWWHY, a.why) : "");
  if (a.reason)
    trace_say(s, " (%s)", trace_name_string(s, a.reason));
  trace_say(s, ".");
}

TRACE_SAY(stw_stopped)
{
  trace_say(s, "The world is stopped: no P runs a G.");
}

TRACE_SAY(stw_end)
{
  trace_say(s, "The world runs again.");
}

TRACE_SAY(stack_scan)
{
  trace_say(s, "The stack of %s was visited at a safe point: %s.", trace_name_g(s, a.subject_g),
            trace_name_count(s, a.bytes, "byte"));
}

TRACE_SAY(netpoll_ready)
{
  trace_say(s, "File descriptor %u became ready to %s for %s.", a.fd,
            trace_name_word(TRACE_ARG_IOMODE, a.mode), trace_name_g(s, a.ready_g));
}

TRACE_SAY(netpoll_break)
{
  trace_say(s, "%s told the M asleep in netpoll to come back.", trace_name_me(s));
}

/* ---- the program speaks ---- */

TRACE_SAY(task_begin)
{
  trace_say(s, "%s began task %lu, %s.", trace_name_running(s), (unsigned long)a.task,
            trace_name_string(s, a.name));
}

TRACE_SAY(task_end)
{
  trace_say(s, "%s ended task %lu.", trace_name_running(s), (unsigned long)a.task);
}

TRACE_SAY(region_begin)
{
  trace_say(s, "%s entered region %s.", trace_name_running(s), trace_name_string(s, a.name));
}

TRACE_SAY(region_end)
{
  trace_say(s, "%s left its innermost region.", trace_name_running(s));
}

TRACE_SAY(user_log)
{
  trace_say(s, "%s says %s (%s).", trace_name_running(s), trace_name_string(s, a.text),
            trace_name_string(s, a.category));
}

TRACE_SAY(object_new)
{
  trace_say(s, "%s made a %s", trace_name_running(s), trace_name_word(TRACE_ARG_OBJKIND, a.what));
  if (a.what == TRACE_OBJKIND_CHAN)
    trace_say(s, " with room for %u", a.capacity);
  trace_say(s, ".");
}

TRACE_SAY(object_name)
{
  trace_say(s, "%s is called %s.", trace_name_object(s, a.obj), trace_name_string(s, a.name));
}

/* ---- the trace itself ---- */

TRACE_SAY(trace_begin)
{
  trace_say(s, "Recording began with %s, %s.", trace_name_count(s, a.n_procs, "P"),
            a.from_start ? "with the program's first event"
                         : "in the middle of the program's life");
}

TRACE_SAY(trace_status_done)
{
  trace_say(s, "All that existed when recording began has been told.");
}

TRACE_SAY(trace_end)
{
  trace_say(s, "The program is about to end with exit code %u.", a.exit_code);
}

TRACE_SAY(string)
{
  trace_say(s, "A text of %s begins (string %u).", trace_name_count(s, a.n_bytes, "byte"),
            a.string);
}

TRACE_SAY(string_part)
{
  trace_say(s, "Some bytes of a text.");
}

TRACE_SAY(stack_begin)
{
  trace_say(s, "A call stack of %s begins (stack %u).", trace_name_count(s, a.n_frames, "frame"),
            a.stack);
}

TRACE_SAY(stack_part)
{
  trace_say(s, "Some frames of a call stack.");
}

TRACE_SAY(clock_sync)
{
  trace_say(s, "The clocks were compared here.");
}

TRACE_SAY(lost)
{
  trace_say(s, "%s of M%u were lost since %s, because its ring was full.",
            trace_name_count(s, a.n_lost, "event"), s->e->m, trace_name_time(s, (int64_t)a.since));
}

TRACE_SAY(categories)
{
  trace_say(s, "From here on these are recorded: sched");
  for (uint32_t bit = 1; bit < TRACE_FAMILY_COUNT; bit++) {
    if (a.mask >> bit & 1)
      trace_say(s, ", %s", trace_family_name((enum trace_family)(1u << bit)));
  }
  trace_say(s, ".");
}

TRACE_SAY(choice)
{
  trace_say(s, "The simulation chose %s: number %u of %u.",
            trace_name_word(TRACE_ARG_CHOICE, a.what), a.picked, a.of_n);
}

TRACE_SAY(fault)
{
  if (a.struck_g == 0) {
    trace_say(s, "The program runs with a fault switched on for demonstration: %s.",
              trace_name_string(s, a.name));
    return;
  }
  trace_say(s, "The fault %s strikes %s", trace_name_string(s, a.name),
            trace_name_g(s, a.struck_g));
  if (a.lost_defers > 0)
    trace_say(s, ", which loses its %u newest deferred call%s", a.lost_defers,
              a.lost_defers == 1 ? "" : "s");
  trace_say(s, ".");
}
