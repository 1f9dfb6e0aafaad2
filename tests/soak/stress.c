/* SPDX-License-Identifier: MIT */
/* stress.c - everything at once, at random, checked: `stress [--seed N] [--minutes N | --rounds N] [--crew NAME]`.
 *
 * A round is one rt_run with a random number of Ps and of crews (stress.h); the next round follows at once.
 * A thread outside of the runtime watches: a round that takes too long hangs, and its Gs are dumped.
 *
 * Whatever goes wrong, the last line names the seed of the round: `stress --seed N --rounds 1` does it again.
 */
#include "stress.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_CREWS      12
#define ROUND_LIMIT_S  120
#define TELL_EVERY_S   30
#define DEFAULT_ROUNDS 5

static const struct crew {
  const char *name;
  crew_run *run;
} crews[] = {
  { "ring", crew_ring },           { "mesh", crew_mesh },     { "timeouts", crew_timeouts },
  { "tickers", crew_tickers },     { "timers", crew_timers }, { "mutex", crew_mutex },
  { "rwmutex", crew_rwmutex },     { "cond", crew_cond },     { "sem", crew_sem },
  { "once", crew_once },           { "panics", crew_panics }, { "tree", crew_tree },
  { "deep", crew_deep },           { "locked", crew_locked }, { "spinners", crew_spinners },
  { "calls", crew_calls },         { "pipes", crew_pipes },   { "net", crew_net },
  { "deadlines", crew_deadlines }, { "procs", crew_procs },   { "world", crew_world },
  { "scans", crew_scans },
};
#define N_CREWS ((int)(sizeof crews / sizeof *crews))

static struct {
  _Atomic uint64_t seed; /* of the round under way */
  _Atomic uint64_t n_rounds;
  _Atomic int64_t began; /* when the round did, s */
  const char *crew;      /* only this one, or NULL */
} now;

/* ---- words ---- */

uint64_t roll(struct dice *d)
{
  uint64_t z = (d->state += 0x9e3779b97f4a7c15u); /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

int roll_between(struct dice *d, int lo, int hi)
{
  return lo + (int)(roll(d) % (uint64_t)(hi - lo + 1));
}

bool roll_once_in(struct dice *d, int n)
{
  return roll(d) % (uint64_t)n == 0;
}

void *need(size_t n)
{
  void *p = calloc(1, n);
  MUST(p != NULL);
  return p;
}

_Noreturn void broken(const char *what, const char *file, int line)
{
  fprintf(stderr, "stress: %s:%d: this does not hold: %s\nstress: seed %llu\n", file, line, what,
          (unsigned long long)atomic_load(&now.seed));
  kill(getpid(), SIGQUIT); /* the runtime's dump of all Gs, exit code 2 */
  for (;;)
    pause();
}

void team_start(struct team *team, void (*fn)(void *), void *arg)
{
  rt_waitgroup_add(&team->wg, 1);
  MUST(rt_go(fn, arg) == 0);
}

void team_done(void *team)
{
  rt_waitgroup_done(&((struct team *)team)->wg);
}

void team_wait(struct team *team)
{
  rt_waitgroup_wait(&team->wg);
}

static void *doze(void *us)
{
  usleep((useconds_t)(uintptr_t)us);
  return NULL;
}

void give_way(struct dice *d)
{
  switch (roll(d) % 8) {
  case 0:
  case 1:
    rt_yield();
    break;
  case 2:
    rt_sleep(roll_between(d, 0, 200000));
    break;
  case 3:
    rt_blocking(doze, (void *)(uintptr_t)roll_between(d, 0, 50));
    break;
  case 4:
    rt_safepoint();
    break;
  default:
    break;
  }
}

/* ---- a round ---- */

struct job {
  const struct crew *crew;
  struct dice dice;
  struct team *team;
};

static void run_job(void *arg)
{
  struct job *job = arg;
  job->crew->run(&job->dice);
  team_done(job->team);
}

static const struct crew *pick_crew(struct dice *d)
{
  for (int i = 0; now.crew && i < N_CREWS; i++)
    if (strcmp(crews[i].name, now.crew) == 0)
      return &crews[i];
  return &crews[roll(d) % N_CREWS];
}

static void run_round(void *dice)
{
  struct dice *d = dice;
  struct job jobs[MAX_CREWS];
  struct team team = { 0 };
  int n = roll_between(d, 3, MAX_CREWS);
  for (int i = 0; i < n; i++) {
    jobs[i] = (struct job){ pick_crew(d), { roll(d) }, &team };
    rt_waitgroup_add(&team.wg, 1);
    MUST(rt_go_named(jobs[i].crew->name, run_job, &jobs[i]) == 0);
  }
  team_wait(&team);
}

static int64_t seconds(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec;
}

static void *watch(void *unused)
{
  for (int64_t told = seconds();; sleep(1)) {
    int64_t s = seconds();
    if (s - atomic_load(&now.began) > ROUND_LIMIT_S)
      broken("a round ends", __FILE__, __LINE__);
    if (s - told < TELL_EVERY_S)
      continue;
    told = s;
    printf("stress: %llu rounds\n", (unsigned long long)atomic_load(&now.n_rounds));
    fflush(stdout);
  }
  return unused;
}

static void do_round(uint64_t seed)
{
  struct dice d = { seed };
  atomic_store(&now.seed, seed);
  atomic_store(&now.began, seconds());
  struct rt_options options = { .maxprocs = roll_between(&d, 1, 8) };
  int error = rt_run(run_round, &d, &options);
  if (error != 0) {
    fprintf(stderr, "stress: rt_run: %s\nstress: seed %llu\n", strerror(-error),
            (unsigned long long)seed);
    exit(1);
  }
  atomic_fetch_add(&now.n_rounds, 1);
}

/* ---- the command ---- */

struct arguments {
  uint64_t seed;
  double minutes; /* 0: rounds count */
  uint64_t rounds;
};

static bool parse(int argc, char **argv, struct arguments *a)
{
  for (int i = 1; i + 1 < argc; i += 2)
    if (strcmp(argv[i], "--seed") == 0)
      a->seed = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--minutes") == 0)
      a->minutes = strtod(argv[i + 1], NULL);
    else if (strcmp(argv[i], "--rounds") == 0)
      a->rounds = strtoull(argv[i + 1], NULL, 10);
    else if (strcmp(argv[i], "--crew") == 0)
      now.crew = argv[i + 1];
    else
      return false;
  return argc % 2 == 1;
}

int main(int argc, char **argv)
{
  struct arguments a = { .seed = (uint64_t)time(NULL) * 1000003u ^ (uint64_t)getpid(),
                         .rounds = DEFAULT_ROUNDS };
  pthread_t watcher;
  if (!parse(argc, argv, &a)) {
    fprintf(stderr, "usage: stress [--seed N] [--minutes N | --rounds N] [--crew NAME]\n");
    return 2;
  }
  signal(SIGPIPE, SIG_IGN);
  int64_t end = seconds() + (int64_t)(a.minutes * 60);
  atomic_store(&now.began, seconds());
  pthread_create(&watcher, NULL, watch, NULL);
  printf("stress: first seed %llu\n", (unsigned long long)a.seed);
  fflush(stdout);
  struct dice seeds = { a.seed };
  do_round(a.seed);
  for (uint64_t i = 1; a.minutes > 0 ? seconds() < end : i < a.rounds; i++)
    do_round(roll(&seeds));
  printf("stress: %llu rounds, nothing broken\n", (unsigned long long)atomic_load(&now.n_rounds));
  return 0;
}
