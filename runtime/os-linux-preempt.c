/* SPDX-License-Identifier: MIT */
/* os-linux-preempt.c - SIGURG, by which a running thread is stopped.
 *
 * Why SIGURG is Go's reasoning: debuggers pass it through, libc does not use it, it may come for no reason
 * without harm, and hardly any program wants it. If this one does, its handler is called for every SIGURG, ours
 * too: the kernel merges those that wait, so one may stand for both.
 *
 * On the alternate stack: a G's may be nearly used up. The handler returns before anything is switched, so
 * the signal mask and that stack are free again by then.
 */
#include "os.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static os_preempt_handler *land;
static struct sigaction old;

static void pass_on(int number, siginfo_t *info, void *context)
{
  if (old.sa_flags & SA_SIGINFO)
    old.sa_sigaction(number, info, context);
  else if (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN)
    old.sa_handler(number);
}

static void handle(int number, siginfo_t *info, void *context)
{
  KEEPS_ERRNO;
  pass_on(number, info, context);
#if defined(__x86_64__)
  greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
  struct os_regs at = { .pc = (uintptr_t)regs[REG_RIP], .sp = (uintptr_t)regs[REG_RSP] };
  land(&at);
  regs[REG_RIP] = (greg_t)at.pc;
  regs[REG_RSP] = (greg_t)at.sp;
#else
#error "preempt.c knows x86_64 only"
#endif
}

int os_preempt_install(os_preempt_handler *handler)
{
  land = handler;
  struct sigaction action = { .sa_sigaction = handle,
                              .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART };
  sigemptyset(&action.sa_mask);
  return sigaction(SIGURG, &action, &old) == 0 ? 0 : -errno;
}

/* Unless the program installed its own meanwhile. */
void os_preempt_restore(void)
{
  struct sigaction now;
  if (sigaction(SIGURG, NULL, &now) == 0 && (now.sa_flags & SA_SIGINFO) &&
      now.sa_sigaction == handle)
    sigaction(SIGURG, &old, NULL);
}

void os_preempt_send(uint32_t tid)
{
  KEEPS_ERRNO;
  syscall(SYS_tgkill, getpid(), (pid_t)tid, SIGURG);
}

bool os_preempt_open(void)
{
  sigset_t urg, before;
  sigemptyset(&urg);
  sigaddset(&urg, SIGURG);
  return pthread_sigmask(SIG_UNBLOCK, &urg, &before) == 0 && sigismember(&before, SIGURG) == 1;
}

void os_preempt_close(void)
{
  sigset_t urg;
  sigemptyset(&urg);
  sigaddset(&urg, SIGURG);
  pthread_sigmask(SIG_BLOCK, &urg, NULL);
}
