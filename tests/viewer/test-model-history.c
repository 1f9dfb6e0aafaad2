/* SPDX-License-Identifier: MIT */
/* test-model-history.c - the state at any event is the one that a fresh replay has there, in whatever order one asks. */
#include "model.h"
#include "synthetic.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- everything that a replay can be asked, as text ---- */

static void tell_world(FILE *out, const struct trace_replay *r)
{
  const struct trace_world *w = trace_replay_world(r);
  fprintf(out,
          "world %lld %llu procs %u gs %u ms %u ps %u timers %u global %u idle %u %u spin %u poll "
          "%u %d%d %u %u %u %x\n",
          (long long)w->ts, (unsigned long long)w->n_events, w->n_procs, w->n_gs, w->n_ms, w->n_ps,
          w->n_timers, w->n_global, w->n_idle_ps, w->n_idle_ms, w->n_spinning, w->polling_m,
          w->stopping, w->stopped, w->stopper, w->stop_why, w->stop_reason, w->categories);
  for (int i = 0; i < 8; i++)
    fprintf(out, " %u", w->n_by_status[i]);
  fprintf(out, " breaches %llu losses %llu\n", (unsigned long long)trace_replay_breaches(r),
          (unsigned long long)trace_replay_losses(r));
}

static void tell_g(FILE *out, const struct trace_g *g)
{
  fprintf(out,
          "g%u status %u why %u parent %u obj %llx fn %llx since %lld made %lld name %u seq %u m "
          "%u p %u "
          "locked %u waker %u %llu place %d %u\n",
          g->goid, g->status, g->why, g->parent, (unsigned long long)g->obj,
          (unsigned long long)g->fn, (long long)g->since, (long long)g->created, g->name, g->seq,
          g->m, g->p, g->locked_m, g->waker, (unsigned long long)g->wake_no, (int)g->place,
          g->place_id);
  for (uint32_t i = 0; i < g->n_defers; i++)
    fprintf(out, " defer %llx %u %u\n", (unsigned long long)g->defers[i].fn, g->defers[i].frame,
            g->defers[i].record);
  for (uint32_t i = 0; i < g->n_panics; i++)
    fprintf(out, " panic %u %u %u %u %u %d%d\n", g->panics[i].depth, g->panics[i].value,
            g->panics[i].frame, g->panics[i].walked_to, g->panics[i].supersedes,
            g->panics[i].is_goexit, g->panics[i].recovered);
  for (uint32_t i = 0; i < g->n_calls; i++)
    fprintf(out, " call %llx %u %u %u\n", (unsigned long long)g->calls[i].fn, g->calls[i].frame,
            g->calls[i].because, g->calls[i].panic_depth);
}

static void tell_p(FILE *out, const struct trace_replay *r, const struct trace_p *p)
{
  uint32_t ring[256];
  struct trace_heap_entry heap[256];
  fprintf(out, "p%u status %u m %u seq %u since %lld next %u ring %u timers %u pool %u\n", p->id,
          p->status, p->m, p->seq, (long long)p->since, p->runnext, p->n_ring, p->n_timers,
          p->pool_len);
  size_t n = trace_replay_ring(r, p->id, ring, 256);
  for (size_t i = 0; i < n && i < 256; i++)
    fprintf(out, " %u", ring[i]);
  n = trace_replay_heap(r, p->id, heap, 256);
  for (size_t i = 0; i < n && i < 256; i++)
    fprintf(out, " t%u@%lld %d%d %lld", heap[i].timer, (long long)heap[i].key, heap[i].modified,
            heap[i].zombie, (long long)heap[i].when);
  fprintf(out, "\n");
}

static void tell_m(FILE *out, const struct trace_m *m)
{
  fprintf(out, "m%u tid %u status %u g %u p %u locked %u since %lld last %lld seq %llu\n", m->id,
          m->tid, m->status, m->g, m->p, m->locked_g, (long long)m->since, (long long)m->last_ts,
          (unsigned long long)m->next_seq);
}

static void tell_lists(FILE *out, const struct trace_replay *r)
{
  uint32_t ids[256];
  size_t n = trace_replay_global(r, ids, 256);
  for (size_t i = 0; i < n && i < 256; i++)
    fprintf(out, " global %u", ids[i]);
  n = trace_replay_idle_ps(r, ids, 256);
  for (size_t i = 0; i < n && i < 256; i++)
    fprintf(out, " idle p%u", ids[i]);
  n = trace_replay_idle_ms(r, ids, 256);
  for (size_t i = 0; i < n && i < 256; i++)
    fprintf(out, " idle m%u", ids[i]);
  for (uint32_t id = 1; id < 10; id++) {
    size_t length;
    const char *text = trace_replay_string(r, id, &length);
    fprintf(out, " string %s", text ? text : "-");
  }
}

static char *tell(const struct trace_replay *r)
{
  char *text;
  size_t size;
  uint32_t ids[256];
  FILE *out = open_memstream(&text, &size);
  tell_world(out, r);
  size_t n = trace_replay_gs(r, 0, ids, 256);
  for (size_t i = 0; i < n; i++)
    tell_g(out, trace_replay_g(r, ids[i]));
  n = trace_replay_ms(r, 0, ids, 256);
  for (size_t i = 0; i < n; i++)
    tell_m(out, trace_replay_m(r, ids[i]));
  n = trace_replay_ps(r, 0, ids, 256);
  for (size_t i = 0; i < n; i++)
    tell_p(out, r, trace_replay_p(r, ids[i]));
  tell_lists(out, r);
  fclose(out);
  return text;
}

/* ---- the property ---- */

static void same(const struct trace_replay *got, const char *wanted)
{
  assert_non_null(got);
  char *text = tell(got);
  assert_string_equal(text, wanted);
  free(text);
}

/* What a fresh replay says after each of the events from `from` on. */
static char **told_freshly(const struct vw_trace *t, uint64_t from, uint64_t n)
{
  char **told = calloc(n, sizeof *told);
  struct trace_replay *r = trace_replay_new();
  for (uint64_t no = 0; no < from + n; no++) {
    trace_replay_apply(r, vw_event(t, no));
    if (no >= from)
      told[no - from] = tell(r);
  }
  trace_replay_free(r);
  return told;
}

static void check_range(struct vw_trace *t, uint64_t from, uint64_t n)
{
  char **told = told_freshly(t, from, n), sentence[300];
  for (uint64_t i = 0; i < n; i++)
    same(vw_state_after(t, from + i), told[i]);
  for (uint64_t i = n; i-- > 0;) {
    vw_sentence(t, from + i / 2, sentence, sizeof sentence); /* leaves the lent state alone */
    same(vw_state_after(t, from + i), told[i]);
    if (i > 0)
      same(vw_state_before(t, from + i), told[i - 1]);
  }
  uint64_t random = 7;
  for (int k = 0; k < 100; k++) {
    random = random * 6364136223846793005u + 1442695040888963407u;
    uint64_t i = (random >> 33) % n;
    same(vw_state_after(t, from + i), told[i]);
  }
  for (uint64_t i = 0; i < n; i++)
    free(told[i]);
  free(told);
}

static void check(struct vw_trace *t, const char *path)
{
  print_message("# %s\n", path);
  check_range(t, 0, vw_event_count(t));
}

static void stepping_back_gives_the_states_of_a_fresh_replay(void **state)
{
  (void)state;
  assert_true(model_for_each(check) >= 5);
}

/* Over two checkpoints, where the cursor, the points and the fine points between them all take part. */
static void the_same_holds_across_checkpoints(void **state)
{
  (void)state;
  struct vw_trace *t = synthetic_valid(3, 40000);
  assert_non_null(t);
  check_range(t, 16384 - 300, 600);
  check_range(t, vw_event_count(t) - 50, 50);
  check_range(t, 0, 50);
  check_range(t, 24576 + 4000, 100);
  vw_trace_free(t);
}

static void the_state_before_the_first_event_is_empty(void **state)
{
  (void)state;
  struct vw_trace *t = model_open("two-ms.trace");
  const struct trace_world *world = trace_replay_world(vw_state_before(t, 0));
  assert_int_equal(world->n_events, 0);
  assert_int_equal(world->n_gs, 0);
  vw_trace_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(stepping_back_gives_the_states_of_a_fresh_replay),
    cmocka_unit_test(the_same_holds_across_checkpoints),
    cmocka_unit_test(the_state_before_the_first_event_is_empty),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
