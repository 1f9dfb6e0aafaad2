/* SPDX-License-Identifier: MIT */
/* test-ring.c - the shared memory between a program and its recorder: nothing is lost without being counted, and
 * nothing in it is believed. */
#include "test.h"

#include "trace-emit.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define CAPACITY 1024u

struct shm {
  int fd;
  struct trace_control *control;
  struct trace_ring *ring;
};

static uint64_t virtual_time;

static uint64_t now(uint64_t last)
{
  (void)last;
  return virtual_time += 10;
}

static struct shm open_shm(void)
{
  const char *why = NULL;
  struct shm shm = { .fd = trace_shm_create(CAPACITY, 2) };
  assert_true(shm.fd >= 0);
  shm.control = trace_shm_map_control(shm.fd, &why);
  if (!shm.control)
    fail_msg("a fresh memory is refused: %s", why);
  shm.ring = trace_shm_map_ring(shm.fd, CAPACITY, shm.control->ring_stride, 1);
  assert_non_null(shm.ring);
  return shm;
}

static void close_shm(struct shm *shm)
{
  trace_shm_unmap_ring(shm->ring, CAPACITY);
  trace_shm_unmap_control(shm->control);
  close(shm->fd);
}

static struct trace_writer open_writer(struct shm *shm, bool full_blocks)
{
  struct trace_writer w;
  atomic_store(&shm->control->full_blocks, full_blocks);
  trace_writer_open(&w, shm->ring, CAPACITY, 7, TRACE_CLOCK_VIRTUAL,
                    full_blocks ? shm->control : NULL);
  w.virtual_now = now;
  return w;
}

static void what_is_emitted_is_read_in_order(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, false);
  w.p = 3;
  w.g = 9;
  trace_stamp(&w);
  trace_go_block(&w, TRACE_WAIT_SLEEP, 4, 0x1122334455667788u);
  trace_m_park(&w);
  struct trace_record records[8];
  size_t n_records;
  bool broken;
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, 8, &n_records, &broken), 2);
  assert_false(broken);
  assert_true(records[0].kind == TRACE_GO_BLOCK && records[0].p == 3 && records[0].g == 9);
  assert_true(records[0].w[0] == TRACE_WAIT_SLEEP && records[0].w[1] == 4);
  assert_int_equal(records[0].d[1], 0x1122334455667788u);
  assert_int_equal(records[1].ts, records[0].ts + 1); /* one clock read a transition */
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, 8, &n_records, &broken), 0);
  trace_writer_close(&w);
  assert_int_equal(shm.ring->state, TRACE_RING_ENDED);
  close_shm(&shm);
}

static void a_full_ring_drops_counts_and_tells_exactly(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, false);
  for (uint32_t i = 0; i < CAPACITY + 37; i++) {
    trace_stamp(&w);
    trace_preempt_send(&w, i);
  }
  assert_int_equal(shm.ring->lost, 37);
  assert_int_equal(shm.ring->emitted, shm.ring->head + shm.ring->lost);
  struct trace_record records[CAPACITY];
  size_t n_records;
  bool broken;
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, CAPACITY, &n_records, &broken),
                   CAPACITY);
  for (uint32_t i = 0; i < CAPACITY; i++)
    assert_int_equal(records[i].w[0], i); /* the old ones stay, the new ones are dropped */
  trace_m_park(&w);
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, CAPACITY, &n_records, &broken), 2);
  assert_int_equal(records[0].kind, TRACE_LOST);
  assert_int_equal(records[0].d[0], 37);
  assert_true(records[0].d[1] <= records[0].ts);
  assert_int_equal(records[1].kind, TRACE_M_PARK);
  trace_writer_close(&w);
  assert_int_equal(shm.ring->emitted, shm.ring->head + shm.ring->lost);
  close_shm(&shm);
}

static void a_string_is_written_whole_or_not_at_all(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, false);
  for (uint32_t i = 0; i < CAPACITY - 2; i++)
    trace_m_park(&w);
  trace_emit_string(&w, 5, "this text needs three records, more than are left", 40);
  assert_int_equal(shm.ring->head, CAPACITY - 2);
  assert_int_equal(shm.ring->lost, 4);
  struct trace_record records[CAPACITY];
  size_t n_records;
  bool broken;
  trace_ring_read(shm.ring, CAPACITY, records, CAPACITY, &n_records, &broken);
  trace_emit_string(&w, 6, "0123456789abcdefXYZ", 19);
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, CAPACITY, &n_records, &broken), 4);
  assert_int_equal(records[0].kind, TRACE_LOST);
  assert_true(records[1].kind == TRACE_STRING && records[1].w[0] == 6 && records[1].w[1] == 19);
  assert_memory_equal(records[2].d, "0123456789abcdef", 16);
  assert_memory_equal(records[3].d, "XYZ\0\0\0\0\0\0\0\0\0\0\0\0", 16);
  trace_writer_close(&w);
  close_shm(&shm);
}

#define RACED 400000u

static void *write_many(void *arg)
{
  struct trace_writer *w = arg;
  for (uint32_t i = 0; i < RACED; i++) {
    trace_stamp(w);
    trace_preempt_send(w, i);
  }
  trace_writer_close(w);
  return NULL;
}

struct tally {
  uint64_t stored, told, next;
};

/* Every record is the next one, or a `lost` that tells just the gap. */
static void count(struct tally *t, const struct trace_record *records, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (records[i].kind == TRACE_LOST) {
      t->told += records[i].d[0];
      t->next += records[i].d[0];
    } else {
      assert_int_equal(records[i].w[0], t->next++);
    }
  }
  t->stored += n;
}

static struct tally race(struct shm *shm, struct trace_writer *w)
{
  struct tally t = { 0 };
  struct trace_record records[300];
  pthread_t thread;
  size_t n_records;
  bool broken, ended;
  assert_int_equal(pthread_create(&thread, NULL, write_many, w), 0);
  do {
    ended = atomic_load_explicit(&shm->ring->state, memory_order_acquire) == TRACE_RING_ENDED;
    size_t n;
    while ((n = trace_ring_read(shm->ring, CAPACITY, records, 300, &n_records, &broken)) > 0)
      count(&t, records, n);
    assert_false(broken);
  } while (!ended);
  pthread_join(thread, NULL);
  return t;
}

static void with_a_racing_reader_emitted_is_stored_plus_lost(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, false);
  struct tally t = race(&shm, &w);
  assert_int_equal(shm.ring->emitted, t.stored + shm.ring->lost);
  assert_int_equal(shm.ring->head, t.stored);
  assert_true(t.told <= shm.ring->lost); /* the last losses may have no room to be told */
  assert_true(t.next <= RACED);
  assert_int_equal(RACED - t.next, shm.ring->lost - t.told);
  close_shm(&shm);
}

static void a_writer_that_waits_for_room_loses_nothing(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, true);
  struct tally t = race(&shm, &w);
  assert_int_equal(t.stored, RACED);
  assert_int_equal(shm.ring->lost, 0);
  close_shm(&shm);
}

static void a_writer_whose_ring_was_given_up_does_not_wait_for_ever(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, true);
  for (uint32_t i = 0; i < CAPACITY; i++)
    trace_m_park(&w);
  atomic_store(&shm.ring->state, TRACE_RING_ENDED); /* the recorder is gone */
  trace_m_park(&w);
  assert_int_equal(shm.ring->lost, 1);
  trace_writer_close(&w);
  close_shm(&shm);
}

static pid_t start_waiting_process(void)
{
  pid_t pid = fork();
  assert_true(pid >= 0);
  while (pid == 0)
    pause();
  return pid;
}

static void a_writer_whose_recorder_was_killed_does_not_wait_for_ever(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  pid_t recorder = start_waiting_process();
  atomic_store(&shm.control->recorder_pid, (uint32_t)recorder);
  struct trace_writer w = open_writer(&shm, true);
  for (uint32_t i = 0; i < CAPACITY; i++)
    trace_m_park(&w);
  kill(recorder, SIGKILL);
  waitpid(recorder, NULL, 0);
  errno = ENOTTY;
  trace_m_park(&w);
  assert_int_equal(errno, ENOTTY);
  assert_int_equal(shm.ring->lost, 1);
  assert_int_equal(atomic_load(&shm.control->full_blocks), 0); /* the other Ms know, too */
  atomic_store(&shm.control->full_blocks, 1); /* and nobody can hold this one up again */
  trace_m_park(&w);
  assert_int_equal(shm.ring->lost, 2);
  trace_writer_close(&w);
  close_shm(&shm);
}

static void a_recorder_that_lives_and_takes_nothing_is_not_waited_for_for_ever(void **state)
{
  (void)state;
  static const uint32_t pids[] = { 0, 1, UINT32_MAX, 0x80000000u }; /* nobody, not ours, none */
  for (size_t i = 0; i < sizeof pids / sizeof pids[0]; i++) {
    struct shm shm = open_shm();
    atomic_store(&shm.control->recorder_pid, pids[i]);
    struct trace_writer w = open_writer(&shm, true);
    w.patience_ns = 1000000;
    for (uint32_t n = 0; n < CAPACITY + 5; n++)
      trace_m_park(&w);
    assert_int_equal(shm.ring->lost, 5);
    trace_writer_close(&w);
    close_shm(&shm);
  }
}

static void an_impossible_tail_is_not_waited_for(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, true);
  for (uint32_t i = 0; i < CAPACITY; i++)
    trace_m_park(&w);
  atomic_store(&shm.ring->tail, UINT64_MAX / 2);
  trace_m_park(&w);
  assert_int_equal(shm.ring->lost, 1);
  trace_writer_close(&w);
  close_shm(&shm);
}

static void a_string_larger_than_the_ring_is_dropped_not_waited_for(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_writer w = open_writer(&shm, true);
  static const char bytes[CAPACITY * 16];
  trace_m_park(&w);
  trace_emit_string(&w, 1, bytes, sizeof bytes);
  assert_int_equal(shm.ring->lost, CAPACITY + 1);
  trace_m_park(&w);
  assert_int_equal(shm.ring->head, 3); /* the park, the loss, the park */
  trace_writer_close(&w);
  close_shm(&shm);
}

static void the_memory_cannot_be_cut_or_grown(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  assert_int_equal(ftruncate(shm.fd, 0), -1); /* so no access of a reader can fault */
  assert_int_equal(errno, EPERM);
  assert_int_equal(ftruncate(shm.fd, 1 << 30), -1);
  close_shm(&shm);
}

static void a_memory_that_is_not_sealed_is_refused(void **state)
{
  (void)state;
  const char *why = NULL;
  int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  assert_int_equal(ftruncate(fd, 1 << 20), 0);
  assert_null(trace_shm_map_control(fd, &why));
  assert_non_null(strstr(why, "not sealed"));
  close(fd);
  int pipe_fds[2];
  assert_int_equal(pipe(pipe_fds), 0);
  assert_null(trace_shm_map_control(pipe_fds[0], &why));
  close(pipe_fds[0]);
  close(pipe_fds[1]);
}

/* What the other side may write over its control page, and what is said then. */
static void spoil_and_expect(size_t offset, uint64_t value, size_t size, const char *says)
{
  const char *why = NULL;
  struct shm shm = open_shm();
  memcpy((char *)shm.control + offset, &value, size);
  assert_null(trace_shm_map_control(shm.fd, &why));
  if (!strstr(why, says))
    fail_msg("\"%s\" does not say \"%s\"", why, says);
  close_shm(&shm);
}

#define SPOIL(field, value, says)                                                                  \
  spoil_and_expect(offsetof(struct trace_control, field), value,                                   \
                   sizeof((struct trace_control *)NULL)->field, says)

static void a_hostile_control_page_is_refused_in_words(void **state)
{
  (void)state;
  SPOIL(magic, 0, "not a gmpscope trace memory");
  SPOIL(abi, 99, "another version");
  SPOIL(ring_capacity, 1000, "ring size");
  SPOIL(ring_capacity, 1u << 31, "ring size");
  SPOIL(ring_capacity, 1u << 20, "smaller than it says");
  SPOIL(max_rings, 0, "number of rings");
  SPOIL(max_rings, 1u << 30, "number of rings");
  SPOIL(max_rings, 1024, "smaller than it says");
  SPOIL(ring_stride, 1, "smaller than it says");
}

static void an_impossible_head_reads_nothing(void **state)
{
  (void)state;
  struct shm shm = open_shm();
  struct trace_record records[4];
  size_t n_records;
  bool broken;
  const uint64_t heads[] = { CAPACITY + 1, UINT64_MAX, 1ull << 63 };
  for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
    atomic_store(&shm.ring->head, heads[i]);
    assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, 4, &n_records, &broken), 0);
    assert_true(broken);
  }
  atomic_store(&shm.ring->tail, 10); /* head behind tail */
  atomic_store(&shm.ring->head, 9);
  assert_int_equal(trace_ring_read(shm.ring, CAPACITY, records, 4, &n_records, &broken), 0);
  assert_true(broken);
  close_shm(&shm);
}

static void impossible_sizes_are_refused(void **state)
{
  (void)state;
  assert_int_equal(trace_shm_create(CAPACITY, 0), -EINVAL);
  assert_int_equal(trace_shm_create(CAPACITY, TRACE_MAX_RINGS + 1), -EINVAL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(what_is_emitted_is_read_in_order),
    cmocka_unit_test(a_full_ring_drops_counts_and_tells_exactly),
    cmocka_unit_test(a_string_is_written_whole_or_not_at_all),
    cmocka_unit_test(with_a_racing_reader_emitted_is_stored_plus_lost),
    cmocka_unit_test(a_writer_that_waits_for_room_loses_nothing),
    cmocka_unit_test(a_writer_whose_ring_was_given_up_does_not_wait_for_ever),
    cmocka_unit_test(a_writer_whose_recorder_was_killed_does_not_wait_for_ever),
    cmocka_unit_test(a_recorder_that_lives_and_takes_nothing_is_not_waited_for_for_ever),
    cmocka_unit_test(an_impossible_tail_is_not_waited_for),
    cmocka_unit_test(a_string_larger_than_the_ring_is_dropped_not_waited_for),
    cmocka_unit_test(the_memory_cannot_be_cut_or_grown),
    cmocka_unit_test(a_memory_that_is_not_sealed_is_refused),
    cmocka_unit_test(a_hostile_control_page_is_refused_in_words),
    cmocka_unit_test(an_impossible_head_reads_nothing),
    cmocka_unit_test(impossible_sizes_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
