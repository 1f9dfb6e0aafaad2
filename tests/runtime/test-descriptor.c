/* SPDX-License-Identifier: MIT */
/* test-descriptor.c - who has a descriptor, and until when: whole writes, close, the end of a run. */
#include "program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/ioctl.h>

#define MIB (1 << 20)

static struct rt_waitgroup wg;
static int ends[2]; /* of a pipe or of a pair of sockets; [0] is read from */

static void open_ends(bool sockets)
{
  if ((sockets ? socketpair(AF_UNIX, SOCK_STREAM, 0, ends) : pipe(ends)) != 0)
    rt_panic("no descriptors");
}

/* ---- whole writes ---- */

static void write_a_mib(void *letter)
{
  char *text = malloc(MIB);
  memset(text, (int)(intptr_t)letter, MIB);
  if (rt_write(ends[1], text, MIB, 0) != MIB)
    puts("short write");
  free(text);
  rt_waitgroup_done(&wg);
}

static void close_after_them(void *unused)
{
  (void)unused;
  rt_waitgroup_wait(&wg);
  rt_close(ends[1]);
}

static void tell_runs_of_letters(int n_writers)
{
  char buf[5000], last = 0;
  long total = 0;
  int runs = 0;
  rt_waitgroup_add(&wg, n_writers);
  for (int i = 0; i < n_writers; i++)
    rt_go(write_a_mib, (void *)(intptr_t)('A' + i));
  rt_go(close_after_them, NULL);
  for (ssize_t n; (n = rt_read(ends[0], buf, sizeof buf, 0)) > 0; total += n)
    for (ssize_t i = 0; i < n; last = buf[i++])
      runs += buf[i] != last;
  printf("%ld MiB in %d pieces\n", total / MIB, runs);
}

PROGRAM(three_writers)
{
  for (int sockets = 0; sockets < 2; sockets++) {
    open_ends(sockets);
    tell_runs_of_letters(3);
    rt_close(ends[0]);
  }
  return 0;
}
static void writes_go_one_after_the_other_as_wholes(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(three_writers, n, "3 MiB in 3 pieces\n3 MiB in 3 pieces\n");
}

/* ---- a write that is between two of its parts ---- */

enum {
  WHOLE_SENDS,
  FIRST_SEND_SHORT, /* and it lasts until the descriptor is being closed */
  SENDS_FOR_EVER,
};
static _Atomic int sends;
static _Atomic bool in_send;

static bool is_being_closed(int fd)
{
  char byte;
  return rt_read(fd, &byte, 1, 1) == -EBADF; /* else its deadline is over */
}

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
ssize_t __real_send(int fd, const void *buf, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t n, int flags)
{
  int how = sends;
  if (how == WHOLE_SENDS)
    return __real_send(fd, buf, n, flags);
  n = __real_send(fd, buf, 10, flags) == 10 ? 10 : 0;
  in_send = true;
  while (how == SENDS_FOR_EVER || !is_being_closed(fd))
    rt_yield();
  sends = WHOLE_SENDS;
  return (ssize_t)n;
}
/* NOLINTEND(bugprone-reserved-identifier) */

static ssize_t written;
static void write_a_hundred(void *unused)
{
  (void)unused;
  char hundred[100] = "";
  written = rt_write(ends[1], hundred, sizeof hundred, 0);
  rt_waitgroup_done(&wg);
}

static void begin_to_write(int how)
{
  sends = how;
  open_ends(true);
  rt_waitgroup_add(&wg, 1);
  rt_go(write_a_hundred, NULL);
  while (!in_send)
    rt_yield();
}

PROGRAM(closes_in_between)
{
  char buf[200];
  size_t got = 0;
  begin_to_write(FIRST_SEND_SHORT);
  int number = ends[1];
  printf("%d ", rt_close(number));
  printf("%d ", fcntl(number, F_GETFD) == -1);
  rt_waitgroup_wait(&wg);
  for (ssize_t n; (n = rt_read(ends[0], buf, sizeof buf, 0)) > 0;)
    got += (size_t)n;
  printf("%d %d\n", (int)written, (int)got);
  return 0;
}
static void close_waits_for_a_write_that_is_between_two_parts(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(closes_in_between, n, "0 1 100 100\n");
}

/* ---- close ---- */

static int listen_at(char *address, size_t size)
{
  struct sockaddr_in at;
  socklen_t n = sizeof at;
  int fd = rt_listen(address);
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &n) != 0)
    return fd;
  snprintf(address, size, "127.0.0.1:%d", ntohs(at.sin_port));
  return fd;
}
static _Atomic int n_begun;
static void accept_until_closed(void *listener)
{
  atomic_fetch_add(&n_begun, 1);
  while (rt_accept((int)(intptr_t)listener, 0) >= 0)
    continue;
  rt_waitgroup_done(&wg);
}
/* Nobody is in it any more when rt_close returns: a server can be started anew at once. */
PROGRAM(listens_again)
{
  char address[64] = "127.0.0.1:0";
  for (int i = 0; i < 20; i++) {
    int fd = listen_at(address, sizeof address);
    if (fd < 0) {
      puts(strerror(-fd));
      return 1;
    }
    rt_waitgroup_add(&wg, 2);
    rt_go(accept_until_closed, (void *)(intptr_t)fd);
    rt_go(accept_until_closed, (void *)(intptr_t)fd);
    while (atomic_load(&n_begun) <
           2 * (i + 1)) /* who came later would wait on the next listener's number */
      rt_yield();
    for (int turns = i; turns < 20; turns++)
      rt_yield();
    rt_close(fd);
    if (UNDER_THREAD_SANITIZER) /* it would see a race in that, too, if one has begun and goes no further */
      rt_waitgroup_wait(&wg);
  }
  rt_waitgroup_wait(&wg);
  puts("listened");
  return 0;
}
static void a_port_is_free_when_close_returns(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(listens_again, n, "listened\n");
}

static void wait_on_number(void *unused)
{
  char byte;
  (void)unused;
  if (rt_read(ends[0], &byte, 1, 0) != -EBADF)
    puts("not closed");
  rt_waitgroup_done(&wg);
}
PROGRAM(many_readers)
{
  open_ends(false);
  rt_waitgroup_add(&wg, 50);
  for (int i = 0; i < 50; i++)
    rt_go(wait_on_number, NULL);
  for (int i = 0; i < 100; i++)
    rt_yield();
  printf("%d ", rt_close(ends[0]));
  printf("%d\n", fcntl(ends[0], F_GETFD) == -1);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void close_sends_all_who_wait_away(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(many_readers, n, "0 1\n");
}

/* Its first user comes while it is being closed: before that or after, but not in between, to wait for ever. */
#define NEW_NUMBER 700 /* the runtime has seen none like it */
static _Atomic bool closes_slowly, is_about_to_wait;

/* NOLINTBEGIN(bugprone-reserved-identifier): the linker's names */
int __real_close(int fd);
int __wrap_close(int fd);
int __wrap_close(int fd)
{
  if (fd == NEW_NUMBER && closes_slowly) {
    while (!is_about_to_wait)
      sched_yield();
    for (int i = 0; i < 2000; i++)
      sched_yield();
  }
  return __real_close(fd);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static void wait_on_new_number(void *unused)
{
  (void)unused;
  while (!closes_slowly)
    rt_yield();
  is_about_to_wait = true;
  char byte;
  if (rt_read(NEW_NUMBER, &byte, 1, 0) != -EBADF)
    puts("not closed");
  rt_waitgroup_done(&wg);
}
PROGRAM(first_used_while_closed)
{
  open_ends(false);
  if (dup2(ends[0], NEW_NUMBER) < 0)
    return 1;
  rt_waitgroup_add(&wg, 1);
  rt_go(wait_on_new_number, NULL);
  rt_sleep(1000000); /* until another M has it */
  closes_slowly = true;
  printf("%d\n", rt_close(NEW_NUMBER));
  rt_waitgroup_wait(&wg);
  return 0;
}
static void a_number_s_first_user_is_not_lost_to_its_close(void **state)
{
  (void)state;
  assert_prints(first_used_while_closed, 2, "0\n");
}

/* ---- deadlines ---- */

static bool has_read;
static void read_for_ever(void *unused)
{
  char byte;
  (void)unused;
  rt_read(ends[0], &byte, 1, 0);
  has_read = true;
}
PROGRAM(waits_behind_a_reader_until_long_ago)
{
  char byte;
  open_ends(false);
  rt_go(read_for_ever, NULL);
  for (int i = 0; i < 10; i++)
    rt_yield();
  const int64_t deadlines[] = { 1, -1, INT64_MIN };
  for (int i = 0; i < 3; i++)
    printf("%d ", rt_read(ends[0], &byte, 1, deadlines[i]) == -ETIMEDOUT);
  printf("%d\n", has_read);
  return 0;
}
static void a_deadline_that_is_long_past_ends_a_wait_behind_another_reader(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(waits_behind_a_reader_until_long_ago, n, "1 1 1 0\n");
}

/* ---- runs ---- */

static void leave_readers(void *unused)
{
  (void)unused;
  open_ends(false);
  rt_waitgroup_add(&wg, 2);
  rt_go(wait_on_number, NULL);
  rt_go(wait_on_number, NULL);
  for (int i = 0; i < 10; i++)
    rt_yield();
}
static void read_and_close(void *unused)
{
  char byte;
  (void)unused;
  printf("%d ", rt_read(ends[0], &byte, 1, rt_now() + 1000000) == -ETIMEDOUT);
  printf("%d ", (int)rt_write(ends[1], "x", 1, 0));
  printf("%d ", (int)rt_read(ends[0], &byte, 1, 0));
  printf("%d ", rt_close(ends[0]));
  printf("%d\n", fcntl(ends[0], F_GETFD) == -1);
}
static void close_first(void *unused)
{
  (void)unused;
  printf("%d ", rt_close(ends[0]));
  printf("%d\n", fcntl(ends[0], F_GETFD) == -1);
}
static int two_runs(void *second)
{
  wg = (struct rt_waitgroup){ 0 };
  return rt_run(leave_readers, NULL, NULL) + rt_run(*(void (**)(void *))second, NULL, NULL);
}
static void a_descriptor_is_free_for_the_next_run(void **state)
{
  (void)state;
  void (*seconds[])(void *) = { read_and_close, close_first };
  FOR_PROCS(n)
  for (int i = 0; i < 2; i++) {
    assert_child_prints(two_runs, &seconds[i], n, i == 0 ? "1 1 1 0 1\n" : "0 1\n");
  }
}

static void close_number(void *number)
{
  rt_close((int)(intptr_t)number);
}
static void leave_while_closing(void *unused)
{
  (void)unused;
  begin_to_write(SENDS_FOR_EVER);
  rt_go(close_number, (void *)(intptr_t)ends[1]);
  while (!is_being_closed(ends[1]))
    rt_yield();
}
static int run_that_leaves_while_closing(void *unused)
{
  (void)unused;
  if (rt_run(leave_while_closing, NULL, NULL) != 0)
    return 1;
  printf("%d\n", fcntl(ends[1], F_GETFD) == -1);
  return 0;
}
static void the_end_of_a_run_closes_what_was_being_closed(void **state)
{
  (void)state;
  FOR_PROCS(n)
  {
    struct outcome o = run_child(run_that_leaves_while_closing, NULL, n);
    assert_string_equal(o.out, "1\n");
    assert_int_equal(o.code, 0);
  }
}

/* ---- a close that lasts until the peer has read what was written ---- */

#define LINGER 10 /* seconds, at most */

static _Atomic bool somebody_read;
static int lingering;

static void connect_to_itself(int *peer)
{
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  char address[64];
  int listener = rt_listen("127.0.0.1:0");
  if (listener < 0 || getsockname(listener, (struct sockaddr *)&at, &size) != 0)
    rt_panic("cannot listen");
  snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
  lingering = rt_dial(address, 0);
  *peer = rt_accept(listener, 0);
  rt_close(listener);
}

static void read_all(void *peer)
{
  static char buf[1 << 16];
  ssize_t n = rt_read(*(int *)peer, buf, sizeof buf, 0);
  atomic_store(&somebody_read, n > 0);
  while (n > 0)
    n = rt_read(*(int *)peer, buf, sizeof buf, 0);
  rt_waitgroup_done(&wg);
}

PROGRAM(closes_a_socket_that_lingers)
{
  static char buf[MIB];
  int peer;
  connect_to_itself(&peer);
  const struct linger on = { 1, LINGER };
  if (setsockopt(lingering, SOL_SOCKET, SO_LINGER, &on, sizeof on) != 0)
    return 3;
  while (rt_write(lingering, buf, sizeof buf, rt_now() + 1000000) > 0) /* until all is full */
    ;
  rt_waitgroup_add(&wg, 1);
  rt_go(read_all, &peer); /* which has no P but this one */
  int result = rt_close(lingering);
  printf("%d %s\n", result, somebody_read ? "read meanwhile" : "nobody ran");
  rt_waitgroup_wait(&wg);
  rt_close(peer);
  return 0;
}
static void a_close_that_lingers_keeps_nobody_waiting(void **state)
{
  (void)state;
  assert_prints(closes_a_socket_that_lingers, 1, "0 read meanwhile\n");
}

/* ---- descriptors 0 to 2, whose flags other processes share ---- */

static int said; /* standard output, as it was */

static void write_a_byte(void *unused)
{
  (void)unused;
  rt_write(ends[1], "x", 1, 0);
}
PROGRAM(reads_standard_input)
{
  char byte = '?';
  ssize_t late = rt_read(0, &byte, 1, rt_now() + 1000000);
  rt_go(write_a_byte, NULL);
  ssize_t n = rt_read(0, &byte, 1, 0);
  printf("%s, %zd %c, %s\n", late == -ETIMEDOUT ? "late" : "early", n, byte,
         fcntl(0, F_GETFL) & O_NONBLOCK ? "changed" : "as it was");
  rt_go(write_a_byte, NULL);
  rt_read(0, &byte, 1, 0);
  close(ends[1]);
  printf("%zd at the end\n", rt_read(0, &byte, 1, 0));
  return rt_close(0);
}
/* ends[0] is the number 0 then. */
static void make_a_pipe_the_input(int flags)
{
  if (pipe2(ends, flags) != 0 || dup2(ends[0], 0) != 0)
    abort();
  close(ends[0]);
  ends[0] = 0;
}
static int with_a_pipe_as_input(void *unused)
{
  (void)unused;
  make_a_pipe_the_input(0);
  return under_rt_main(&(struct main_function){ reads_standard_input });
}
static void standard_input_is_waited_for_and_stays_as_it_was(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(with_a_pipe_as_input, NULL, n, "late, 1 x, as it was\n0 at the end\n");
}

/* As a shell does with the terminal that it lent to somebody else meanwhile. */
PROGRAM(reads_what_blocks_again)
{
  char byte;
  alarm(20); /* it waits for ever, if it waits */
  bool late = rt_read(0, &byte, 1, rt_now() + 1000000) == -ETIMEDOUT;
  fcntl(0, F_SETFL, 0);
  printf("%d %d\n", late, rt_read(0, &byte, 1, rt_now() + 1000000) == -ETIMEDOUT);
  return 0;
}
static int with_a_pipe_as_input_that_does_not_block(void *unused)
{
  (void)unused;
  make_a_pipe_the_input(O_NONBLOCK);
  return under_rt_main(&(struct main_function){ reads_what_blocks_again });
}
static void standard_input_may_begin_to_block(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(with_a_pipe_as_input_that_does_not_block, NULL, n, "1 1\n");
}

PROGRAM(writes_to_nobody)
{
  rt_write(1, "x", 1, 0);
  return 0;
}
static int with_a_socket_as_output(void *unused)
{
  (void)unused;
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || dup2(ends[1], 1) != 1)
    return 1;
  close(ends[0]);
  return under_rt_main(&(struct main_function){ writes_to_nobody });
}
static void a_socket_as_standard_output_that_nobody_reads_is_the_end(void **state)
{
  (void)state;
  struct outcome o = run_child(with_a_socket_as_output, NULL, 1);
  assert_int_equal(o.code, 128 + SIGPIPE);
}

/* Who has its turn is made ready by the close, as is main behind him, who runs before. */
static void leave_a_reader_of_what_is_closed(void *unused)
{
  char byte;
  (void)unused;
  rt_go(read_for_ever, NULL);
  rt_yield();
  rt_go(close_number, (void *)0);
  rt_read(0, &byte, 1, 0);
}
static int run_that_leaves_standard_input_while_closing(void *unused)
{
  (void)unused;
  make_a_pipe_the_input(0);
  int code = rt_run(leave_a_reader_of_what_is_closed, NULL, NULL);
  printf("%d\n", fcntl(0, F_GETFD) == -1);
  return code;
}
static void the_end_of_a_run_closes_standard_input_unless_somebody_is_in_a_call(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(run_that_leaves_standard_input_while_closing, NULL, n, "1\n");
}

static void write_more_than_there_is_room_for(void *unused)
{
  static char text[MIB];
  (void)unused;
  rt_write(1, text, sizeof text, 0);
}
/* A blocked write ends only when somebody reads, which nobody does. */
PROGRAM(closes_what_is_written_to)
{
  int in_pipe = 0, room = fcntl(1, F_GETPIPE_SZ);
  rt_go(write_more_than_there_is_room_for, NULL);
  while (ioctl(1, FIONREAD, &in_pipe) == 0 && in_pipe < room)
    rt_yield();
  dprintf(said, "%d\n", rt_close(1));
  return 0;
}
static int with_a_pipe_as_output(void *unused)
{
  (void)unused;
  said = dup(1);
  alarm(20); /* it waits for ever, if it waits */
  if (pipe(ends) != 0 || dup2(ends[1], 1) != 1)
    return 1;
  close(ends[1]);
  return under_rt_main(&(struct main_function){ closes_what_is_written_to });
}
static void who_closes_standard_output_does_not_wait_for_a_write_that_blocks(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(with_a_pipe_as_output, NULL, n, "0\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(writes_go_one_after_the_other_as_wholes),
    cmocka_unit_test(close_waits_for_a_write_that_is_between_two_parts),
    cmocka_unit_test(a_port_is_free_when_close_returns),
    cmocka_unit_test(close_sends_all_who_wait_away),
    cmocka_unit_test(a_number_s_first_user_is_not_lost_to_its_close),
    cmocka_unit_test(a_deadline_that_is_long_past_ends_a_wait_behind_another_reader),
    cmocka_unit_test(a_descriptor_is_free_for_the_next_run),
    cmocka_unit_test(the_end_of_a_run_closes_what_was_being_closed),
    cmocka_unit_test(a_close_that_lingers_keeps_nobody_waiting),
    cmocka_unit_test(standard_input_is_waited_for_and_stays_as_it_was),
    cmocka_unit_test(standard_input_may_begin_to_block),
    cmocka_unit_test(a_socket_as_standard_output_that_nobody_reads_is_the_end),
    cmocka_unit_test(the_end_of_a_run_closes_standard_input_unless_somebody_is_in_a_call),
    cmocka_unit_test(who_closes_standard_output_does_not_wait_for_a_write_that_blocks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
