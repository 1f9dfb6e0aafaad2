/* SPDX-License-Identifier: MIT */
/* test-mutants.c - a trace in which one thing is wrong is not taken for a right one.
 *
 * Demos are simulated, so their traces are the same each time; each is changed in one place (mutants.h), and the replay
 * must find that some rule is broken. What it cannot find, by nature, stands in mutants-legal.def, and nowhere else: the
 * test fails when a rule is lost.
 *
 * Only some mutants are tried, about so many of each trace, else it would take a minute. GMPSCOPE_MUTANTS=all tries
 * all, and says what survived, by kind, field and change, how often, with the first place of each.
 */
#include "test.h"

#include "fixture.h"
#include "mutants-legal.h"
#include "run-cli.h"
#include "trace-replay.h"

#include <stdlib.h>
#include <string.h>

#define TRIES 6000 /* of each trace */

static const struct {
  const char *name, *form, *procs;
} demos[] = {
  { "sleep-defer", "busy", "4" },
  { "sleep-defer", "locked", "4" },
  { "defer-list", NULL, "4" },
  { "defer-kinds", NULL, "2" },
  { "panic-recover", NULL, "4" },
  { "panic-recover", "nested", "4" },
  { "panic-recover", "goexit", "4" },
  { "nested-panic", NULL, "1" },
  { "m-idle", NULL, "4" },
  { "syscall-gc", "short", "4" },
  { "deferred-sleep", "reached", "4" },
  { "timer-defer", NULL, "4" },
  { "timer-heap", NULL, "4" },
  { "steal", NULL, "8" },
  { "defer-pool", NULL, "4" },
};

struct tally {
  const char *demo;
  uint64_t n[TRACE_KIND_LIMIT][MUTATION_LIMIT][MUTANT_FIELDS];
  uint64_t n_legal, n_unseen;
};

static bool tries_all(void)
{
  const char *how = getenv("GMPSCOPE_MUTANTS");
  return how && strcmp(how, "all") == 0;
}

static void tell(const struct tally *t, const struct trace_event *events,
                 const struct mutant *mutant)
{
  uint16_t kind = events[mutant->at].kind;
  const char *field = mutant->mutation < MUTATION_UP ? "" : mutants_field(kind, mutant->field);
  char *text = fixture_print(&events[mutant->at], 1);
  print_error("%s, event %zu: %s %s %s, and no rule is broken\n%s", t->demo, mutant->at + 1,
              trace_specs[kind].name, field, mutants_verb(mutant->mutation), text);
  free(text);
}

static void survivor(const struct trace_event *events, size_t n, const struct mutant *mutant,
                     void *arg)
{
  struct tally *t = arg;
  if (mutants_legal(events, n, mutant)) {
    t->n_legal++;
    return;
  }
  int field = mutant->mutation < MUTATION_UP ? 0 : mutant->field;
  if (t->n[events[mutant->at].kind][mutant->mutation][field]++ == 0)
    tell(t, events, mutant);
  t->n_unseen++;
}

/* What the simulation chose is no part of the story, and moves nothing but the numbers. */
static void drop_choices(struct fixture *f)
{
  static uint64_t dropped[1000]; /* by M */
  size_t n = 0;
  memset(dropped, 0, sizeof dropped);
  for (size_t i = 0; i < f->n; i++) {
    struct trace_event e = f->events[i];
    assert_in_range(e.m, 0, 999);
    if (e.kind == TRACE_CHOICE) {
      dropped[e.m]++;
      continue;
    }
    e.seq -= dropped[e.m];
    f->events[n++] = e;
  }
  f->n = n;
}

static void keeps_every_rule(const struct fixture *f, const char *demo)
{
  struct trace_replay *r = trace_replay_new();
  bool ok = true;
  for (size_t i = 0; ok && i < f->n; i++)
    ok = trace_replay_apply(r, &f->events[i]);
  if (!ok || !trace_replay_finish(r, true))
    fail_msg("%s breaks %s: %s", demo, trace_rule_name(trace_replay_breach(r)->rule),
             trace_replay_breach(r)->sentence);
  trace_replay_free(r);
}

static void simulate(size_t d, struct fixture *f)
{
  char demo[64];
  struct trace_text_error error;
  snprintf(demo, sizeof demo, "runtime/demos/demo-%s", demos[d].name);
  setenv("GOMAXPROCS", demos[d].procs, 1);
  struct run run = run_cli("record", "-q", "--sim", "7", "-o", "a.db", "--", run_built(demo),
                           demos[d].form, NULL);
  run_free(&run); /* a fatal panic ends with 2 */
  run = run_cli("dump", "a.db", NULL);
  assert_int_equal(run.code, 0);
  f->text = strdup(run.out);
  f->length = run.n_out;
  if (!fixture_parse(f, &error))
    fail_msg("%s:%u: %s", demo, error.line, error.sentence);
  run_free(&run);
  drop_choices(f);
  assert_true(f->n > 40);
  keeps_every_rule(f, demo);
}

static void what_is_changed_breaks_a_rule_or_is_legal(void **state)
{
  (void)state;
  static struct tally tally;
  struct mutants_count sum = { 0 };
  for (size_t d = 0; d < sizeof demos / sizeof demos[0]; d++) {
    struct fixture f = { 0 };
    simulate(d, &f);
    tally.demo = demos[d].name;
    uint32_t one_in = tries_all() ? 1 : (uint32_t)(f.n * 15 / TRIES + 1);
    struct mutants_count count = mutants_try(f.events, f.n, one_in, d, survivor, &tally);
    sum.tried += count.tried;
    sum.survived += count.survived;
    fixture_clear(&f);
  }
  print_message("# %lu mutants: %lu break a rule, %lu are legal, %lu are not seen\n",
                (unsigned long)sum.tried, (unsigned long)(sum.tried - sum.survived),
                (unsigned long)tally.n_legal, (unsigned long)tally.n_unseen);
  assert_true(sum.tried > 20000);
  assert_int_equal(tally.n_unseen, 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_changed_breaks_a_rule_or_is_legal),
  };
  return cmocka_run_group_tests(tests, run_set_up, run_tear_down);
}
