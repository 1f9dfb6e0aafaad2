/* SPDX-License-Identifier: MIT */
/* test-signals.c - a program's own signal handlers, set before or while the runtime runs, stay its own. */
#include "program.h"

#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>

static _Atomic int caught;
static void *volatile bad_page;

static void note(int number)
{
  atomic_store(&caught, number);
}

static void note_and_repair(int number, siginfo_t *info, void *context)
{
  (void)context;
  atomic_store(&caught, number);
  if (info->si_addr != bad_page)
    _exit(77);
  mprotect(bad_page, 4096, PROT_READ | PROT_WRITE);
}

static void handle(int number, void (*plain)(int), void (*full)(int, siginfo_t *, void *))
{
  struct sigaction action = { .sa_flags = full ? SA_SIGINFO | SA_ONSTACK : SA_ONSTACK };
  if (full)
    action.sa_sigaction = full;
  else
    action.sa_handler = plain;
  sigaction(number, &action, NULL);
}

static bool is_handled_by(int number, void (*plain)(int))
{
  struct sigaction now;
  sigaction(number, NULL, &now);
  return now.sa_handler == plain;
}

static void touch_a_bad_page(void)
{
  bad_page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *(volatile int *)bad_page = 7;
}

/* ---- faults that are not a guard's ---- */

static void touch(void *unused)
{
  (void)unused;
  touch_a_bad_page();
  printf("%d ", atomic_load(&caught) == SIGSEGV);
}
static int run_after(void (*fn)(void *))
{
  int error = rt_run(fn, NULL, NULL);
  puts("");
  fflush(stdout);
  return error;
}

/* Runs fn in a child and returns what it printed and how it ended. */
static struct outcome in_a_child(int (*fn)(void))
{
  struct outcome o = { 0 };
  FILE *out = tmpfile(), *err = tmpfile();
  int status;
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    dup2(fileno(out), 1);
    dup2(fileno(err), 2);
    for (int n = 1; n < 32; n++)
      signal(n, SIG_DFL); /* a sanitizer's */
    alarm(60);
    exit(fn());
  }
  waitpid(child, &status, 0);
  o.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(out, o.out, sizeof o.out);
  read_back(err, o.err, sizeof o.err);
  return o;
}

static int handler_before(void)
{
  handle(SIGSEGV, NULL, note_and_repair);
  return run_after(touch);
}
static void touch_with_a_handler(void *unused)
{
  handle(SIGSEGV, NULL, note_and_repair);
  touch(unused);
}
static int handler_later(void)
{
  return run_after(touch_with_a_handler);
}
static int no_handler(void)
{
  return run_after(touch);
}
static void a_fault_goes_to_the_programs_handler(void **state)
{
  (void)state;
  struct outcome o = in_a_child(handler_before);
  assert_string_equal(o.out, "1 \n");
  assert_int_equal(o.code, 0);
  o = in_a_child(handler_later);
  assert_string_equal(o.out, "1 \n");
  assert_int_equal(o.code, 0);
}
static void without_a_handler_a_fault_kills_as_ever(void **state)
{
  (void)state;
  struct outcome o = in_a_child(no_handler);
  assert_string_equal(o.err, "");
  assert_int_equal(o.code, 128 + SIGSEGV);
}

static void send_segv(void *unused)
{
  (void)unused;
  raise(SIGSEGV);
  printf("lives ");
}
static int sent_segv(void)
{
  return run_after(send_segv);
}
static int sent_and_ignored_segv(void)
{
  signal(SIGSEGV, SIG_IGN);
  return run_after(send_segv);
}
static void a_sent_sigsegv_does_what_it_would_without_us(void **state)
{
  (void)state;
  assert_int_equal(in_a_child(sent_segv).code, 128 + SIGSEGV);
  struct outcome o = in_a_child(sent_and_ignored_segv);
  assert_string_equal(o.out, "lives \n");
  assert_int_equal(o.code, 0);
}

/* ---- the others ---- */

static void send_all(void *unused)
{
  (void)unused;
  const int numbers[] = { SIGURG, SIGQUIT, SIGUSR1, SIGTERM, SIGPIPE, SIGCHLD };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    atomic_store(&caught, 0);
    raise(numbers[i]);
    printf("%d ", atomic_load(&caught) == numbers[i]);
  }
}
static int handlers_for_all(void)
{
  const int numbers[] = { SIGURG, SIGQUIT, SIGUSR1, SIGTERM, SIGPIPE, SIGCHLD };
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    handle(numbers[i], note, NULL);
  return run_after(send_all);
}
static void handlers_that_were_there_get_their_signals(void **state)
{
  (void)state;
  struct outcome o = in_a_child(handlers_for_all);
  assert_string_equal(o.out, "1 1 1 1 1 1 \n");
  assert_int_equal(o.code, 0);
}

static void nothing(void *unused)
{
  (void)unused;
}
static void send_quit(void *unused)
{
  (void)unused;
  raise(SIGQUIT);
  printf("lives ");
}
static int ignored_quit(void)
{
  signal(SIGQUIT, SIG_IGN);
  return run_after(send_quit);
}
static int ignored_quit_before_and_after(void)
{
  signal(SIGQUIT, SIG_IGN);
  int error = run_after(nothing);
  raise(SIGQUIT);
  printf("lives ");
  return error;
}
static void ignore_and_send_quit(void *unused)
{
  signal(SIGQUIT, SIG_IGN);
  send_quit(unused);
}
static int quit_ignored_during(void)
{
  return run_after(ignore_and_send_quit);
}
static void sigquit_dumps_though_it_was_ignored_before_the_run(void **state)
{
  (void)state;
  struct outcome o = in_a_child(ignored_quit);
  o.err[sizeof "SIGQUIT: quit\n" - 1] = '\0';
  assert_string_equal(o.err, "SIGQUIT: quit\n");
  assert_string_equal(o.out, "");
  assert_int_equal(o.code, 2);
  assert_string_equal(in_a_child(ignored_quit_before_and_after).out, "\nlives ");
  assert_string_equal(in_a_child(quit_ignored_during).out, "lives \n");
}

static void install_during(void *unused)
{
  (void)unused;
  handle(SIGSEGV, note, NULL);
  handle(SIGBUS, note, NULL);
  handle(SIGQUIT, note, NULL);
  handle(SIGURG, note, NULL);
}
static int handlers_installed_during(void)
{
  int error = run_after(install_during);
  printf("%d%d%d%d", is_handled_by(SIGSEGV, note), is_handled_by(SIGBUS, note),
         is_handled_by(SIGQUIT, note), is_handled_by(SIGURG, note));
  return error;
}
static int handlers_before(void)
{
  install_during(NULL);
  int error = run_after(nothing);
  printf("%d%d%d%d", is_handled_by(SIGSEGV, note), is_handled_by(SIGBUS, note),
         is_handled_by(SIGQUIT, note), is_handled_by(SIGURG, note));
  return error;
}
static void handlers_survive_the_run(void **state)
{
  (void)state;
  assert_string_equal(in_a_child(handlers_installed_during).out, "\n1111");
  assert_string_equal(in_a_child(handlers_before).out, "\n1111");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_fault_goes_to_the_programs_handler),
    cmocka_unit_test(without_a_handler_a_fault_kills_as_ever),
    cmocka_unit_test(a_sent_sigsegv_does_what_it_would_without_us),
    cmocka_unit_test(handlers_that_were_there_get_their_signals),
    cmocka_unit_test(sigquit_dumps_though_it_was_ignored_before_the_run),
    cmocka_unit_test(handlers_survive_the_run),
  };
  return cmocka_run_group_tests_name("signals", tests, NULL, NULL);
}
