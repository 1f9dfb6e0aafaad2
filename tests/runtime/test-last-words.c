/* SPDX-License-Identifier: MIT */
/* test-last-words.c - a panic is told to its end, whatever the rest of the program does meanwhile. */
#include "proc.h"
#include "program.h"
#include "wakes-main.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>

/* ---- main returns while another G panics, whose deferred call has woken it ---- */

static struct rt_waitgroup wg;
static void wait_for_a_panic(void *yields)
{
  rt_waitgroup_add(&wg, 1);
  rt_go(yields ? panic_wake_and_yield : panic_and_wake, &wg);
  rt_waitgroup_wait(&wg);
}
PROGRAM(returns_at_once)
{
  wait_for_a_panic(NULL);
  return 0;
}
PROGRAM(returns_before_the_panic_is_told)
{
  wait_for_a_panic(&wg);
  return 0;
}
static int in_rt_run(void *yields)
{
  return rt_run(wait_for_a_panic, yields, NULL);
}
static void assert_told(const struct outcome *o)
{
  assert_starts_with(o->err, "panic: not to be lost\n\ngoroutine ");
  assert_int_equal(o->code, 2);
}
static void a_panic_is_told_although_main_returns(void **state)
{
  (void)state;
  for (int i = 0; i < 200; i++) {
    struct outcome o =
        run_program(i % 2 ? returns_before_the_panic_is_told : returns_at_once, 1 + i / 2 % 2);
    assert_told(&o);
    o = run_child(in_rt_run, i % 2 ? &wg : NULL, 1 + i / 2 % 2);
    assert_told(&o);
  }
}

/* Its reader reads on only when main returns. */
#define MANY 2000
static _Atomic bool *may_return;
static int returned[2];
static void wait_for_ever(void *unused)
{
  (void)unused;
  rt_chan_recv(NULL, NULL);
}
static void panic_at_length(void *unused)
{
  (void)unused;
  rt_panic("at length");
}
PROGRAM(returns_while_another_dies)
{
  for (int i = 0; i < MANY; i++)
    rt_go(wait_for_ever, NULL);
  rt_go(panic_at_length, NULL);
  while (!*may_return) /* on its P; the other one takes who panics */
    usleep(1000);
  return write(returned[1], "r", 1) != 1;
}
static int die_into_a_pipe(void *ends)
{
  const int *said = ends;
  dup2(said[1], 2);
  close(said[0]), close(said[1]);
  setenv("RT_TRACEBACK", "all", 1);
  return under_rt_main(&(struct main_function){ returns_while_another_dies });
}
static int count_goroutines(FILE *from)
{
  char line[4096];
  int n = 0;
  while (fgets(line, sizeof line, from))
    n += strncmp(line, "goroutine ", 10) == 0;
  fclose(from);
  return n;
}
static void last_words_are_said_to_their_end_although_main_returns(void **state)
{
  int said[2], status;
  char r;
  (void)state;
  may_return = mmap(NULL, 1, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_ptr_not_equal(may_return, MAP_FAILED);
  for (int i = 0; i < 3; i++) {
    *may_return = false;
    assert_int_equal(pipe(said) | pipe(returned), 0);
    assert_true(fcntl(said[1], F_SETPIPE_SZ, 4096) > 0);
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
      setenv("RT_MAXPROCS", "2", 1);
      exit(die_into_a_pipe(said));
    }
    close(said[1]), close(returned[1]);
    FILE *words = fdopen(said[0], "r");
    assert_int_equal(fgetc(words), 'p'); /* of panic */
    *may_return = true;
    assert_int_equal(read(returned[0], &r, 1), 1);
    assert_int_equal(count_goroutines(words), MANY + 2);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 2);
    close(returned[0]);
  }
  munmap((void *)may_return, 1);
}

/* ---- nobody reads what they say ---- */

static int speaks_to_nobody(void *fn)
{
  int ends[2];
  if (pipe(ends) != 0 || dup2(ends[1], 2) != 2)
    return 1;
  close(ends[0]), close(ends[1]);
  return under_rt_main(fn);
}
PROGRAM(panics_unheard)
{
  rt_panic("unheard");
}
PROGRAM(is_summed_up_unheard)
{
  rt_sleep(20000000); /* several lines */
  return 0;
}
/* SIGPIPE would be 128 + 13. As in Go, whose runtime's own writes raise none. */
static void words_that_nobody_reads_are_no_end(void **state)
{
  (void)state;
  struct outcome o = run_child(speaks_to_nobody, &(struct main_function){ panics_unheard }, 1);
  assert_int_equal(o.code, 2);
  setenv("RT_DEBUG", "schedtrace=1", 1);
  o = run_child(speaks_to_nobody, &(struct main_function){ is_summed_up_unheard }, 1);
  unsetenv("RT_DEBUG");
  assert_int_equal(o.code, 0);
}

/* ---- beside a library that is being loaded, and waits for us ---- */

static _Atomic bool is_loading, may_go_on;
int slow_library_may_go_on(void);
int slow_library_may_go_on(void)
{
  is_loading = true;
  return may_go_on;
}
static void *load_slowly(void *path)
{
  return dlopen(path, RTLD_NOW);
}
static void dump_meanwhile(void *all)
{
  while (!is_loading)
    rt_yield();
  rt_stack_dump(1, all);
  may_go_on = true;
}
static void panic_meanwhile(void *unused)
{
  (void)unused;
  while (!is_loading)
    rt_yield();
  rt_panic("beside the loader");
}
static int load_beside(void (*fn)(void *), void *arg)
{
  char path[4096];
  alarm(20); /* it waits for ever, if it waits */
  snprintf(path, sizeof path, "%s/tests/runtime/libslow-library.so", getenv("GMPSCOPE_BUILD"));
  rt_go(fn, arg);
  puts(rt_blocking(load_slowly, path) ? "loaded" : "not loaded");
  return 0;
}
PROGRAM(dumps_itself)
{
  return load_beside(dump_meanwhile, NULL);
}
PROGRAM(dumps_all)
{
  return load_beside(dump_meanwhile, &wg);
}
PROGRAM(panics_beside_the_loader)
{
  return load_beside(panic_meanwhile, NULL);
}
static void nobody_who_dumps_waits_for_the_loader(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_program(n % 3 == 1 ? dumps_itself : dumps_all, n);
    assert_int_equal(o.code, 0);
    assert_starts_with(o.out, "goroutine 2 [running]:\nrt_stack_dump(...)\n");
    assert_non_null(strstr(o.out, "\ndump_meanwhile(...)\n"));
    assert_non_null(strstr(o.out, "\nloaded\n"));
    o = run_program(panics_beside_the_loader, n);
    assert_int_equal(o.code, 2);
    assert_starts_with(o.err, "panic: beside the loader\n\ngoroutine 2 [running]:\n");
    assert_non_null(strstr(o.err, "\npanic_meanwhile(...)\n"));
  }
}

/* ---- who has panicked panics no more ---- */

static void recover_it(void *unused)
{
  (void)unused;
  rt_recover(NULL);
}
static void end_the_g(void *unused)
{
  (void)unused;
  rt_goexit();
}
static void panic_again(void *unused)
{
  (void)unused;
  rt_panic("again");
}
static void panic_and(void (*then)(void *), void (*first)(void *))
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, then, NULL);
  if (first)
    RT_DEFER(fr, first, NULL);
  rt_panic("over soon");
}
static void panic_and_recover(void *twice)
{
  panic_and(recover_it, twice ? panic_again : NULL);
}
static void panic_and_end(void *twice)
{
  panic_and(end_the_g, twice ? panic_again : NULL);
}
PROGRAM(panics_that_are_over)
{
  rt_go(panic_and_recover, NULL);
  rt_go(panic_and_recover, &wg);
  rt_go(panic_and_end, NULL);
  rt_go(panic_and_end, &wg);
  while (rt_num_goroutine() > 1)
    rt_yield();
  printf("%u\n", atomic_load(&sched.npanicking));
  return 0;
}
/* Or each later end of a run would wait for them. */
static void a_panic_that_is_over_is_not_waited_for(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(panics_that_are_over, n, "0\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_panic_is_told_although_main_returns),
    cmocka_unit_test(last_words_are_said_to_their_end_although_main_returns),
    cmocka_unit_test(words_that_nobody_reads_are_no_end),
    cmocka_unit_test(nobody_who_dumps_waits_for_the_loader),
    cmocka_unit_test(a_panic_that_is_over_is_not_waited_for),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
