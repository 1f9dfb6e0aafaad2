/* SPDX-License-Identifier: MIT */
/* test-sim-same.c - the same seed writes the same trace, byte for byte, wherever malloc puts things; another seed another one.
 * And it takes the same course, step for step, whether anybody records it or not. */
#include "test.h"

#include "os.h"
#include "run.h"
#include "trace-ring.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 65536u
#define RINGS    64u

/* Trace memory that a recorder wants something in. */
static int make_memory(uint32_t capacity, struct trace_control **control)
{
  const char *why = "";
  int fd = trace_shm_create(capacity, RINGS);
  assert_true(fd >= 0);
  *control = trace_shm_map_control(fd, &why);
  assert_non_null(*control);
  atomic_store(&(*control)->requested, TRACE_STATE_ON);
  return fd;
}

static pid_t begin_to_record(uint64_t seed, bool stirs_heap, int memory)
{
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct sim_run run = sim_run_of_seed(seed, NULL);
    run.is_recorded = true;
    run.memory = memory;
    run.stirs_heap = stirs_heap;
    sim_run_here(&run);
  }
  return child;
}

/* Simulates the seed's program under a recorder that never reads; the trace memory's descriptor. */
static int record(uint64_t seed, bool stirs_heap)
{
  struct trace_control *control;
  int fd = make_memory(CAPACITY, &control);
  int status;
  pid_t child = begin_to_record(seed, stirs_heap, fd);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
  assert_int_equal(atomic_load(&control->clock), TRACE_CLOCK_VIRTUAL);
  trace_shm_unmap_control(control);
  return fd;
}

/* How many records both have in this ring, all equal; -1: they differ. */
static long same_ring(int a, int b, uint32_t i)
{
  uint64_t stride = trace_ring_stride(CAPACITY);
  struct trace_ring *x = trace_shm_map_ring(a, CAPACITY, stride, i);
  struct trace_ring *y = trace_shm_map_ring(b, CAPACITY, stride, i);
  assert_non_null(x);
  assert_non_null(y);
  uint64_t n = atomic_load(&x->head);
  bool same =
      n == atomic_load(&y->head) && x->m == y->m && n <= CAPACITY &&
      memcmp(trace_ring_records(x), trace_ring_records(y), n * sizeof(struct trace_record)) == 0;
  trace_shm_unmap_ring(x, CAPACITY);
  trace_shm_unmap_ring(y, CAPACITY);
  return same ? (long)n : -1;
}

/* Records in all rings, or -1 if some differ; the second run has its objects elsewhere. */
static long compare(uint64_t seed, uint64_t with)
{
  long total = 0;
  int a = record(seed, false), b = record(with, true);
  for (uint32_t i = 0; i < RINGS && total >= 0; i++) {
    long n = same_ring(a, b, i);
    total = n < 0 ? -1 : total + n;
  }
  close(a);
  close(b);
  return total;
}

static void the_same_seed_writes_the_same_bytes(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 10 * n_sim_programs; seed++)
    if (sim_run_of_seed(seed, NULL).program->code == 0 && compare(seed, seed) <= 50)
      fail_msg("seed %d: the traces of two runs differ, or are empty", (int)seed);
}

static void another_seed_writes_other_bytes(void **state)
{
  (void)state;
  assert_int_equal(compare(19, 19 + 8 * n_sim_programs), -1); /* the same program on as many Ps */
}

/* ---- read later, or while it is written ---- */

#define SMALL      64u /* records: then room is looked for all the time */
#define MAX_EVENTS (4 * CAPACITY)

struct events { /* of one ring */
  struct trace_ring *ring;
  size_t n;
  struct trace_record all[MAX_EVENTS];
};

/* Room for RINGS of them, all zero. */
static struct events *new_events(void)
{
  void *there = mmap(NULL, RINGS * sizeof(struct events), PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(there != MAP_FAILED);
  return there;
}

/* What the rings have now. */
static void read_on(int memory, const struct trace_control *control, struct events *rings)
{
  bool broken = false;
  for (uint32_t i = 0; i < atomic_load(&control->n_rings); i++) {
    struct events *e = &rings[i];
    if (!e->ring)
      e->ring = trace_shm_map_ring(memory, control->ring_capacity, control->ring_stride, i);
    assert_non_null(e->ring);
    for (size_t n, n_records; (n = trace_ring_read(e->ring, control->ring_capacity, e->all + e->n,
                                                   MAX_EVENTS - e->n, &n_records, &broken)) > 0;)
      e->n += n;
    assert_false(broken);
    assert_int_equal(atomic_load(&e->ring->lost), 0);
  }
}

static struct events *record_events(uint64_t seed, uint32_t capacity, bool read_at_once)
{
  struct trace_control *control;
  struct events *rings = new_events();
  int memory = make_memory(capacity, &control), status;
  atomic_store(&control->recorder_pid, (uint32_t)getpid());
  atomic_store(&control->full_blocks, 1);
  pid_t child = begin_to_record(seed, false, memory);
  for (pid_t ended = 0; !ended;) {
    ended = waitpid(child, &status, read_at_once ? WNOHANG : 0);
    read_on(memory, control, rings);
    sched_yield();
  }
  assert_int_equal(status, 0);
  for (uint32_t i = 0; i < atomic_load(&control->n_rings); i++)
    trace_shm_unmap_ring(rings[i].ring, capacity);
  trace_shm_unmap_control(control);
  close(memory);
  return rings;
}

static void when_it_is_read_changes_no_event(void **state)
{
  (void)state;
  for (uint64_t seed = 1; seed <= 10 * n_sim_programs; seed++) {
    if (sim_run_of_seed(seed, NULL).program->code != 0)
      continue;
    struct events *later = record_events(seed, CAPACITY, false);
    struct events *at_once = record_events(seed, SMALL, true);
    for (uint32_t i = 0; i < RINGS; i++) {
      assert_int_equal(later[i].n, at_once[i].n);
      for (size_t k = 0; k < later[i].n; k++)
        if (memcmp(&later[i].all[k], &at_once[i].all[k], sizeof later[i].all[k]) != 0)
          fail_msg("seed %d: event %zu of ring %u is another one", (int)seed, k, i);
    }
    munmap(later, RINGS * sizeof *later);
    munmap(at_once, RINGS * sizeof *at_once);
  }
}

/* ---- recorded or not ---- */

struct look { /* before somebody goes on */
  uint64_t step;
  int64_t now;
  uint32_t thread, g;
  uint32_t g_status;
};

#define MAX_LOOKS 2000000u

struct course { /* shared with the process that takes it */
  size_t n;
  struct look looks[MAX_LOOKS];
};

static struct course *course_of_child;

static void note_the_course(bool is_quiet, int64_t next)
{
  const struct m *mp = getm();
  struct g *gp = mp ? atomic_load(&mp->curg) : NULL;
  (void)is_quiet, (void)next;
  if (course_of_child->n == MAX_LOOKS)
    abort();
  course_of_child->looks[course_of_child->n++] = (struct look){
    .step = sim_step(),
    .now = sim_now(),
    .thread = (uint32_t)os_thread_self(),
    .g = gp ? (uint32_t)gp->goid : 0,
    .g_status = gp ? readgstatus(gp) : 0,
  };
}

static struct course *new_course(void)
{
  void *there = mmap(NULL, sizeof(struct course), PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  assert_true(there != MAP_FAILED);
  return there;
}

/* How the seed's program ends, and by which way. */
static int take_course(uint64_t seed, bool exits, bool is_recorded, struct course *course)
{
  struct trace_control *control = NULL;
  int fd = is_recorded ? make_memory(CAPACITY, &control) : -1, status;
  course->n = 0;
  fflush(NULL);
  pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    struct sim_run run = sim_run_of_seed(seed, NULL);
    course_of_child = course;
    run.watch = note_the_course;
    run.exits = exits;
    run.is_recorded = is_recorded;
    run.memory = fd;
    if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
      abort();
    sim_run_here(&run);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  if (is_recorded) {
    assert_int_equal(atomic_load(&control->state), TRACE_STATE_ENDED);
    trace_shm_unmap_control(control);
    close(fd);
  }
  return status;
}

static bool is_same_look(const struct look *a, const struct look *b)
{
  return a->step == b->step && a->now == b->now && a->thread == b->thread && a->g == b->g &&
         a->g_status == b->g_status;
}

/* Where they part: the number of equal looks. */
static size_t common_way(const struct course *a, const struct course *b)
{
  size_t i = 0;
  while (i < a->n && i < b->n && is_same_look(&a->looks[i], &b->looks[i]))
    i++;
  return i;
}

static void expect_the_same_courses(bool exits)
{
  struct course *alone = new_course(), *recorded = new_course();
  size_t parted = 0;
  for (uint64_t seed = 1; seed <= 10 * n_sim_programs; seed++) {
    int status = take_course(seed, exits, false, alone);
    assert_int_equal(take_course(seed, exits, true, recorded), status);
    assert_true(alone->n > 10);
    size_t i = common_way(alone, recorded);
    if (i == alone->n && i == recorded->n)
      continue;
    const struct look *a = &alone->looks[i], *b = &recorded->looks[i];
    print_message("# seed %d (%s): %zu looks are the same, then step %d at %d ns, recorded step %d "
                  "at %d ns\n",
                  (int)seed, sim_run_of_seed(seed, NULL).program->name, i, (int)a->step,
                  (int)a->now, (int)b->step, (int)b->now);
    parted++;
  }
  assert_int_equal(parted, 0);
  munmap(alone, sizeof *alone);
  munmap(recorded, sizeof *recorded);
}

/* So what was seen without the recorder can be recorded by its seed. */
static void the_same_seed_takes_the_same_course_recorded_or_not(void **state)
{
  (void)state;
  expect_the_same_courses(false);
}

/* The others finish what they have begun, recorded or not. */
static void so_does_a_program_that_exits(void **state)
{
  (void)state;
  expect_the_same_courses(true);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(the_same_seed_writes_the_same_bytes),
    cmocka_unit_test(another_seed_writes_other_bytes),
    cmocka_unit_test(when_it_is_read_changes_no_event),
    cmocka_unit_test(the_same_seed_takes_the_same_course_recorded_or_not),
    cmocka_unit_test(so_does_a_program_that_exits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
