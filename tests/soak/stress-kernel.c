/* SPDX-License-Identifier: MIT */
/* stress-kernel.c - crews that go into the kernel, use the poller, change the number of Ps, and stop the world. */
#include "stress.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct member {
  struct team *team;
  struct dice dice;
  int fd;
};

static void start_members(struct dice *d, struct team *team, int n, int fd, void (*fn)(void *))
{
  struct member *members = need((size_t)n * sizeof *members);
  for (int i = 0; i < n; i++) {
    members[i] = (struct member){ team, { roll(d) }, fd };
    team_start(team, fn, &members[i]);
  }
  team_wait(team);
  free(members);
}

/* ---- calls: short ones, and some that cost the P ---- */

static void call_often(void *arg)
{
  struct member *me = arg;
  for (int i = 0; i < 100; i++) {
    rt_entersyscall();
    usleep((useconds_t)(roll_once_in(&me->dice, 20) ? roll_between(&me->dice, 0, 3000) : 0));
    rt_exitsyscall();
    if (roll_once_in(&me->dice, 5))
      give_way(&me->dice);
  }
  team_done(me->team);
}

void crew_calls(struct dice *d)
{
  struct team team = { 0 };
  start_members(d, &team, roll_between(d, 1, 12), -1, call_often);
}

/* ---- pipes: a G's thread sleeps in read until another G writes ---- */

struct pipe_read {
  int fd;
  char byte;
};

static void *read_byte(void *arg)
{
  struct pipe_read *r = arg;
  return (void *)(intptr_t)read(r->fd, &r->byte, 1);
}

static void read_until_end(void *arg)
{
  struct member *me = arg;
  struct pipe_read r = { me->fd, 0 };
  char expected = 0;
  while (rt_blocking(read_byte, &r) == (void *)1)
    MUST(r.byte == expected++);
  MUST(expected == 50);
  team_done(me->team);
}

void crew_pipes(struct dice *d)
{
  struct team team = { 0 };
  int ends[2];
  MUST(pipe2(ends, O_CLOEXEC) == 0);
  struct member reader = { .team = &team, .fd = ends[0] };
  team_start(&team, read_until_end, &reader);
  for (char i = 0; i < 50; i++) {
    give_way(d);
    MUST(write(ends[1], &i, 1) == 1);
  }
  close(ends[1]);
  team_wait(&team);
  close(ends[0]);
}

/* ---- net: clients and an echo, byte for byte ---- */

#define LARGEST 9000

static void echo(void *arg)
{
  struct member *me = arg;
  char *buf = need(LARGEST);
  for (ssize_t n; (n = rt_read(me->fd, buf, LARGEST, 0)) > 0;)
    MUST(rt_write(me->fd, buf, (size_t)n, 0) == n);
  MUST(rt_close(me->fd) == 0);
  free(buf);
  team_done(me->team);
}

static int dial_local(int listener)
{
  struct sockaddr_in at = { 0 };
  socklen_t n = sizeof at;
  char text[32];
  MUST(getsockname(listener, (struct sockaddr *)&at, &n) == 0);
  snprintf(text, sizeof text, "127.0.0.1:%d", ntohs(at.sin_port));
  int fd = rt_dial(text, 0);
  MUST(fd >= 0);
  return fd;
}

static void be_client(void *arg)
{
  struct member *me = arg;
  char *out = need(LARGEST), *in = need(LARGEST);
  int fd = dial_local(me->fd);
  for (int i = roll_between(&me->dice, 1, 20); i > 0; i--) {
    size_t n = (size_t)roll_between(&me->dice, 1, LARGEST), got = 0;
    memset(out, roll_between(&me->dice, 1, 255), n);
    MUST(rt_write(fd, out, n, 0) == (ssize_t)n);
    while (got < n) {
      ssize_t part = rt_read(fd, in + got, n - got, rt_now() + 60000000000);
      MUST(part > 0);
      got += (size_t)part;
    }
    MUST(memcmp(in, out, n) == 0);
    if (roll_once_in(&me->dice, 3))
      give_way(&me->dice);
  }
  MUST(rt_close(fd) == 0);
  free(out);
  free(in);
  team_done(me->team);
}

void crew_net(struct dice *d)
{
  struct team clients = { 0 }, servers = { 0 };
  int listener = rt_listen("127.0.0.1:0"), n = roll_between(d, 1, 12);
  MUST(listener >= 0);
  struct member *members = need(2 * (size_t)n * sizeof *members);
  for (int i = 0; i < n; i++) {
    members[i] = (struct member){ &clients, { roll(d) }, listener };
    team_start(&clients, be_client, &members[i]);
  }
  for (int i = 0; i < n; i++) {
    members[n + i] = (struct member){ &servers, { roll(d) }, rt_accept(listener, 0) };
    MUST(members[n + i].fd >= 0);
    team_start(&servers, echo, &members[n + i]);
  }
  team_wait(&clients);
  team_wait(&servers);
  MUST(rt_close(listener) == 0);
  free(members);
}

/* ---- deadlines: nobody dials, so every accept times out, or learns that the listener was shut ---- */

struct vain {
  struct team timed, untimed;
  int fd;
};

static void accept_until_deadline(void *arg)
{
  struct vain *v = arg;
  struct dice d = { (uint64_t)rt_now() };
  for (int i = 0; i < 5; i++) {
    int64_t ns = roll_between(&d, 1, 2000000), before = rt_now();
    MUST(rt_accept(v->fd, before + ns) == -ETIMEDOUT);
    MUST(rt_now() >= before + ns);
  }
  team_done(&v->timed);
}

static void accept_until_closed(void *arg)
{
  struct vain *v = arg;
  MUST(rt_accept(v->fd, 0) == -EINVAL);
  team_done(&v->untimed);
}

void crew_deadlines(struct dice *d)
{
  struct vain v = { .fd = rt_listen("127.0.0.1:0") };
  MUST(v.fd >= 0);
  for (int i = roll_between(d, 1, 5); i > 0; i--)
    team_start(&v.timed, accept_until_deadline, &v);
  if (roll_once_in(d, 2))
    team_wait(&v.timed);
  for (int i = roll_between(d, 1, 3); i > 0; i--)
    team_start(&v.untimed, accept_until_closed, &v);
  team_wait(&v.timed);
  give_way(d);
  MUST(shutdown(v.fd, SHUT_RD) == 0); /* a close would free the number for others, too early */
  team_wait(&v.untimed);
  MUST(rt_close(v.fd) == 0);
}

/* ---- procs, world, scans ---- */

void crew_procs(struct dice *d)
{
  for (int i = roll_between(d, 1, 20); i > 0; i--) {
    rt_gomaxprocs(roll_between(d, 1, 8));
    rt_sleep(roll_between(d, 0, 2000000));
  }
}

struct clock {
  struct team team;
  _Atomic bool over;
  _Atomic int64_t ticks;
};

static void tick(void *arg)
{
  struct clock *c = arg;
  while (!atomic_load(&c->over)) {
    atomic_fetch_add(&c->ticks, 1);
    rt_safepoint();
    if (atomic_load(&c->ticks) % 64 == 0)
      rt_yield();
  }
  team_done(&c->team);
}

void crew_world(struct dice *d)
{
  struct clock c = { 0 };
  for (int i = roll_between(d, 1, 4); i > 0; i--)
    team_start(&c.team, tick, &c);
  for (int i = roll_between(d, 1, 30); i > 0; i--) {
    rt_stop_the_world("stress");
    int64_t before = atomic_load(&c.ticks);
    for (volatile int k = 0; k < 20000; k++)
      ;
    MUST(atomic_load(&c.ticks) == before);
    rt_start_the_world();
    give_way(d);
  }
  atomic_store(&c.over, true);
  team_wait(&c.team);
}

struct census {
  uint64_t me;
  uint64_t seen[4096]; /* goids modulo */
  int n, n_me;
  bool sound;
  const void *mark;
};

static void visit(uint64_t goid, const void *lo, const void *hi, void *arg)
{
  struct census *c = arg;
  c->n++;
  c->sound = c->sound && lo < hi && goid != 0;
  for (uint64_t k = goid % 4096, i = 0; i < 4096; i++, k = (k + 1) % 4096) {
    if (c->seen[k] == goid)
      c->sound = false; /* twice */
    if (c->seen[k] == 0 || c->seen[k] == goid) {
      c->seen[k] = goid;
      break;
    }
  }
  if (goid != c->me)
    return;
  c->n_me++;
  c->sound = c->sound && c->mark >= lo && c->mark < hi;
}

void crew_scans(struct dice *d)
{
  struct census *c = need(sizeof *c);
  int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
  MUST(null >= 0);
  for (int i = roll_between(d, 1, 5); i > 0; i--) {
    volatile char mark = 0;
    *c = (struct census){ .me = rt_goid(), .sound = true, .mark = (const void *)&mark };
    rt_scan_stacks(visit, c);
    MUST(c->sound && c->n_me == 1);
    rt_gc();
    rt_stack_dump(null, roll_once_in(d, 2));
    give_way(d);
  }
  close(null);
  free(c);
}
