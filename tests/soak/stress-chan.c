/* SPDX-License-Identifier: MIT */
/* stress-chan.c - crews of channels, select and timers. */
#include "stress.h"

#include <stdlib.h>

/* ---- ring: a token goes round, each adds one ---- */

struct station {
  struct team *team;
  struct rt_chan *in, *out;
  struct dice dice;
  int rounds;
};

static void pass_on(void *arg)
{
  struct station *s = arg;
  int64_t token;
  for (int i = 0; i < s->rounds; i++) {
    MUST(rt_chan_recv(s->in, &token));
    token++;
    if (roll_once_in(&s->dice, 50))
      give_way(&s->dice);
    rt_chan_send(s->out, &token);
  }
  team_done(s->team);
}

void crew_ring(struct dice *d)
{
  int n = roll_between(d, 2, 60), rounds = roll_between(d, 1, 200);
  struct rt_chan **chans = need((size_t)n * sizeof(*chans));
  struct station *stations = need((size_t)n * sizeof *stations);
  struct team team = { 0 };
  for (int i = 0; i < n; i++)
    chans[i] = rt_chan_new(sizeof(int64_t), (size_t)roll_between(d, i == 0, 3));
  for (int i = 0; i < n; i++) {
    stations[i] = (struct station){ &team, chans[i], chans[(i + 1) % n], { roll(d) }, rounds };
    team_start(&team, pass_on, &stations[i]);
  }
  int64_t token = 0;
  rt_chan_send(chans[0], &token);
  team_wait(&team);
  MUST(rt_chan_recv(chans[0], &token) && token == (int64_t)n * rounds);
  for (int i = 0; i < n; i++)
    rt_chan_free(chans[i]);
  free(chans);
  free(stations);
}

/* ---- mesh: producers and consumers select over the same channels; nothing is lost or doubled ---- */

#define MESH 6

struct mesh {
  struct team producers, consumers;
  struct rt_chan *chans[MESH];
  int n_chans;
  _Atomic int64_t sent, received, n_sent, n_received;
};

struct member {
  struct mesh *mesh;
  struct dice dice;
  int items;
};

static void produce(void *arg)
{
  struct member *m = arg;
  struct mesh *mesh = m->mesh;
  for (int i = 0; i < m->items; i++) {
    int64_t value = (int64_t)(roll(&m->dice) >> 20);
    struct rt_case cases[MESH];
    int n = roll_between(&m->dice, 1, mesh->n_chans), first = (int)(roll(&m->dice) % MESH);
    for (int k = 0; k < n; k++)
      cases[k] = (struct rt_case){ .chan = mesh->chans[(first + k) % mesh->n_chans],
                                   .dir = RT_SEND,
                                   .elem = &value };
    if (!roll_once_in(&m->dice, 3) || rt_select_default(cases, n) < 0)
      rt_select(cases, n);
    atomic_fetch_add(&mesh->sent, value);
    atomic_fetch_add(&mesh->n_sent, 1);
    if (roll_once_in(&m->dice, 20))
      give_way(&m->dice);
  }
  team_done(&mesh->producers);
}

static void consume(void *arg)
{
  struct member *m = arg;
  struct mesh *mesh = m->mesh;
  int64_t values[MESH];
  struct rt_case cases[MESH];
  for (int k = 0; k < mesh->n_chans; k++)
    cases[k] = (struct rt_case){ .chan = mesh->chans[k], .dir = RT_RECV, .elem = &values[k] };
  for (int open = mesh->n_chans; open > 0;) {
    int k = rt_select(cases, mesh->n_chans);
    if (!cases[k].open) {
      MUST(values[k] == 0);
      cases[k].chan = NULL;
      open--;
      continue;
    }
    atomic_fetch_add(&mesh->received, values[k]);
    atomic_fetch_add(&mesh->n_received, 1);
    if (roll_once_in(&m->dice, 20))
      give_way(&m->dice);
  }
  team_done(&mesh->consumers);
}

void crew_mesh(struct dice *d)
{
  int n_producers = roll_between(d, 1, 20), n_consumers = roll_between(d, 1, 20);
  struct member *members = need((size_t)(n_producers + n_consumers) * sizeof *members);
  struct mesh mesh = { .n_chans = roll_between(d, 1, MESH) };
  for (int i = 0; i < mesh.n_chans; i++)
    mesh.chans[i] = rt_chan_new(sizeof(int64_t), (size_t)roll_between(d, 0, 4));
  for (int i = 0; i < n_producers + n_consumers; i++) {
    members[i] = (struct member){ &mesh, { roll(d) }, roll_between(d, 1, 300) };
    bool is_producer = i < n_producers;
    team_start(is_producer ? &mesh.producers : &mesh.consumers, is_producer ? produce : consume,
               &members[i]);
  }
  team_wait(&mesh.producers);
  for (int i = 0; i < mesh.n_chans; i++)
    rt_chan_close(mesh.chans[i]);
  team_wait(&mesh.consumers);
  MUST(mesh.n_sent == mesh.n_received);
  MUST(mesh.sent == mesh.received);
  for (int i = 0; i < mesh.n_chans; i++)
    rt_chan_free(mesh.chans[i]);
  free(members);
}

/* ---- timeouts: select between a channel and rt_after ---- */

struct waiter {
  struct team *team;
  struct dice dice;
};

static void wait_a_while(void *arg)
{
  struct waiter *w = arg;
  struct rt_chan *never = rt_chan_new(1, 0);
  for (int i = 0; i < 20; i++) {
    int64_t ns = roll_between(&w->dice, 1, 1000000), before = rt_now(), then = 0;
    struct rt_chan *after = rt_after(ns);
    struct rt_case cases[] = { { .chan = never, .dir = RT_RECV },
                               { .chan = after, .dir = RT_RECV, .elem = &then } };
    if (!roll_once_in(&w->dice, 4)) {
      MUST(rt_select(cases, 2) == 1 && cases[1].open);
      MUST(rt_now() - before >= ns && then >= before + ns);
    }
    rt_chan_free(after);
  }
  rt_chan_free(never);
  team_done(w->team);
}

void crew_timeouts(struct dice *d)
{
  int n = roll_between(d, 1, 50);
  struct waiter *waiters = need((size_t)n * sizeof *waiters);
  struct team team = { 0 };
  for (int i = 0; i < n; i++) {
    waiters[i] = (struct waiter){ &team, { roll(d) } };
    team_start(&team, wait_a_while, &waiters[i]);
  }
  team_wait(&team);
  free(waiters);
}

void crew_tickers(struct dice *d)
{
  for (int i = 0; i < 10; i++) {
    struct rt_ticker *ticker = rt_ticker_new(roll_between(d, 1000, 300000));
    int64_t then = 0;
    for (int tick = roll_between(d, 0, 5); tick > 0; tick--) {
      MUST(rt_chan_recv(rt_ticker_chan(ticker), &then) && then > 0);
      give_way(d);
    }
    if (roll_once_in(d, 2))
      rt_ticker_reset(ticker, roll_between(d, 1000, 300000));
    rt_ticker_stop(ticker);
    rt_sleep(roll_between(d, 0, 400000));
    MUST(!rt_chan_try_recv(rt_ticker_chan(ticker), &then, NULL));
    rt_ticker_free(ticker);
  }
}

/* ---- timers: each arming runs once, or was disarmed once ---- */

static void count_up(void *counter)
{
  atomic_fetch_add((_Atomic int64_t *)counter, 1);
}

void crew_timers(struct dice *d)
{
  enum {
    N = 40
  };
  struct rt_timer *timers[N];
  _Atomic int64_t *ran = need(sizeof *ran);
  int64_t armed = N, disarmed = 0;
  for (int i = 0; i < N; i++)
    timers[i] = rt_after_func(roll_between(d, 0, 2000000), count_up, (void *)ran);
  for (int i = roll_between(d, 0, 400); i > 0; i--) {
    struct rt_timer *t = timers[roll(d) % N];
    if (roll_once_in(d, 2)) {
      disarmed += rt_timer_stop(t);
    } else {
      disarmed += rt_timer_reset(t, roll_between(d, 0, 2000000));
      armed++;
    }
    give_way(d);
  }
  while (atomic_load(ran) < armed - disarmed)
    rt_sleep(100000);
  for (int i = 0; i < N; i++) {
    MUST(!rt_timer_stop(timers[i]));
    rt_timer_free(timers[i]);
  }
  MUST(atomic_load(ran) == armed - disarmed);
  free((void *)ran);
}
