/* SPDX-License-Identifier: MIT */
/* fake-program.c - a traced program that is no scheduler: it writes events into its rings as fast as it can.
 *
 *   fake-program THREADS EVENTS [how]       each thread emits EVENTS events on a ring of its own
 *
 *   how  exit=N      ends with this status                kill       ends by SIGKILL, at once after the last event
 *        mid-string  ends by SIGKILL in the middle of a string's records
 *        junk        every 1000th record is of no kind    pause=US   sleeps between events
 *        head        breaks its ring's head at the end    orphan     starts no tracing at all
 *
 * It prints nothing. Event i of a thread is user-made so that a reader can check it: go_start(run_g = i, ...).
 */
#include "trace-emit.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct trace_control *control;
static int memfd;
static uint64_t n_events;
static const char *how = "";

static bool does(const char *what)
{
  return strncmp(how, what, strlen(what)) == 0;
}

static int how_number(void)
{
  const char *equals = strchr(how, '=');
  return equals ? atoi(equals + 1) : 0;
}

static void emit_one(struct trace_writer *w, uint64_t i)
{
  trace_stamp(w);
  if (does("junk") && i % 1000 == 999)
    trace_emit(w, (enum trace_kind)999, i, i);
  else
    trace_go_start(w, (uint32_t)i, (uint32_t)i, 0);
  if (does("pause"))
    usleep((useconds_t)how_number());
}

static void die_in_a_string(struct trace_writer *w)
{
  trace_reserve(w, 5);
  trace_write(w, TRACE_STRING, 1 | (uint64_t)64 << 32, 0);
  trace_publish(w, 5);
  raise(SIGKILL);
}

static void *produce(void *arg)
{
  uint32_t m = (uint32_t)(uintptr_t)arg;
  uint32_t capacity = control->ring_capacity;
  uint32_t i_ring = atomic_fetch_add(&control->n_rings, 1);
  if (i_ring >= control->max_rings) { /* as the runtime does */
    atomic_store(&control->n_rings, control->max_rings);
    atomic_fetch_add(&control->unringed, n_events);
    return NULL;
  }
  struct trace_ring *ring =
      trace_shm_map_ring(memfd, capacity, trace_ring_stride(capacity), i_ring);
  struct trace_writer w;
  trace_writer_open(&w, ring, capacity, m, atomic_load(&control->clock),
                    atomic_load(&control->full_blocks) ? control : NULL);
  trace_stamp(&w);
  trace_m_create(&w, (uint32_t)gettid(), 0);
  if (m == 0) {
    trace_trace_begin(&w, TRACE_ABI, 1, 1);
    trace_go_create(&w, 1, 0, (uint64_t)(uintptr_t)produce);
  }
  for (uint64_t i = 0; i < n_events; i++)
    emit_one(&w, i);
  if (does("mid-string"))
    die_in_a_string(&w);
  if (does("head"))
    atomic_store(&ring->head, UINT64_MAX / 2);
  else
    trace_writer_close(&w);
  return NULL;
}

int main(int argc, char **argv)
{
  const char *fd_text = getenv(TRACE_ENV_FD);
  if (argc < 3)
    return 64;
  int n_threads = atoi(argv[1]);
  n_events = strtoull(argv[2], NULL, 10);
  how = argc > 3 ? argv[3] : "";
  const char *why;
  if (does("orphan") || !fd_text)
    return how_number();
  memfd = atoi(fd_text);
  control = trace_shm_map_control(memfd, &why);
  if (!control)
    return 65;
  atomic_store(&control->pid, (uint32_t)getpid());
  atomic_store(&control->clock, TRACE_CLOCK_MONO);
#if defined(__x86_64__)
  atomic_store(&control->clock, TRACE_CLOCK_TSC);
#endif
  atomic_store(&control->state, TRACE_STATE_ON);
  pthread_t threads[64];
  for (int i = 1; i < n_threads && i < 64; i++)
    pthread_create(&threads[i], NULL, produce, (void *)(uintptr_t)i);
  produce((void *)(uintptr_t)0);
  for (int i = 1; i < n_threads && i < 64; i++)
    pthread_join(threads[i], NULL);
  if (does("kill"))
    raise(SIGKILL);
  return does("exit") ? how_number() : 0;
}
