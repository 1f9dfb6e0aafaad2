/* SPDX-License-Identifier: MIT */
/* run.c - one simulated run a process: whatever a seed breaks, the next one starts clean.
 *
 * The step that a run has come to is in memory that it shares with the driver, so that it is told even if the
 * run ends by a signal. Cost: a fork and about a million points a second.
 */
#include "run.h"

#include "invariants.h"
#include "replay.h"
#include "sim-world.h"
#include "trace-ring.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CPUS        8
#define RECORDED_ONE_IN 4
#define STIRRED         24 /* blocks of each size */
#define REAL_LIMIT      60 /* seconds, for a run that loops without a point */

static const struct sim_program *program_of(const char *name)
{
  unsigned i = 0;
  while (i < n_sim_programs && strcmp(sim_programs[i].name, name) != 0)
    i++;
  if (i == n_sim_programs)
    abort();
  return &sim_programs[i];
}

/* The trace of a program that dies is not replayed: whoever was between a CAS and its event stays there for ever, as
 * real threads only do if the process ends within those few ns. */
struct sim_run sim_run_of_seed(uint64_t seed, const char *only)
{
  static const int procs[] = { 2, 1, 3, 4, 2, 8, 3, 2 };
  const struct sim_program *program = &sim_programs[seed % n_sim_programs];
  return (struct sim_run){ .program = only ? program_of(only) : program,
                           .seed = seed,
                           .procs = procs[seed / n_sim_programs % 8],
                           .is_recorded = program->code == 0 &&
                                          (seed * 2654435761u >> 16) % RECORDED_ONE_IN == 0 };
}

static void be_recorded(int memory)
{
  char number[16];
  snprintf(number, sizeof number, "%d", memory);
  setenv(TRACE_ENV_FD, number, 1);
}

/* What malloc and calloc give from here on lies in another order, and is not zero. So many of a size that its cache, which
 * calloc goes past, has no room for all. */
static void stir_heap(void)
{
  char *blocks[STIRRED];
  for (size_t size = 16; size <= 1024; size += 16) {
    for (size_t i = 0; i < STIRRED; i++) {
      if (!(blocks[i] = malloc(size)))
        abort();
      memset(blocks[i], 0xa5, size);
    }
    for (size_t i = 0; i < STIRRED; i++)
      free(blocks[i * 5 % STIRRED]);
  }
}

static void run_and_exit(void *program)
{
  ((const struct sim_program *)program)->run(NULL);
  exit(0);
}

_Noreturn void sim_run_here(const struct sim_run *run)
{
  if (run->is_recorded)
    be_recorded(run->memory);
  if (run->stirs_heap)
    stir_heap();
  struct rt_options options = { .maxprocs = run->procs, .sim_seed = run->seed };
  sim_watch = run->watch ? run->watch : check_invariants;
  sim_mutant = run->mutant;
  sim_keeps_spares = !run->watch;
  sim_step_out = run->step;
  alarm(REAL_LIMIT);
  int error = run->exits ? rt_run(run_and_exit, (void *)run->program, &options)
                         : rt_run(run->program->run, NULL, &options);
  fflush(NULL);
  _exit(error ? 99 : 0);
}

struct sim_run sim_run_of(const char *program, int procs, uint64_t seed)
{
  return (struct sim_run){
    .program = program_of(program), .seed = seed, .procs = procs, .is_recorded = true
  };
}

/* A test's handlers would go on in it after a fault, and its step with them. */
static void be_without_handlers(void)
{
  static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS };
  for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
    signal(faults[i], SIG_DFL);
}

void sim_run_start(struct sim_run *run)
{
  if (!run->step) {
    run->step =
        mmap(NULL, sizeof *run->step, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    run->out = memfd_create("simulated", MFD_CLOEXEC);
  }
  if (run->step == MAP_FAILED || run->out < 0 || ftruncate(run->out, 0) < 0 ||
      lseek(run->out, 0, SEEK_SET) < 0)
    abort();
  *run->step = 0;
  if (run->is_recorded)
    run->memory = replay_memory();
  fflush(NULL);
  run->pid = fork();
  if (run->pid < 0)
    abort();
  if (run->pid == 0) {
    dup2(run->out, STDOUT_FILENO);
    dup2(run->out, STDERR_FILENO);
    be_without_handlers();
    sim_run_here(run);
  }
}

static bool did_well(const struct sim_run *run, int status, const char *wrote)
{
  return WIFEXITED(status) && WEXITSTATUS(status) == run->program->code &&
         (run->program->says ? strstr(wrote, run->program->says) != NULL : wrote[0] == '\0');
}

bool sim_run_ended(struct sim_run *run, int status, char *text, size_t n)
{
  char wrote[4096], breach[512] = "";
  ssize_t got = pread(run->out, wrote, sizeof wrote - 1, 0);
  wrote[got > 0 ? got : 0] = '\0';
  bool well = did_well(run, status, wrote);
  if (run->is_recorded) {
    well = well && replay_accepts(run->memory, breach, sizeof breach);
    close(run->memory);
  }
  if (well)
    return true;
  snprintf(text, n, "seed %llu, step %llu: %s on %d Ps ended with %s%d\n%s%s",
           (unsigned long long)run->seed, (unsigned long long)*run->step, run->program->name,
           run->procs, WIFSIGNALED(status) ? "signal " : "",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), breach, wrote);
  return false;
}

bool sim_run_alone(struct sim_run *run, char *text, size_t n)
{
  int status;
  sim_run_start(run);
  if (waitpid(run->pid, &status, 0) != run->pid)
    abort();
  return sim_run_ended(run, status, text, n);
}

static void start_seed(struct sim_run *slot, uint64_t seed, const char *only, int mutant)
{
  struct sim_run run = sim_run_of_seed(seed, only);
  run.step = slot->step;
  run.out = slot->out;
  run.mutant = mutant;
  *slot = run;
  sim_run_start(slot);
}

static struct sim_run *slot_of(struct sim_run *slots, pid_t pid)
{
  while (slots->pid != pid)
    slots++;
  return slots;
}

uint64_t sim_run_many(uint64_t first, uint64_t n, const char *only, int mutant, char *text,
                      size_t text_size)
{
  static struct sim_run slots[MAX_CPUS]; /* their shared memory is kept */
  long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  uint64_t started = 0, well = 0, failed = UINT64_MAX;
  int running = 0, n_slots = cpus < 1 ? 1 : cpus > MAX_CPUS ? MAX_CPUS : (int)cpus;
  while (running > 0 || (started < n && failed == UINT64_MAX)) {
    if (running < n_slots && started < n && failed == UINT64_MAX) {
      struct sim_run *slot = slots;
      while (slot->pid != 0)
        slot++;
      start_seed(slot, first + started++, only, mutant);
      running++;
      continue;
    }
    int status;
    char report[5120];
    struct sim_run *slot = slot_of(slots, waitpid(-1, &status, 0));
    slot->pid = 0;
    running--;
    if (sim_run_ended(slot, status, report, sizeof report)) {
      well++;
    } else if (slot->seed < failed) { /* the first of those that fail at once */
      failed = slot->seed;
      snprintf(text, text_size, "%s", report);
    }
  }
  return failed == UINT64_MAX ? well : failed - first;
}
