/* SPDX-License-Identifier: MIT */
/* stress-life.c - crews of Gs that begin and end in many ways: panics, Goexit, trees, deep stacks, threads of
 * their own, and loops that only a signal stops. */
#include "stress.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- panics: every deferred call runs exactly once, whatever happens ---- */

struct story {
  struct team *team;
  struct dice dice;
  int deferred, run; /* calls */
};

static void count_run(void *arg)
{
  struct story *s = arg;
  s->run++;
  if (roll_once_in(&s->dice, 6))
    give_way(&s->dice);
}

static void count_run_and_recover(void *arg)
{
  ((struct story *)arg)->run++;
  rt_recover(NULL);
}

static void count_run_and_panic(void *arg)
{
  ((struct story *)arg)->run++;
  rt_panic("in a deferred call");
}

static void descend(struct story *s, int depth)
{
  RT_FRAME(fr, { return; });
  s->deferred++;
  if (roll_once_in(&s->dice, 3))
    RT_DEFER(fr, count_run_and_recover, s);
  else
    RT_DEFER(fr, count_run, s);
  for (int i = roll_between(&s->dice, -2, 5); i > 0; i--) {
    s->deferred++;
    RT_DEFER_LOOP(fr, count_run, s);
  }
  if (roll_once_in(&s->dice, 8)) {
    s->deferred++;
    RT_DEFER(fr, count_run_and_panic, s);
  }
  give_way(&s->dice);
  if (depth > 0)
    descend(s, depth - 1);
  else if (roll_once_in(&s->dice, 2))
    rt_panic("at the bottom");
  else if (roll_once_in(&s->dice, 10))
    rt_goexit();
}

static void end_story(void *arg)
{
  struct story *s = arg;
  rt_recover(NULL);
  MUST(s->deferred == s->run);
  team_done(s->team);
}

static void tell_story(void *arg)
{
  struct story *s = arg;
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, end_story, s);
  descend(s, roll_between(&s->dice, 0, 8));
}

void crew_panics(struct dice *d)
{
  int n = roll_between(d, 1, 200);
  struct story *stories = need((size_t)n * sizeof *stories);
  struct team team = { 0 };
  for (int i = 0; i < n; i++) {
    stories[i] = (struct story){ .team = &team, .dice = { roll(d) } };
    team_start(&team, tell_story, &stories[i]);
  }
  team_wait(&team);
  free(stories);
}

/* ---- tree: each G starts more ---- */

struct branch {
  struct team *parent;
  struct dice dice;
  int depth;
  _Atomic int64_t *leaves;
};

static void grow(void *arg)
{
  struct branch *b = arg;
  enum {
    FAN = 4
  };
  struct branch children[FAN];
  struct team team = { 0 };
  if (b->depth == 0) {
    give_way(&b->dice);
    atomic_fetch_add(b->leaves, 1);
  }
  for (int i = 0; b->depth > 0 && i < FAN; i++) {
    children[i] = (struct branch){ &team, { roll(&b->dice) }, b->depth - 1, b->leaves };
    team_start(&team, grow, &children[i]);
  }
  team_wait(&team);
  team_done(b->parent);
}

void crew_tree(struct dice *d)
{
  _Atomic int64_t leaves = 0;
  struct team team = { 0 };
  struct branch root = { &team, { roll(d) }, roll_between(d, 1, 6), &leaves };
  int64_t expected = 1;
  for (int i = 0; i < root.depth; i++)
    expected *= 4;
  team_start(&team, grow, &root);
  team_wait(&team);
  MUST(leaves == expected);
}

/* ---- deep: stacks used to near their end hold what was put on them ---- */

struct diver {
  struct team *team;
  struct dice dice;
};

static __attribute__((noinline)) uint64_t dive(struct dice *d, int depth)
{
  volatile uint64_t mine[32];
  uint64_t mark = roll(d);
  for (int i = 0; i < 32; i++)
    mine[i] = mark + (uint64_t)i;
  if (roll_once_in(d, 10))
    give_way(d);
  uint64_t below = depth > 0 ? dive(d, depth - 1) : 0;
  for (int i = 0; i < 32; i++)
    MUST(mine[i] == mark + (uint64_t)i);
  return below + 1;
}

static void dive_often(void *arg)
{
  struct diver *diver = arg;
  for (int i = 0; i < 5; i++) {
    int depth = roll_between(&diver->dice, 0, 60);
    MUST(dive(&diver->dice, depth) == (uint64_t)depth + 1);
  }
  team_done(diver->team);
}

void crew_deep(struct dice *d)
{
  int n = roll_between(d, 1, 60);
  struct diver *divers = need((size_t)n * sizeof *divers);
  struct team team = { 0 };
  for (int i = 0; i < n; i++) {
    divers[i] = (struct diver){ &team, { roll(d) } };
    team_start(&team, dive_often, &divers[i]);
  }
  team_wait(&team);
  free(divers);
}

/* ---- locked: a G that is wired to its thread never sees another ---- */

static void stay_on_thread(void *arg)
{
  struct diver *me = arg;
  int nested = roll_between(&me->dice, 1, 3);
  for (int i = 0; i < nested; i++)
    rt_lock_os_thread();
  pid_t mine = gettid();
  for (int i = 0; i < 30; i++) {
    give_way(&me->dice);
    MUST(gettid() == mine);
    if (nested > 1 && roll_once_in(&me->dice, 10))
      rt_unlock_os_thread(), nested--;
  }
  while (nested > 0 && roll_once_in(&me->dice, 2))
    rt_unlock_os_thread(), nested--;
  team_done(me->team); /* some end locked: their thread ends too */
}

void crew_locked(struct dice *d)
{
  int n = roll_between(d, 1, 10);
  struct diver *members = need((size_t)n * sizeof *members);
  struct team team = { 0 };
  for (int i = 0; i < n; i++) {
    members[i] = (struct diver){ &team, { roll(d) } };
    team_start(&team, stay_on_thread, &members[i]);
  }
  team_wait(&team);
  free(members);
}

/* ---- spinners: stopped at any instruction, they compute the same ---- */

static RT_PREEMPTIBLE double spin(uint64_t x, int rounds)
{
  double sum = 0;
  for (int i = 0; i < rounds; i++) {
    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    sum += (double)(x >> 40) / 3.0;
  }
  return sum;
}

static void spin_twice(void *arg)
{
  struct diver *me = arg;
  uint64_t x = roll(&me->dice) | 1;
  int rounds = roll_between(&me->dice, 100000, 8000000), mark = roll_between(&me->dice, 1, 100);
  errno = mark;
  double first = spin(x, rounds), second = spin(x, rounds);
  MUST(errno == mark);
  MUST(first == second);
  team_done(me->team);
}

void crew_spinners(struct dice *d)
{
  int n = roll_between(d, 1, 8);
  struct diver *members = need((size_t)n * sizeof *members);
  struct team team = { 0 };
  for (int i = 0; i < n; i++) {
    members[i] = (struct diver){ &team, { roll(d) } };
    team_start(&team, spin_twice, &members[i]);
  }
  team_wait(&team);
  free(members);
}
