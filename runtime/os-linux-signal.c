/* SPDX-License-Identifier: MIT */
/* os-linux-signal.c - the signals that the runtime takes, on an alternate stack.
 *
 * SIGSEGV and SIGBUS: a G that runs into its stack's guard can only be told on another stack. A fault that
 * the handler does not know goes to whoever had the signal before, as if we were not there: the old
 * handler is called, or the default is restored and the instruction runs again and dies of it.
 * SIGQUIT: the dump of all Gs, unless the program has a handler of its own. That it was ignored says nothing: a shell
 * without job control starts what ends in & so, and Go's runtime takes it all the same.
 */
#include "os.h"

#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>

#define ALT_STACK_SIZE (64u << 10)

static os_fault_handler *on_fault;
static os_quit_handler *on_quit;
static struct sigaction old_segv, old_bus, old_quit;

static void pass_on(int number, siginfo_t *info, void *context)
{
  const struct sigaction *old = number == SIGBUS ? &old_bus : &old_segv;
  if (old->sa_flags & SA_SIGINFO)
    old->sa_sigaction(number, info, context);
  else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN)
    old->sa_handler(number);
  else if (info->si_code > 0)
    sigaction(number, old, NULL);        /* the instruction runs again, and dies of it */
  else if (old->sa_handler == SIG_DFL) { /* somebody sent it */
    sigaction(number, old, NULL);
    raise(number);
  }
}

static void handle_fault(int number, siginfo_t *info, void *context)
{
  const mcontext_t *regs = &((ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
  void *pc = (void *)regs->gregs[REG_RIP], *fp = (void *)regs->gregs[REG_RBP];
  void *sp = (void *)regs->gregs[REG_RSP];
#else
  void *pc = (void *)regs->pc, *fp = (void *)regs->regs[29], *sp = (void *)regs->sp;
#endif
  if (!on_fault(info->si_addr, pc, fp, sp))
    pass_on(number, info, context);
}

static void handle_quit(int number, siginfo_t *info, void *context)
{
  const mcontext_t *regs = &((ucontext_t *)context)->uc_mcontext;
  (void)number;
#if defined(__x86_64__)
  on_quit((void *)regs->gregs[REG_RIP], (void *)regs->gregs[REG_RBP], info->si_code, context);
#else
  on_quit((void *)regs->pc, (void *)regs->regs[29], info->si_code, context);
#endif
}

void os_registers(const void *context, void (*tell)(const char *name, uint64_t value))
{
  const mcontext_t *regs = &((const ucontext_t *)context)->uc_mcontext;
#if defined(__x86_64__)
  static const struct {
    const char *name;
    int index;
  } named[] = {
    { "rax", REG_RAX }, { "rbx", REG_RBX },    { "rcx", REG_RCX }, { "rdx", REG_RDX },
    { "rdi", REG_RDI }, { "rsi", REG_RSI },    { "rbp", REG_RBP }, { "rsp", REG_RSP },
    { "r8", REG_R8 },   { "r9", REG_R9 },      { "r10", REG_R10 }, { "r11", REG_R11 },
    { "r12", REG_R12 }, { "r13", REG_R13 },    { "r14", REG_R14 }, { "r15", REG_R15 },
    { "rip", REG_RIP }, { "rflags", REG_EFL },
  };
  for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
    tell(named[i].name, (uint64_t)regs->gregs[named[i].index]);
  uint64_t segments = (uint64_t)regs->gregs[REG_CSGSFS]; /* 16 bits each */
  tell("cs", segments & 0xffff);
  tell("fs", segments >> 32 & 0xffff);
  tell("gs", segments >> 16 & 0xffff);
#else
  tell("pc", regs->pc);
  tell("sp", regs->sp);
#endif
}

static void take(int number, struct sigaction *action, struct sigaction *old)
{
  sigemptyset(&action->sa_mask);
  sigaction(number, action, old);
}

void os_signals_install(os_fault_handler *fault, os_quit_handler *quit)
{
  on_fault = fault;
  on_quit = quit;
  struct sigaction action = { .sa_sigaction = handle_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };
  take(SIGSEGV, &action, &old_segv);
  take(SIGBUS, &action, &old_bus);
  sigaction(SIGQUIT, NULL, &old_quit);
  if ((old_quit.sa_flags & SA_SIGINFO) ||
      (old_quit.sa_handler != SIG_DFL && old_quit.sa_handler != SIG_IGN))
    return;
  struct sigaction quit_action = { .sa_sigaction = handle_quit,
                                   .sa_flags = SA_SIGINFO | SA_ONSTACK };
  take(SIGQUIT, &quit_action, &old_quit);
}

/* Not what the program installed meanwhile. */
static void give_back(int number, const struct sigaction *old)
{
  struct sigaction now;
  if (sigaction(number, NULL, &now) != 0)
    return;
  if ((now.sa_flags & SA_SIGINFO) &&
      (now.sa_sigaction == handle_fault || now.sa_sigaction == handle_quit))
    sigaction(number, old, NULL);
}

void os_signals_restore(void)
{
  give_back(SIGSEGV, &old_segv);
  give_back(SIGBUS, &old_bus);
  give_back(SIGQUIT, &old_quit);
}

void *os_altstack_install(void)
{
  stack_t current;
  if (sigaltstack(NULL, &current) == 0 && !(current.ss_flags & SS_DISABLE))
    return NULL; /* a sanitizer's, or the program's: large enough */
  stack_t stack = { .ss_sp = malloc(ALT_STACK_SIZE), .ss_size = ALT_STACK_SIZE };
  if (!stack.ss_sp)
    return NULL;
  sigaltstack(&stack, NULL);
  return stack.ss_sp;
}

void os_altstack_remove(void *stack)
{
  if (!stack)
    return;
  stack_t none = { .ss_flags = SS_DISABLE };
  sigaltstack(&none, NULL);
  free(stack);
}
