/* SPDX-License-Identifier: MIT */
/* stress-sync.c - crews of locks: what a lock guards is plain memory, so that the thread sanitizer sees a lock
 * that does not order, and a sum shows one that does not exclude. */
#include "stress.h"

#include <stdlib.h>

struct shared {
  struct team team;
  struct rt_mutex mutex;
  struct rt_rwmutex rw;
  struct rt_cond not_full, not_empty;
  struct rt_sem sem;
  struct rt_once once;
  int64_t a, b; /* equal, for who may look */
  int n_items, room;
  int64_t put_in, taken_out;
  int left_to_take;
  _Atomic int inside;
  int limit;
};

struct worker {
  struct shared *shared;
  struct dice dice;
  int times;
};

/* n Gs that run fn as workers of s, each so many times. */
static void work(struct dice *d, struct shared *s, int n, int times, void (*fn)(void *))
{
  struct worker *workers = need((size_t)n * sizeof *workers);
  for (int i = 0; i < n; i++) {
    workers[i] = (struct worker){ s, { roll(d) }, times };
    team_start(&s->team, fn, &workers[i]);
  }
  team_wait(&s->team);
  free(workers);
}

static void lock_and_add(void *arg)
{
  struct worker *w = arg;
  struct shared *s = w->shared;
  for (int i = 0; i < w->times; i++) {
    if (!roll_once_in(&w->dice, 4) || !rt_mutex_try_lock(&s->mutex))
      rt_mutex_lock(&s->mutex);
    int64_t before = s->a;
    if (roll_once_in(&w->dice, 30))
      give_way(&w->dice);
    s->a = before + 1;
    rt_mutex_unlock(&s->mutex);
  }
  team_done(&s->team);
}

void crew_mutex(struct dice *d)
{
  struct shared s = { 0 };
  int n = roll_between(d, 1, 40), times = roll_between(d, 1, 400);
  work(d, &s, n, times, lock_and_add);
  MUST(s.a == (int64_t)n * times);
}

static void read_or_write(void *arg)
{
  struct worker *w = arg;
  struct shared *s = w->shared;
  for (int i = 0; i < w->times; i++) {
    if (!roll_once_in(&w->dice, 5)) {
      rt_rwmutex_rlock(&s->rw);
      MUST(s->a == s->b);
      if (roll_once_in(&w->dice, 30))
        give_way(&w->dice);
      MUST(s->a == s->b);
      rt_rwmutex_runlock(&s->rw);
      continue;
    }
    rt_rwmutex_lock(&s->rw);
    s->a++;
    if (roll_once_in(&w->dice, 10))
      give_way(&w->dice);
    s->b++;
    rt_rwmutex_unlock(&s->rw);
  }
  team_done(&s->team);
}

void crew_rwmutex(struct dice *d)
{
  struct shared s = { 0 };
  work(d, &s, roll_between(d, 2, 30), roll_between(d, 1, 200), read_or_write);
  MUST(s.a == s.b);
}

static void put_items(void *arg)
{
  struct worker *w = arg;
  struct shared *s = w->shared;
  for (int i = 0; i < w->times; i++) {
    rt_mutex_lock(&s->mutex);
    while (s->n_items == s->room)
      rt_cond_wait(&s->not_full);
    s->n_items++;
    s->put_in++;
    roll_once_in(&w->dice, 4) ? rt_cond_broadcast(&s->not_empty) : rt_cond_signal(&s->not_empty);
    rt_mutex_unlock(&s->mutex);
  }
  team_done(&s->team);
}

static void take_items(void *arg)
{
  struct worker *w = arg;
  struct shared *s = w->shared;
  for (int i = 0; i < w->times; i++) {
    rt_mutex_lock(&s->mutex);
    while (s->n_items == 0)
      rt_cond_wait(&s->not_empty);
    s->n_items--;
    s->taken_out++;
    roll_once_in(&w->dice, 4) ? rt_cond_broadcast(&s->not_full) : rt_cond_signal(&s->not_full);
    rt_mutex_unlock(&s->mutex);
    if (roll_once_in(&w->dice, 30))
      give_way(&w->dice);
  }
  team_done(&s->team);
}

void crew_cond(struct dice *d)
{
  struct shared s = { .room = roll_between(d, 1, 5) };
  int n = roll_between(d, 1, 15), times = roll_between(d, 1, 200);
  struct worker *takers = need((size_t)n * sizeof *takers);
  rt_cond_init(&s.not_full, &s.mutex);
  rt_cond_init(&s.not_empty, &s.mutex);
  for (int i = 0; i < n; i++) {
    takers[i] = (struct worker){ &s, { roll(d) }, times };
    team_start(&s.team, take_items, &takers[i]);
  }
  work(d, &s, n, times, put_items);
  MUST(s.n_items == 0 && s.put_in == s.taken_out && s.put_in == (int64_t)n * times);
  free(takers);
}

static void enter_and_leave(void *arg)
{
  struct worker *w = arg;
  struct shared *s = w->shared;
  for (int i = 0; i < w->times; i++) {
    if (!roll_once_in(&w->dice, 4) || !rt_sem_try_acquire(&s->sem))
      rt_sem_acquire(&s->sem);
    MUST(atomic_fetch_add(&s->inside, 1) < s->limit);
    if (roll_once_in(&w->dice, 10))
      give_way(&w->dice);
    atomic_fetch_sub(&s->inside, 1);
    rt_sem_release(&s->sem);
  }
  team_done(&s->team);
}

void crew_sem(struct dice *d)
{
  struct shared s = { .limit = roll_between(d, 1, 6) };
  rt_sem_init(&s.sem, (uint32_t)s.limit);
  work(d, &s, roll_between(d, 2, 30), roll_between(d, 1, 200), enter_and_leave);
  MUST(s.inside == 0);
}

static void once_only(void *arg)
{
  struct worker *w = arg;
  w->shared->a++;
  give_way(&w->dice);
  if (roll_once_in(&w->dice, 2))
    rt_panic("in once");
  w->shared->a++;
  w->shared->a--;
}

static void forgive(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}

static void try_once(struct worker *w)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, forgive, NULL);
  rt_once_do(&w->shared->once, once_only, w);
}

static void do_once(void *arg)
{
  struct worker *w = arg;
  for (int i = 0; i < w->times; i++) {
    try_once(w);
    MUST(w->shared->a == 1);
  }
  team_done(&w->shared->team);
}

void crew_once(struct dice *d)
{
  for (int i = 0; i < 20; i++) {
    struct shared s = { 0 };
    work(d, &s, roll_between(d, 1, 10), 3, do_once);
    MUST(s.a == 1);
  }
}
