/* SPDX-License-Identifier: MIT */
/* os-linux-template.c - Go's template thread: makes threads for those that may not be cloned.
 *
 * Linux gives a new thread what its maker has: the CPUs it may use, its namespaces, its capabilities, its signal mask.
 * A G that wired itself to its thread may have changed any of them, and the next G would run with it. So this thread,
 * started when nothing was changed yet, makes the others from then on, for those that are wired.
 *
 * Who asks waits for the answer, as if it had called pthread_create itself, so a refusal is handled in one place
 * (wake.c). Go's does not wait, and a refusal is the end of the process.
 */
#include "os.h"

#include <pthread.h>

struct wish {
  void *(*fn)(void *);
  void *arg;
  int error;
  bool done;
  struct wish *next;
};

static struct {
  pthread_mutex_t lock; /* guards all that follows */
  pthread_cond_t changed;
  _Atomic bool is_there;
  bool is_over;
  struct wish *wishes;
  uint64_t thread;
} template = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* lock held. */
static void fulfil(struct wish *wish)
{
  template.wishes = wish->next;
  wish->error = os_thread_start(wish->fn, wish->arg, NULL);
  wish->done = true;
  pthread_cond_broadcast(&template.changed);
}

static void *template_thread(void *unused)
{
  pthread_mutex_lock(&template.lock);
  while (!template.is_over) {
    if (template.wishes)
      fulfil(template.wishes);
    else
      pthread_cond_wait(&template.changed, &template.lock);
  }
  pthread_mutex_unlock(&template.lock);
  return unused;
}

bool os_template_start(void)
{
  KEEPS_ERRNO;
  if (atomic_load_explicit(&template.is_there, memory_order_relaxed))
    return false;
  pthread_mutex_lock(&template.lock);
  bool starts = !template.is_there && os_thread_start(template_thread, NULL, &template.thread) == 0;
  if (starts)
    template.is_there = true;
  pthread_mutex_unlock(&template.lock);
  return starts;
}

int os_thread_start_by_template(void *(*fn)(void *), void *arg)
{
  struct wish wish = { .fn = fn, .arg = arg };
  pthread_mutex_lock(&template.lock);
  if (!template.is_there) {
    pthread_mutex_unlock(&template.lock);
    return -EAGAIN;
  }
  wish.next = template.wishes;
  template.wishes = &wish;
  pthread_cond_broadcast(&template.changed);
  while (!wish.done)
    pthread_cond_wait(&template.changed, &template.lock);
  pthread_mutex_unlock(&template.lock);
  return wish.error;
}

void os_template_stop(void)
{
  pthread_mutex_lock(&template.lock);
  bool was_there = template.is_there;
  template.is_over = true;
  pthread_cond_broadcast(&template.changed);
  pthread_mutex_unlock(&template.lock);
  if (was_there)
    os_thread_join(template.thread);
  template.is_there = template.is_over = false;
}
