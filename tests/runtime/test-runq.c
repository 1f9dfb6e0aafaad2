/* SPDX-License-Identifier: MIT */
/* test-runq.c - the run queues by themselves: order, overflow, batches, stealing, and two threads at once. */
#include "inside.h"

#include <pthread.h>

static struct m m;

static int begin(void **state)
{
  *state = inside(&m, 4);
  return 0;
}
static int end(void **state)
{
  (void)state;
  outside(4);
  return 0;
}

static uint64_t get(struct p *pp, bool *inherit)
{
  const struct g *gp = runqget(&m, pp, inherit);
  return gp ? gp->goid : 0;
}

static void a_ring_is_first_in_first_out(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(300);
  bool inherit = true;
  for (int round = 0; round < 5; round++) { /* round the ring's end, too */
    for (int i = 0; i < 200; i++)
      runqput(&m, allp[0], &gs[i], false);
    assert_int_equal(runqlen(allp[0]), 200);
    for (uint64_t i = 1; i <= 200; i++)
      assert_int_equal(get(allp[0], &inherit), i);
    assert_false(inherit);
    assert_true(runqempty(allp[0]));
  }
  assert_null(runqget(&m, allp[0], &inherit));
  free(gs);
}

static void runnext_is_first_inherits_and_kicks_to_the_tail(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(3);
  bool inherit;
  runqput(&m, allp[0], &gs[0], false);
  runqput(&m, allp[0], &gs[1], true);
  runqput(&m, allp[0], &gs[2], true);
  assert_false(runqempty(allp[0]));
  assert_int_equal(get(allp[0], &inherit), 3);
  assert_true(inherit);
  assert_int_equal(get(allp[0], &inherit), 1);
  assert_false(inherit);
  assert_int_equal(get(allp[0], &inherit), 2);
  free(gs);
}

static void a_full_ring_sends_half_and_the_new_one_to_the_global_queue(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(257);
  for (int i = 0; i < 257; i++)
    runqput(&m, allp[0], &gs[i], false);
  assert_int_equal(runqlen(allp[0]), 128);
  assert_int_equal(sched.runq.size, 129);
  for (uint64_t i = 1; i <= 128; i++)
    assert_int_equal(gqueue_pop(&sched.runq)->goid, i);
  assert_int_equal(gqueue_pop(&sched.runq)->goid, 257);
  free(gs);
}

static void a_batch_is_this_ps_share_of_the_global_queue(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(1000);
  for (int i = 0; i < 40; i++)
    globrunqput(&m, &gs[i]);
  assert_int_equal(globrunqgetbatch(&m, allp[0])->goid, 1);
  assert_int_equal(runqlen(allp[0]), 10); /* 40 / 4 + 1 */
  assert_int_equal(sched.runq.size, 29);
  for (int i = 40; i < 1000; i++)
    globrunqput(&m, &gs[i]);
  assert_int_equal(globrunqgetbatch(&m, allp[1])->goid, 12);
  assert_int_equal(runqlen(allp[1]), 127); /* half a ring at most */
  free(gs);
}

static void a_thief_takes_half_rounded_up_and_runs_the_last(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(7);
  bool inherit;
  for (int i = 0; i < 7; i++)
    runqput(&m, allp[1], &gs[i], false);
  assert_int_equal(runqsteal(&m, allp[0], allp[1], false)->goid, 4);
  assert_int_equal(runqlen(allp[0]), 3);
  assert_int_equal(runqlen(allp[1]), 3);
  assert_int_equal(get(allp[0], &inherit), 1);
  assert_int_equal(get(allp[1], &inherit), 5);
  free(gs);
}

static void runnext_is_stolen_only_when_asked_and_last(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(2);
  runqput(&m, allp[1], &gs[0], true);
  assert_null(runqsteal(&m, allp[0], allp[1], false));
  assert_int_equal(runqsteal(&m, allp[0], allp[1], true)->goid, 1);
  assert_null(runqsteal(&m, allp[0], allp[1], true));
  free(gs);
}

static void a_p_that_goes_away_leaves_its_gs_at_the_head_runnext_first(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(4);
  globrunqput(&m, &gs[3]);
  runqput(&m, allp[1], &gs[0], false);
  runqput(&m, allp[1], &gs[1], false);
  runqput(&m, allp[1], &gs[2], true);
  runqdrain(&m, allp[1]);
  static const uint64_t expected[] = { 3, 1, 2, 4 };
  for (size_t i = 0; i < nelem(expected); i++)
    assert_int_equal(gqueue_pop(&sched.runq)->goid, expected[i]);
  assert_true(runqempty(allp[1]));
  free(gs);
}

/* ---- an owner and three thieves ---- */

#define MANY 200000
static _Atomic unsigned char seen[MANY + 1];
static _Atomic bool over;
static _Atomic long n_seen;

static void saw(const struct g *gp)
{
  assert_int_equal(atomic_fetch_add(&seen[gp->goid], 1), 0);
  atomic_fetch_add(&n_seen, 1);
}

static void *thieve(void *id)
{
  struct m mine = { .rand = 1 };
  struct p *pp = allp[(intptr_t)id];
  bool inherit;
  while (!atomic_load(&over)) {
    struct g *gp = runqsteal(&mine, pp, allp[0], true);
    for (; gp; gp = runqget(&mine, pp, &inherit))
      saw(gp);
  }
  return NULL;
}

static void every_g_is_taken_once_whoever_takes_it(void **state)
{
  (void)state;
  struct g *gs = runnable_gs(MANY);
  pthread_t thieves[3];
  bool inherit;
  for (intptr_t i = 0; i < 3; i++)
    assert_int_equal(pthread_create(&thieves[i], NULL, thieve, (void *)(i + 1)), 0);
  for (int i = 0; i < MANY; i++) {
    runqput(&m, allp[0], &gs[i], i % 3 == 0);
    const struct g *gp = i % 4 == 0 ? runqget(&m, allp[0], &inherit) : NULL;
    if (gp)
      saw(gp);
  }
  for (const struct g *gp; (gp = runqget(&m, allp[0], &inherit));)
    saw(gp);
  atomic_store(&over, true);
  for (int i = 0; i < 3; i++)
    pthread_join(thieves[i], NULL);
  assert_int_equal(n_seen + sched.runq.size, MANY);
  free(gs);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_ring_is_first_in_first_out, begin, end),
    cmocka_unit_test_setup_teardown(runnext_is_first_inherits_and_kicks_to_the_tail, begin, end),
    cmocka_unit_test_setup_teardown(a_full_ring_sends_half_and_the_new_one_to_the_global_queue,
                                    begin, end),
    cmocka_unit_test_setup_teardown(a_batch_is_this_ps_share_of_the_global_queue, begin, end),
    cmocka_unit_test_setup_teardown(a_thief_takes_half_rounded_up_and_runs_the_last, begin, end),
    cmocka_unit_test_setup_teardown(runnext_is_stolen_only_when_asked_and_last, begin, end),
    cmocka_unit_test_setup_teardown(a_p_that_goes_away_leaves_its_gs_at_the_head_runnext_first,
                                    begin, end),
    cmocka_unit_test_setup_teardown(every_g_is_taken_once_whoever_takes_it, begin, end),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
