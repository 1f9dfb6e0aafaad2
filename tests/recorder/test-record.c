/* SPDX-License-Identifier: MIT */
/* test-record.c - programs are recorded: every event is stored or told lost, whatever end they come to. */
#include "drain.h"
#include "recorder.h"
#include "scratch.h"
#include "test.h"
#include "trace-emit.h"

#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static struct tracefile_error error;

static const char *fake_program(void)
{
  return scratch_path(getenv("GMPSCOPE_BUILD"), "tests/recorder/fake-program");
}

static struct rec_options options_for(char **argv, const char *output)
{
  argv[0] = (char *)(uintptr_t)fake_program();
  return (struct rec_options){ .output = output, .tables = REC_TABLES_NONE, .argv = argv };
}

struct counts {
  uint64_t stored, lost, gaps;
  uint64_t next_seq[64];
  uint64_t starts[64]; /* go_start events of each M */
  uint64_t sum[64];    /* of their numbers */
};

/* Reads everything; what is stored must be in order, and gaps must be as large as the losses that are told. */
static struct counts count_file(const char *path)
{
  struct counts c = { 0 };
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  struct tracefile_cursor *cursor = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  for (const struct trace_event *e; (e = tracefile_cursor_next(cursor)); c.stored++) {
    assert_true(e->m < 64 && e->seq >= c.next_seq[e->m]);
    c.gaps += e->seq - c.next_seq[e->m];
    c.next_seq[e->m] = e->seq + 1;
    c.starts[e->m] += e->kind == TRACE_GO_START;
    c.sum[e->m] += e->kind == TRACE_GO_START ? e->w[0] : 0;
  }
  tracefile_cursor_free(cursor);
  struct tracefile_damage damage = { 0 };
  if (tracefile_damages(file, &damage, 1) > 0)
    fail_msg("%s", damage.why);
  struct tracefile_summary summary;
  assert_true(tracefile_summary(file, &summary, &error));
  assert_int_equal(summary.n_events, c.stored);
  c.lost = summary.n_lost;
  tracefile_close(file);
  return c;
}

static void a_trace_begins_at_time_zero_with_its_first_record(void **state)
{
  char *argv[] = { NULL, "1", "10", NULL };
  const char *path = scratch_path(*state, "zero.db");
  struct rec_options options = options_for(argv, path);
  struct rec_result result;
  struct timespec before, after;
  clock_gettime(CLOCK_MONOTONIC, &before);
  assert_true(rec_record(&options, &result, &error));
  clock_gettime(CLOCK_MONOTONIC, &after);
  struct tracefile *file = tracefile_open(path, &error);
  struct tracefile_cursor *cursor = tracefile_cursor_new(file, INT64_MIN, INT64_MAX, &error);
  const struct trace_event *first = tracefile_cursor_next(cursor);
  assert_int_equal(first->kind, TRACE_M_CREATE);
  assert_int_equal(first->ts, 0);
  int64_t start = atoll(tracefile_meta(file, "start_mono_ns"));
  assert_in_range(start, before.tv_sec * 1000000000 + before.tv_nsec,
                  after.tv_sec * 1000000000 + after.tv_nsec);
  assert_non_null(tracefile_meta(file, "start_wall_ns"));
  tracefile_cursor_free(cursor);
  tracefile_close(file);
}

static void every_event_of_four_threads_is_stored_when_the_program_may_wait(void **state)
{
  char *argv[] = { NULL, "4", "100000", "exit=7", NULL };
  const char *path = scratch_path(*state, "a.db");
  struct rec_options options = options_for(argv, path);
  options.full_blocks = true;
  options.ring_capacity = 1024;
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  assert_true(result.ended && WIFEXITED(result.wait_status));
  assert_int_equal(WEXITSTATUS(result.wait_status), 7);
  struct counts c = count_file(path);
  assert_int_equal(c.stored, 4 * 100001 + 2);
  assert_int_equal(c.lost, 0);
  for (int m = 0; m < 4; m++)
    assert_int_equal(c.sum[m], 100000ull * 99999 / 2);
}

static void what_a_tiny_ring_could_not_hold_is_told_lost_exactly(void **state)
{
  char *argv[] = { NULL, "3", "3000000", NULL };
  const char *path = scratch_path(*state, "b.db");
  struct rec_options options = options_for(argv, path);
  options.ring_capacity = 1024;
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  struct counts c = count_file(path);
  uint64_t lost_records = c.stored - (c.starts[0] + c.starts[1] + c.starts[2]) - 5;
  assert_true(c.lost > 0); /* or the test tests nothing */
  assert_int_equal(c.stored + c.lost, 3 * 3000001 + 2 + lost_records);
}

static void a_program_killed_in_the_middle_of_a_string_leaves_exact_books(void **state)
{
  char *argv[] = { NULL, "1", "1000", "mid-string", NULL };
  const char *path = scratch_path(*state, "c.db");
  struct rec_options options = options_for(argv, path);
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  assert_true(WIFSIGNALED(result.wait_status));
  assert_int_equal(WTERMSIG(result.wait_status), SIGKILL);
  struct counts c = count_file(path);
  assert_int_equal(c.stored,
                   1004);      /* m_create, trace_begin, go_create, the events, the string's head */
  assert_int_equal(c.lost, 4); /* its parts were announced and never written */
}

static void records_of_no_kind_are_counted_lost_and_the_rest_is_kept(void **state)
{
  char *argv[] = { NULL, "1", "10000", "junk", NULL };
  const char *path = scratch_path(*state, "d.db");
  struct rec_options options = options_for(argv, path);
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  struct counts c = count_file(path);
  assert_int_equal(c.stored, 10003 - 10);
  assert_int_equal(c.lost, 10);
}

/* How many events that were its head does not say: it counts as one. */
static void a_ring_with_an_impossible_head_is_given_up_which_is_a_loss(void **state)
{
  char *argv[] = { NULL, "2", "5000", "head", NULL };
  const char *path = scratch_path(*state, "e.db");
  struct rec_options options = options_for(argv, path);
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  struct counts c = count_file(path);
  assert_int_equal(c.lost, 2);
  assert_int_equal(result.summary.lost, 2);
  assert_int_equal(result.summary.emitted, c.stored + 2);
}

/* Three threads, two rings. Which of them finds none is chance. */
static void what_ms_without_a_ring_did_is_lost_like_any_other_event(void **state)
{
  char *argv[] = { NULL, "3", "1000", NULL };
  const char *path = scratch_path(*state, "unringed.db");
  struct rec_options options = options_for(argv, path);
  options.max_rings = 2;
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  assert_int_equal(result.summary.lost, 1000);
  assert_int_equal(result.summary.emitted, result.summary.stored + 1000);
  struct counts c = count_file(path);
  assert_int_equal(c.lost, 1000);
  assert_int_equal(c.gaps, 0); /* they are of no M that is known */
  assert_int_equal(c.starts[0] + c.starts[1] + c.starts[2], 2000);
  struct tracefile *file = tracefile_open(path, &error);
  const char *why = NULL;
  assert_int_equal(tracefile_capability(file, TRACE_FAMILY_SCHED, &why), TRACEFILE_PARTLY);
  assert_true(tracefile_first_loss(file) < INT64_MAX); /* from there on nothing is judged */
  tracefile_close(file);
}

static void a_program_without_our_runtime_leaves_no_file_and_keeps_its_status(void **state)
{
  char *argv[] = { NULL, "1", "1", "orphan=3", NULL };
  const char *path = scratch_path(*state, "f.db");
  struct rec_options options = options_for(argv, path);
  struct rec_result result;
  assert_true(rec_record(&options, &result, &error));
  assert_false(result.uses_runtime);
  assert_int_equal(WEXITSTATUS(result.wait_status), 3);
  assert_int_not_equal(access(path, F_OK), 0);
}

/* Records in a child until the file holds at least so many chunks, then kills the child. */
static void kill_recorder_after(const char *path, char **argv, int chunks)
{
  pid_t recorder = fork();
  if (recorder == 0) {
    struct rec_options options = options_for(argv, path);
    options.full_blocks = true; /* so that it cannot be over before it is killed */
    options.ring_capacity = 1024;
    struct rec_result result;
    rec_record(&options, &result, &error);
    _exit(0);
  }
  for (int seen = 0; seen < chunks;) {
    assert_int_equal(waitpid(recorder, NULL, WNOHANG), 0);
    struct tracefile *file = tracefile_open(path, NULL);
    struct tracefile_summary summary;
    seen = file && tracefile_summary(file, &summary, &error) ? (int)summary.n_chunks : 0;
    tracefile_close(file);
    sched_yield();
  }
  kill(recorder, SIGKILL);
  waitpid(recorder, NULL, 0);
}

/* It would go on for a while. */
static void kill_program(const char *path)
{
  struct tracefile *file = tracefile_open(path, &error);
  assert_non_null(file);
  const char *pid = tracefile_meta(file, "pid");
  assert_non_null(pid);
  kill((pid_t)atoi(pid), SIGKILL);
  tracefile_close(file);
}

static void a_killed_recorder_leaves_a_file_without_gaps_that_can_be_recovered(void **state)
{
  for (int chunks = 1; chunks <= 200; chunks = chunks * 3 + 1) {
    char *argv[] = { NULL, "3", "100000000", NULL };
    const char *path = scratch_path(*state, "killed.db");
    kill_recorder_after(path, argv, chunks);
    kill_program(path);
    struct counts c = count_file(path);
    assert_true(c.stored > 0);
    assert_int_equal(c.gaps, 0);
    struct rec_summary summary;
    assert_true(rec_recover(path, REC_TABLES_NONE, &summary, &error));
    assert_int_equal(summary.stored, c.stored);
    assert_int_equal(count_file(path).stored, c.stored);
    struct tracefile *file = tracefile_open(path, &error);
    assert_true(tracefile_is_final(file));
    tracefile_close(file);
    unlink(path);
  }
}

static void a_program_that_may_wait_ends_although_its_recorder_was_killed(void **state)
{
  char *argv[] = { NULL, "2", "30000000", "exit=5", NULL };
  const char *path = scratch_path(*state, "alone.db");
  prctl(PR_SET_CHILD_SUBREAPER, 1); /* the program becomes our child when its recorder is gone */
  kill_recorder_after(path, argv, 1);
  int status;
  assert_true(wait(&status) > 0);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 5);
  assert_int_equal(count_file(path).gaps, 0);
}

/* A drain and the one ring that a program has told of so far, which the test itself writes. */
struct drain_bench {
  uint32_t capacity;
  int fd;
  struct rec_writer *writer;
  struct rec_clock clock;
  struct drain d;
  struct trace_ring *ring;
  struct trace_writer w;
};

static void drain_bench_begin(struct drain_bench *b, const char *path, uint32_t capacity,
                              uint32_t max_rings)
{
  b->capacity = capacity;
  b->writer = rec_writer_new(path, false, &error);
  b->fd = trace_shm_create(capacity, max_rings);
  rec_clock_start(&b->clock);
  assert_true(drain_open(&b->d, b->fd, &b->clock, b->writer, &error));
  atomic_store(&b->d.control->clock, TRACE_CLOCK_MONO);
  atomic_store(&b->d.control->n_rings, 1);
  b->ring = trace_shm_map_ring(b->fd, capacity, b->d.stride, 0);
  trace_writer_open(&b->w, b->ring, capacity, 0, TRACE_CLOCK_MONO, NULL);
}

static void drain_bench_end(struct drain_bench *b)
{
  trace_writer_close(&b->w);
  trace_shm_unmap_ring(b->ring, b->capacity);
  drain_close(&b->d);
  rec_writer_discard(b->writer);
  close(b->fd);
}

static uint64_t memory_of(int fd)
{
  struct stat st;
  assert_int_equal(fstat(fd, &st), 0);
  return (uint64_t)st.st_blocks * 512;
}

/* One ring of 64 that wrote n records; returns the bytes of memory that all of it takes after a look. */
static uint64_t memory_after(struct drain *d, struct trace_writer *w, uint32_t n)
{
  uint64_t moved;
  unsigned fullest;
  for (uint32_t i = 0; i < n; i++) {
    trace_stamp(w);
    trace_m_park(w);
  }
  assert_true(drain_round(d, &moved, &fullest, &error));
  assert_int_equal(moved, n);
  return memory_of(d->fd);
}

static void memory_is_made_ahead_of_the_program_but_not_much(void **state)
{
  const uint32_t capacity = 262144;
  struct drain_bench b;
  drain_bench_begin(&b, scratch_path(*state, "ahead.db"), capacity, 64);
  uint64_t before = memory_of(b.fd);
  uint64_t little = memory_after(&b.d, &b.w, 10);
  assert_in_range(little - before, 64 << 10, 96 << 10);
  uint64_t more = memory_after(&b.d, &b.w, 40000);
  assert_in_range(more - before, (40000 + 30000) * 32, (40000 + 40000) * 32);
  uint64_t lap = memory_after(&b.d, &b.w, 250000);
  assert_in_range(lap - before, capacity * 32, capacity * 32 + 8192);
  assert_int_equal(memory_after(&b.d, &b.w, 250000), lap); /* the second lap has it all */
  drain_bench_end(&b);
}

/* A program that never stops: it writes as many events as were read since it was asked before. */
struct pump {
  struct trace_writer *writer;
  int n_asked;
};

static void write_batch(struct trace_writer *w)
{
  for (uint32_t i = 0; i < DRAIN_BATCH; i++) {
    trace_stamp(w);
    trace_m_park(w);
  }
}

static bool pump_and_stop_at_the_third(void *arg)
{
  struct pump *pump = arg;
  write_batch(pump->writer);
  return ++pump->n_asked == 3;
}

static void
a_program_that_never_stops_is_read_no_further_than_to_where_it_was_at_the_stop(void **state)
{
  struct drain_bench b;
  uint64_t moved;
  unsigned fullest;
  drain_bench_begin(&b, scratch_path(*state, "endless.db"), 65536,
                    4); /* 16 batches: so many a round would be read */
  struct pump pump = { &b.w, 0 };
  write_batch(&b.w);
  b.d.should_stop = pump_and_stop_at_the_third;
  b.d.stop_arg = &pump;
  assert_true(drain_round(&b.d, &moved, &fullest, &error));
  assert_int_equal(moved, 4 * DRAIN_BATCH); /* the first one and three more */
  assert_int_equal(atomic_load(&b.d.control->requested), TRACE_STATE_OFF);
  write_batch(&b.w);
  atomic_store(&b.d.control->n_rings, 2);
  assert_true(drain_finish(&b.d, false, &error));
  assert_int_equal(pump.n_asked, 3);
  assert_int_equal(rec_writer_m(b.writer, 0)->stored, 4 * DRAIN_BATCH);
  assert_int_equal(rec_writer_m(b.writer, 0)->lost, 0);
  drain_bench_end(&b);
}

static void programs_that_cannot_be_run_are_refused_in_words(void **state)
{
  char *argv[] = { "no-such-program-anywhere", NULL };
  const char *path = scratch_path(*state, "g.db");
  struct rec_options options = { .output = path, .argv = argv };
  struct rec_result result;
  assert_false(rec_record(&options, &result, &error));
  assert_non_null(strstr(error.why, "no such program"));
  argv[0] = *state;
  assert_false(rec_record(&options, &result, &error));
  assert_non_null(strstr(error.why, "a directory"));
  const char *text = scratch_path(*state, "text");
  FILE *f = fopen(text, "w");
  fputs("hello", f);
  fclose(f);
  argv[0] = (char *)(uintptr_t)text;
  assert_false(rec_record(&options, &result, &error));
  assert_non_null(strstr(error.why, "may not be executed"));
  assert_int_not_equal(access(path, F_OK), 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    scratch_test(a_trace_begins_at_time_zero_with_its_first_record),
    scratch_test(every_event_of_four_threads_is_stored_when_the_program_may_wait),
    scratch_test(what_a_tiny_ring_could_not_hold_is_told_lost_exactly),
    scratch_test(a_program_killed_in_the_middle_of_a_string_leaves_exact_books),
    scratch_test(records_of_no_kind_are_counted_lost_and_the_rest_is_kept),
    scratch_test(a_ring_with_an_impossible_head_is_given_up_which_is_a_loss),
    scratch_test(what_ms_without_a_ring_did_is_lost_like_any_other_event),
    scratch_test(a_program_without_our_runtime_leaves_no_file_and_keeps_its_status),
    scratch_test(a_killed_recorder_leaves_a_file_without_gaps_that_can_be_recovered),
    scratch_test(a_program_that_may_wait_ends_although_its_recorder_was_killed),
    scratch_test(memory_is_made_ahead_of_the_program_but_not_much),
    scratch_test(a_program_that_never_stops_is_read_no_further_than_to_where_it_was_at_the_stop),
    scratch_test(programs_that_cannot_be_run_are_refused_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
