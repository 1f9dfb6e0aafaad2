/* SPDX-License-Identifier: MIT */
/* record.c - runs a program and records it until it ends.
 *
 * The memfd with all rings is ours from before the program starts until after it is gone, so a program that is
 * killed leaves every event that it published. We poll: no thread, no doorbell, nothing in the program
 * ever waits for us (unless full_blocks). Between two looks we sleep 0 ... 10 ms, by how full the rings were:
 * 262144 records are 26 ms at ten records a us, 8 ms of a program that only yields. An idle program costs 100 looks a
 * second, each of which does next to nothing: the sleep itself is two thirds of it. Longer sleeps would cost events where
 * a storm begins.
 *
 * Whatever goes wrong here (the disk is full, ...) the program goes on to its end, and its exit status is kept.
 */
#include "create.h"
#include "drain.h"
#include "finalise.h"
#include "spawn.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RING_CAPACITY 262144
#define SLEEP_MIN_US  50
#define RECORDS_A_US  10 /* of the fastest event storm of one M */
#define SLEEP_MAX_US  10000
#define LIBRARIES_MAX 64

struct library {
  char *path;
  uint64_t base;
};

struct recording {
  const struct rec_options *options;
  char *program; /* the file that is run */
  pid_t pid;
  int pidfd, memfd;
  struct rec_clock clock;
  struct rec_writer *writer;
  struct drain drain;
  bool may_be_gone; /* its pidfd said so, or there is none */
  bool gone;        /* the program is */
  int64_t stop_at;  /* CLOCK_MONOTONIC, 0 never */
  struct library libraries[LIBRARIES_MAX];
  int n_libraries;
  bool looked_at_libraries;
};

/* ---- where the program's libraries are mapped, for names ---- */

static void note_library(struct recording *r, const char *line)
{
  unsigned long long base, offset;
  int at = 0;
  if (sscanf(line, "%llx-%*x %*s %llx %*s %*s %n", &base, &offset, &at) < 2 || at == 0 ||
      line[at] != '/' || offset != 0 || r->n_libraries == LIBRARIES_MAX)
    return;
  char *path = strndup(line + at, strcspn(line + at, "\n"));
  bool is_library = path && strstr(path, ".so");
  for (int i = 0; is_library && i < r->n_libraries; i++)
    is_library = strcmp(path, r->libraries[i].path) != 0;
  if (is_library)
    r->libraries[r->n_libraries++] = (struct library){ path, base };
  else
    free(path);
}

/* Best effort: a program that is gone by now has names from its executable only. */
static void look_at_libraries(struct recording *r)
{
  char name[40], line[4400];
  r->looked_at_libraries = true;
  snprintf(name, sizeof name, "/proc/%d/maps", (int)r->pid);
  FILE *maps = fopen(name, "re");
  while (maps && fgets(line, sizeof line, maps))
    note_library(r, line);
  if (maps)
    fclose(maps);
}

static struct symbols *open_symbols(struct recording *r)
{
  struct symbols *s = symbols_open(r->program, atomic_load(&r->drain.control->load_base));
  for (int i = 0; s && i < r->n_libraries; i++)
    symbols_add_library(s, r->libraries[i].path, r->libraries[i].base);
  return s;
}

/* ---- preparing ---- */

static bool make_memory(struct recording *r, struct tracefile_error *error)
{
  uint32_t capacity = r->options->ring_capacity ? r->options->ring_capacity : RING_CAPACITY;
  r->memfd =
      trace_shm_create(capacity, r->options->max_rings ? r->options->max_rings : TRACE_MAX_RINGS);
  if (r->memfd < 0)
    return tracefile_fail(error, TRACEFILE_REFUSED, "recording", "ask for smaller rings",
                          "there is no memory for the rings (%s)", strerrordesc_np(-r->memfd));
  if (!drain_open(&r->drain, r->memfd, &r->clock, r->writer, error))
    return false;
  struct trace_control *control = r->drain.control;
  uint32_t wanted = r->options->categories ? r->options->categories : TRACE_FAMILY_ALL;
  atomic_store(&control->categories, wanted | TRACE_FAMILY_ALWAYS);
  atomic_store(&control->full_blocks, r->options->full_blocks);
  atomic_store(&control->recorder_pid, (uint32_t)getpid());
  atomic_store(&control->requested, TRACE_STATE_ON);
  return true;
}

static bool meta_number(struct rec_writer *w, const char *key, int64_t n,
                        struct tracefile_error *error)
{
  char text[24];
  snprintf(text, sizeof text, "%lld", (long long)n);
  return rec_writer_meta(w, key, text, error);
}

/* CPUs that this process, and so the program that it starts, may use. */
static int count_cpus(void)
{
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static bool tell_beginning(struct recording *r, struct tracefile_error *error)
{
  const char *slash = strrchr(r->program, '/');
  return rec_writer_meta(r->writer, "program", slash ? slash + 1 : r->program, error) &&
         meta_number(r->writer, "cpus", count_cpus(), error) &&
         meta_number(r->writer, "recorder_pid", getpid(), error) &&
         meta_number(r->writer, "recorder_start", (int64_t)create_process_start(getpid()), error) &&
         (r->options->sim_seed == 0 ||
          meta_number(r->writer, "sim_seed", (int64_t)r->options->sim_seed, error)) &&
         rec_writer_flush(r->writer, error);
}

static bool prepare(struct recording *r, struct tracefile_error *error)
{
  r->program = spawn_find(r->options->argv[0], error);
  if (!r->program)
    return false;
  r->writer = rec_writer_new(r->options->output, r->options->overwrite, error);
  if (!r->writer || !make_memory(r, error))
    return false;
  rec_clock_start(&r->clock);
  return tell_beginning(r, error);
}

static bool start(struct recording *r, struct tracefile_error *error)
{
  r->pid = spawn_program(r->program, r->options->argv, r->memfd, error);
  if (r->pid < 0)
    return false;
  r->pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);
  meta_number(r->writer, "pid", r->pid, NULL); /* a failure shows with the first event */
  rec_writer_flush(r->writer, NULL);
  if (r->options->duration_ns > 0)
    r->stop_at = rec_mono_ns() + r->options->duration_ns;
  return true;
}

/* ---- while it runs ---- */

/* Sleeps up to this long; wakes early when the program ends or a signal tells us to. */
static void nap(struct recording *r, unsigned us)
{
  struct pollfd fd = { .fd = r->pidfd, .events = POLLIN };
  struct timespec timeout = { .tv_nsec = us * 1000L };
  r->may_be_gone = ppoll(&fd, r->pidfd >= 0 ? 1 : 0, &timeout, NULL) > 0 || r->pidfd < 0;
}

static bool has_ended(struct recording *r, struct rec_result *result)
{
  if (r->gone)
    return true;
  int status;
  if (!r->may_be_gone || waitpid(r->pid, &status, WNOHANG) != r->pid)
    return false;
  r->gone = true;
  result->ended = true;
  result->wait_status = status;
  return true;
}

/* The longest sleep: half of what the fastest program takes to fill a ring. */
static unsigned longest_sleep(const struct recording *r)
{
  uint32_t us = r->drain.capacity / RECORDS_A_US / 2;
  return us < SLEEP_MIN_US ? SLEEP_MIN_US : us < SLEEP_MAX_US ? us : SLEEP_MAX_US;
}

static unsigned next_sleep(unsigned us, unsigned fullest, unsigned longest)
{
  if (fullest >= 32) /* an eighth of a ring since the last look */
    return 0;
  if (fullest >= 4)
    return longest / 8;
  us = us * 2 + SLEEP_MIN_US;
  return us < longest ? us : longest;
}

static bool should_stop(void *arg)
{
  const struct recording *r = arg;
  return spawn_told_to_end() || (r->stop_at && rec_mono_ns() >= r->stop_at);
}

/* Until the program ends or recording is to stop. False: the writer failed. */
static bool drain_while_it_runs(struct recording *r, struct rec_result *result,
                                struct tracefile_error *error)
{
  unsigned us = SLEEP_MIN_US;
  r->drain.should_stop = should_stop;
  r->drain.stop_arg = r;
  while (!has_ended(r, result) && !should_stop(r)) {
    uint64_t moved;
    unsigned fullest;
    if (!drain_round(&r->drain, &moved, &fullest, error))
      return false;
    if (moved > 0 && !r->looked_at_libraries)
      look_at_libraries(r);
    us = next_sleep(us, fullest, longest_sleep(r));
    nap(r, us);
  }
  return true;
}

/* After --for: the program has the terminal and its exit status is wanted. Not after SIGTERM. */
static void wait_for_program(struct recording *r, struct rec_result *result)
{
  while (!spawn_told_to_end() && !has_ended(r, result))
    nap(r, SLEEP_MAX_US);
}

/* ---- the end ---- */

static bool tell_end(struct recording *r, const struct rec_result *result,
                     struct tracefile_error *error)
{
  static const char *const clocks[] = { [TRACE_CLOCK_TSC] = "tsc",
                                        [TRACE_CLOCK_CNTVCT] = "cntvct",
                                        [TRACE_CLOCK_MONO] = "monotonic",
                                        [TRACE_CLOCK_VIRTUAL] = "virtual" };
  char mask[16];
  snprintf(mask, sizeof mask, "%u", atomic_load(&r->drain.control->categories));
  bool ok =
      rec_writer_meta(r->writer, "clock", clocks[r->clock.kind], error) &&
      rec_writer_meta(r->writer, "categories", mask, error) &&
      rec_writer_meta(r->writer, "on_full", r->options->full_blocks ? "block" : "drop", error);
  if (ok && result->ended)
    ok = meta_number(r->writer, "wait_status", result->wait_status, error);
  uint64_t seed = atomic_load(&r->drain.control->sim_seed);
  if (ok && r->options->sim_seed == 0 && seed != 0 && seed <= INT64_MAX)
    ok = meta_number(r->writer, "sim_seed", (int64_t)seed, error); /* of its own choice */
  if (ok && result->untraced_runs > 0)
    ok = meta_number(r->writer, "untraced_runs", result->untraced_runs, error);
  if (ok && result->untraced_processes > 0)
    ok = meta_number(r->writer, "untraced_processes", result->untraced_processes, error);
  return ok;
}

static bool used_runtime(const struct recording *r)
{
  return r->drain.clock_is_set;
}

static bool finish(struct recording *r, struct rec_result *result, struct tracefile_error *error)
{
  if (!r->gone)
    drain_stop(&r->drain);
  if (!drain_finish(&r->drain, r->gone, error))
    return false;
  result->uses_runtime = used_runtime(r);
  result->untraced_runs = atomic_load(&r->drain.control->untraced_runs);
  result->untraced_processes = atomic_load(&r->drain.control->untraced_processes);
  if (!result->uses_runtime) {
    rec_writer_discard(r->writer);
    r->writer = NULL;
    return true;
  }
  struct symbols *symbols = open_symbols(r);
  bool ok = tell_end(r, result, error) &&
            finalise(r->writer, r->options->tables, symbols, &result->summary, error);
  symbols_free(symbols);
  return ok;
}

static void clean_up(struct recording *r)
{
  drain_close(&r->drain);
  rec_writer_free(r->writer);
  for (int i = 0; i < r->n_libraries; i++)
    free(r->libraries[i].path);
  free(r->program);
  if (r->pidfd >= 0)
    close(r->pidfd);
  if (r->memfd >= 0)
    close(r->memfd);
}

bool rec_record(const struct rec_options *options, struct rec_result *result,
                struct tracefile_error *error)
{
  struct recording r = { .options = options, .pid = -1, .pidfd = -1, .memfd = -1 };
  *result = (struct rec_result){ .pid = -1 };
  spawn_quiet_signals();
  bool ok = prepare(&r, error) && start(&r, error);
  if (!ok) {
    rec_writer_discard(r.writer);
    r.writer = NULL;
  } else {
    result->pid = r.pid;
    ok = drain_while_it_runs(&r, result, error);
    if (ok)
      ok = finish(&r, result, error);
    else
      drain_stop(&r.drain);
    if (!ok && error && r.writer && rec_writer_has_events(r.writer))
      error->code = TRACEFILE_DAMAGED; /* there is a trace, but not all of it */
    wait_for_program(&r, result);
  }
  spawn_restore_signals();
  clean_up(&r);
  return ok;
}
