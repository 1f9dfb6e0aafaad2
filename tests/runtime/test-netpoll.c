/* SPDX-License-Identifier: MIT */
/* test-netpoll.c - sockets, pipes and files through the poller: data, deadlines, close. */
#include "program.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#define MS 1000000

static struct rt_waitgroup wg;
static char address[64];

static int listen_here(void)
{
  int fd = rt_listen("127.0.0.1:0");
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
    rt_panic("cannot listen");
  snprintf(address, sizeof address, "127.0.0.1:%d", ntohs(at.sin_port));
  return fd;
}

static void echo(void *fd)
{
  char buf[1000];
  for (ssize_t n; (n = rt_read((int)(intptr_t)fd, buf, sizeof buf, 0)) > 0;)
    rt_write((int)(intptr_t)fd, buf, (size_t)n, 0);
  rt_close((int)(intptr_t)fd);
}
static void serve(void *listener)
{
  int fd;
  while ((fd = rt_accept((int)(intptr_t)listener, 0)) >= 0)
    rt_go(echo, (void *)(intptr_t)fd);
  printf("%s\n", fd == -EBADF ? "listener closed" : strerror(-fd));
  rt_waitgroup_done(&wg);
}
static void client(void *n)
{
  int fd = rt_dial(address, 0);
  size_t length = 20000 + (size_t)(intptr_t)n;
  unsigned char *sent = malloc(length), *back = malloc(length);
  for (size_t i = 0; i < length; i++)
    sent[i] = (unsigned char)(i * 7 + (size_t)(intptr_t)n);
  for (size_t at = 0;
       at < length;) { /* in pieces that fit, since the echo is read only afterwards */
    size_t piece = length - at < 5000 ? length - at : 5000;
    if (rt_write(fd, sent + at, piece, 0) != (ssize_t)piece)
      puts("short write");
    for (size_t got = 0; got < piece;) {
      ssize_t r = rt_read(fd, back + at + got, piece - got, 0);
      if (r <= 0) {
        puts("short read");
        break;
      }
      got += (size_t)r;
    }
    at += piece;
  }
  if (memcmp(sent, back, length) != 0)
    puts("other bytes came back");
  free(sent);
  free(back);
  rt_close(fd);
  rt_waitgroup_done(&wg);
}
PROGRAM(echoes)
{
  int listener = listen_here();
  rt_waitgroup_add(&wg, 17);
  rt_go(serve, (void *)(intptr_t)listener);
  for (intptr_t i = 0; i < 16; i++)
    rt_go(client, (void *)i);
  rt_sleep(1);
  while (rt_num_goroutine() > 2)
    rt_sleep(MS);
  rt_close(listener);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void an_echo_server_gives_every_byte_back(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(echoes, n, "listener closed\n");
}

PROGRAM(deadlines)
{
  int listener = listen_here();
  char byte;
  int64_t before = rt_now();
  printf("%d ", rt_accept(listener, before + 5 * MS) == -ETIMEDOUT);
  printf("%d ", rt_now() >= before + 5 * MS);
  printf("%d ", rt_accept(listener, before) == -ETIMEDOUT);
  int fd = rt_dial(address, 0), peer = rt_accept(listener, rt_now() + 1000ll * MS);
  printf("%d ", rt_read(fd, &byte, 1, rt_now() + 5 * MS) == -ETIMEDOUT);
  printf("%d ", (int)rt_write(peer, "x", 1, 0));
  printf("%d ", (int)rt_read(fd, &byte, 1, rt_now() + 1000ll * MS));
  printf("%c ", byte);
  rt_close(peer);
  printf("%d\n", (int)rt_read(fd, &byte, 1, 0));
  return 0;
}
static void a_deadline_ends_the_wait_and_not_the_descriptor(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(deadlines, n, "1 1 1 1 1 1 x 0\n");
}

/* What arrives while the reader waits is told by one event, and takes it several reads; all of it must be read before
 * another event, the end's, helps. */
static _Atomic size_t n_read;
static void read_all(void *fd)
{
  char buf[100];
  ssize_t n;
  while ((n = rt_read((int)(intptr_t)fd, buf, sizeof buf, rt_now() + 10000ll * MS)) > 0)
    printf("%.*s ", (int)n, buf), n_read += (size_t)n;
  printf("%s\n", n == 0 ? "end" : strerror((int)-n));
  rt_waitgroup_done(&wg);
}
static void wait_until_read(size_t n)
{
  int64_t patience = rt_now() + 5000ll * MS;
  while (n_read < n && rt_now() < patience)
    rt_sleep(MS);
  if (n_read < n)
    printf("(not before the next event) ");
}
PROGRAM(stopped_reads)
{
  int listener = listen_here();
  for (int with_end = 0; with_end < 2; with_end++) {
    int fd = rt_dial(address, 0), peer = rt_accept(listener, 0);
    rt_waitgroup_add(&wg, 1);
    rt_go(read_all, (void *)(intptr_t)fd);
    rt_sleep(2 * MS);
    send(peer, "ab", 2, 0);
    if (with_end) {
      shutdown(peer, SHUT_WR);
    } else {
      send(peer, "u", 1, MSG_OOB);
      send(peer, "cd", 2, 0);
      wait_until_read(4);
      rt_close(peer);
    }
    rt_waitgroup_wait(&wg);
    rt_close(fd);
  }
  return 0;
}
static void a_read_that_was_stopped_is_followed_by_what_is_behind(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(stopped_reads, n, "ab cd end\nab end\n");
}

PROGRAM(short_reads)
{
  int listener = listen_here();
  int fd = rt_dial(address, 0), peer = rt_accept(listener, 0);
  char buf[100];
  for (int i = 0; i < 3; i++) {
    printf("%d ", (int)rt_write(peer, "abc", 3, 0));
    if (i > 0)
      rt_sleep(2 * MS); /* the event comes when nobody waits for it */
    printf("%d ", (int)rt_read(fd, buf, sizeof buf, rt_now() + 5000ll * MS));
    printf("%d ", rt_read(fd, buf, sizeof buf, rt_now() + MS) == -ETIMEDOUT);
    printf("%d ", rt_read(fd, buf, sizeof buf, rt_now() - MS) == -ETIMEDOUT);
  }
  rt_close(peer);
  printf("%d\n", (int)rt_read(fd, buf, sizeof buf, 0));
  return 0;
}
static void a_short_read_is_followed_by_what_comes_next(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(short_reads, n, "3 3 1 1 3 3 1 1 3 3 1 1 0\n");
}

/* As that, but each packet ends a read. */
PROGRAM(packets)
{
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) != 0)
    return 1;
  rt_waitgroup_add(&wg, 1);
  rt_go(read_all, (void *)(intptr_t)pair[0]);
  rt_sleep(2 * MS);
  send(pair[1], "ab", 2, 0);
  send(pair[1], "cde", 3, 0);
  wait_until_read(5);
  close(pair[1]);
  rt_waitgroup_wait(&wg);
  return 0;
}
static void a_packet_is_followed_by_the_next(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(packets, n, "ab cde end\n");
}

static int pipe_ends[2];
static void read_pipe(void *unused)
{
  (void)unused;
  char byte;
  ssize_t n = rt_read(pipe_ends[0], &byte, 1, rt_now() + 10000 * (int64_t)MS); /* else for ever */
  printf("%s\n", n == -EBADF ? "closed" : "not closed");
  rt_waitgroup_done(&wg);
}
PROGRAM(closing)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  rt_waitgroup_add(&wg, 1);
  rt_go(read_pipe, NULL);
  rt_sleep(2 * MS);
  int closed = rt_close(pipe_ends[0]);
  rt_waitgroup_wait(&wg);
  printf("%d %d\n", closed, rt_close(pipe_ends[0]) == -EBADF);
  return 0;
}
static void close_wakes_who_waits(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(closing, n, "closed\n0 1\n");
}

PROGRAM(refused)
{
  int listener = listen_here();
  rt_close(listener);
  printf("%s\n", strerror(-rt_dial(address, 0)));
  printf("%s\n", strerror(-rt_dial("nonsense", 0)));
  printf("%s\n", strerror((int)-rt_read(-1, NULL, 0, 0)));
  printf("%s\n", strerror((int)-rt_write(999, "x", 1, 0)));
  printf("%s\n", strerror(-rt_dial("127.0.0.1:99999", 0))); /* not port 34463 */
  printf("%s\n", strerror(-rt_listen("127.0.0.1:65536")));
  printf("%s\n", strerror(-rt_listen(NULL)));
  printf("%s\n", strerror(-rt_dial(NULL, 0)));
  printf("%s\n", strerror((int)-rt_read(1 << 30, &(char){ 0 }, 1, 0)));
  printf("%s\n", strerror(-rt_listen("::1:0"))); /* a v6 host stands in brackets */
  return 0;
}
static void errors_are_the_kernels(void **state)
{
  (void)state;
  assert_prints(refused, 2,
                "Connection refused\nInvalid argument\nBad file descriptor\nBad file descriptor\n"
                "Invalid argument\nInvalid argument\nInvalid argument\nInvalid argument\nBad file "
                "descriptor\nInvalid argument\n");
}

PROGRAM(files)
{
  FILE *f = tmpfile();
  int fd = fileno(f);
  char back[6] = "";
  printf("%d ", (int)rt_write(fd, "hello", 5, 0));
  lseek(fd, 0, SEEK_SET);
  printf("%d ", (int)rt_read(fd, back, 5, 0));
  printf("%s %d\n", back, (int)rt_read(fd, back, 5, 0));
  return 0;
}
static void regular_files_work_too(void **state)
{
  (void)state;
  assert_prints(files, 2, "5 5 hello 0\n");
}

/* Whether this machine has IPv6. */
static bool has_v6(void)
{
  struct sockaddr_in6 at = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
  int fd = socket(AF_INET6, SOCK_STREAM, 0);
  bool has = fd >= 0 && bind(fd, (struct sockaddr *)&at, sizeof at) == 0;
  close(fd);
  return has;
}
/* Takes it away from this process: its sockets are refused as by a kernel without it. */
static void lose_v6(void)
{
  struct sock_filter code[] = {
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 1),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EAFNOSUPPORT),
    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = { sizeof code / sizeof *code, code };
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
    rt_panic("no seccomp");
}
static int port_of(int fd)
{
  struct sockaddr_in6 at;
  socklen_t size = sizeof at;
  if (fd < 0 || getsockname(fd, (struct sockaddr *)&at, &size) != 0)
    rt_panic("not listening");
  return ntohs(at.sin6_port); /* at the same place in IPv4's */
}
static void tell_who_answers(const char *at)
{
  const char *hosts[] = { "127.0.0.1", "[::1]" };
  int listener = rt_listen(at), port = port_of(listener);
  for (int i = 0; i < 2; i++) {
    snprintf(address, sizeof address, "%s:%d", hosts[i], port);
    int fd = rt_dial(address, 0);
    printf("%d", fd >= 0);
    rt_close(fd);
  }
  rt_close(listener);
  printf(" ");
}
PROGRAM(both_families)
{
  const char *at[] = { ":0", "0.0.0.0:0", "[::]:0", "127.0.0.1:0", "[::1]:0", "localhost:0" };
  for (size_t i = 0; i < sizeof at / sizeof *at; i++)
    if (has_v6() || i != 4)
      tell_who_answers(at[i]);
  int taken = rt_listen("127.0.0.1:0"); /* no other address is tried */
  snprintf(address, sizeof address, ":%d", port_of(taken));
  printf("%d\n", rt_listen(address) == -EADDRINUSE);
  return 0;
}
PROGRAM(one_family)
{
  lose_v6();
  tell_who_answers(":0");
  tell_who_answers("[::]:0");
  return 0;
}
static void without_a_host_both_families_are_listened_to(void **state)
{
  (void)state;
  assert_prints(both_families, 2, has_v6() ? "11 11 11 10 01 10 1\n" : "10 10 10 10 10 1\n");
  assert_prints(one_family, 2, "10 10 ");
}

static int udp_to_itself(void)
{
  struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
  socklen_t size = sizeof at;
  int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (bind(fd, (struct sockaddr *)&at, size) || getsockname(fd, (struct sockaddr *)&at, &size) ||
      connect(fd, (struct sockaddr *)&at, size))
    rt_panic("no udp");
  return fd;
}
PROGRAM(nothing)
{
  char buf[100];
  int udp = udp_to_itself();
  printf("%d ", (int)rt_write(udp, "", 0, 0));
  printf("%d ", (int)rt_read(udp, buf, sizeof buf, rt_now() + 5000ll * MS)); /* a packet */
  printf("%d, ", rt_read(udp, buf, sizeof buf, rt_now() + MS) == -ETIMEDOUT);
  int listener = listen_here();
  int fd = rt_dial(address, 0), peer = rt_accept(listener, 0);
  printf("%d ", (int)rt_write(peer, "abc", 3, 0));
  printf("%d ", (int)rt_write(peer, "", 0, 0));
  printf("%d ", rt_write(peer, "", 0, rt_now() - MS) == -ETIMEDOUT);
  printf("%d ", (int)rt_read(fd, buf, sizeof buf, 0));
  printf("%d ",
         (int)rt_read(fd, buf, 0, rt_now() + MS)); /* nothing is there, and it does not wait */
  printf("%d, ", (int)rt_read(fd, buf, 0, rt_now() - MS));
  if (pipe(pipe_ends) != 0)
    return 1;
  rt_close(pipe_ends[0]);
  printf("%d\n", (int)rt_write(pipe_ends[1], "", 0, 0)); /* not even to nobody */
  return 0;
}
static void reading_and_writing_nothing_is_as_in_go(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(nothing, n, "0 0 1, 3 0 1 3 0 0, 0\n");
}

static void write_much(void *fd)
{
  static char much[4 << 20];
  printf("%d\n", (int)rt_write((int)(intptr_t)fd, much, sizeof much, 0));
  rt_close((int)(intptr_t)fd);
}
PROGRAM(full)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  rt_go(write_much, (void *)(intptr_t)pipe_ends[1]);
  char buf[3000];
  long sum = 0;
  for (ssize_t n; (n = rt_read(pipe_ends[0], buf, sizeof buf, 0)) > 0;)
    sum += n;
  printf("%ld\n", sum);
  return 0;
}
static void a_full_pipe_parks_the_writer(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(full, n, "4194304\n4194304\n");
}

static struct rt_waitgroup both;
static void accept_for_ever(void *listener)
{
  printf("%d ", rt_accept((int)(intptr_t)listener, 0) == -EBADF);
  rt_waitgroup_done(&both);
}
/* One operation at a time: the second waits in the queue, where its deadline holds too. */
PROGRAM(waits_for_its_turn_with_a_deadline)
{
  int listener = rt_listen("127.0.0.1:0");
  rt_waitgroup_add(&both, 1);
  rt_go(accept_for_ever, (void *)(intptr_t)listener);
  for (int i = 0; i < 3; i++) {
    rt_yield();
    int64_t deadline = rt_now() + MS;
    printf("%d ", rt_accept(listener, deadline) == -ETIMEDOUT && rt_now() >= deadline);
  }
  rt_sleep(1);
  rt_close(listener);
  rt_waitgroup_wait(&both);
  puts("");
  return 0;
}
static void a_deadline_holds_also_while_others_are_first(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_prints(waits_for_its_turn_with_a_deadline, n, "1 1 1 1 \n");
}

static int n_sigpipes;
static void count_sigpipe(int number)
{
  (void)number;
  n_sigpipes++;
}
PROGRAM(writes_for_nobody)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  close(pipe_ends[0]);
  printf("%s ", strerror((int)-rt_write(pipe_ends[1], "x", 1, 0))); /* and it lives */
  signal(SIGPIPE, count_sigpipe);
  rt_write(pipe_ends[1], "x", 1, 0);
  printf("%d ", n_sigpipes);
  raise(SIGPIPE); /* it was not left blocked */
  printf("%d\n", n_sigpipes);
  return 0;
}
PROGRAM(writes_to_a_closed_filter)
{
  if (pipe(pipe_ends) != 0)
    return 1;
  dup2(pipe_ends[1], 1);
  close(pipe_ends[0]);
  rt_write(1, "x", 1, 0);
  return 0;
}
static void a_pipe_that_nobody_reads_is_an_error_but_for_standard_output(void **state)
{
  (void)state;
  assert_prints(writes_for_nobody, 2, "Broken pipe 0 1\n");
  assert_int_equal(run_program(writes_to_a_closed_filter, 2).code, 128 + SIGPIPE);
}

/* ---- a program that was started without its standard descriptors ---- */

static int told; /* where it says what was */
static void write_late(void *unused)
{
  (void)unused;
  rt_write(pipe_ends[1], "x", 1, 0);
}
PROGRAM(uses_the_numbers_0_to_2)
{
  char byte = 0, path[32], what[64];
  rt_sleep(1);
  rt_read(pipe_ends[0], &byte, 1, rt_now() + MS); /* the poller is at work */
  for (int fd = 0; fd <= 2; fd++) {
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, what, sizeof what - 1);
    what[n > 0 ? n : 0] = '\0';
    dprintf(told, "%s", strstr(what, "anon_inode") ? what : "free ");
    close(fd);
  }
  rt_go(write_late, NULL);
  ssize_t n = rt_read(pipe_ends[0], &byte, 1, rt_now() + 10000 * (int64_t)MS); /* else for ever */
  dprintf(told, "%zd %c\n", n, byte);
  return 0;
}
static int start_without_them(void *unused)
{
  (void)unused;
  int high = fcntl(1, F_DUPFD, 10);
  if (pipe(pipe_ends) != 0 || pipe_ends[0] < 3)
    return 1;
  told = high;
  close(0), close(1), close(2);
  return under_rt_main(&(struct main_function){ uses_the_numbers_0_to_2 });
}
static void the_poller_keeps_away_from_standard_descriptors_that_are_closed(void **state)
{
  (void)state;
  FOR_PROCS(n)
  assert_child_prints(start_without_them, NULL, n, "free free free 1 x\n");
}

/* As a server does that was started without them: nothing that it prints may go to a peer. */
static int has_no_standard_descriptors(int argc, char **argv)
{
  (void)argc, (void)argv;
  int said = fcntl(1, F_DUPFD, 3);
  for (int fd = 0; fd <= 2; fd++)
    close(fd);
  int listener = listen_here(), calls = rt_dial(address, 0), called = rt_accept(listener, 0);
  dprintf(said, "%d %d %d\n", listener > 2, calls > 2, called > 2);
  return 0;
}
static void sockets_are_never_standard_descriptors(void **state)
{
  (void)state;
  assert_prints(has_no_standard_descriptors, 1, "1 1 1\n");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(sockets_are_never_standard_descriptors),
    cmocka_unit_test(an_echo_server_gives_every_byte_back),
    cmocka_unit_test(a_deadline_ends_the_wait_and_not_the_descriptor),
    cmocka_unit_test(a_read_that_was_stopped_is_followed_by_what_is_behind),
    cmocka_unit_test(a_short_read_is_followed_by_what_comes_next),
    cmocka_unit_test(a_packet_is_followed_by_the_next),
    cmocka_unit_test(a_deadline_holds_also_while_others_are_first),
    cmocka_unit_test(close_wakes_who_waits),
    cmocka_unit_test(errors_are_the_kernels),
    cmocka_unit_test(without_a_host_both_families_are_listened_to),
    cmocka_unit_test(regular_files_work_too),
    cmocka_unit_test(reading_and_writing_nothing_is_as_in_go),
    cmocka_unit_test(a_full_pipe_parks_the_writer),
    cmocka_unit_test(a_pipe_that_nobody_reads_is_an_error_but_for_standard_output),
    cmocka_unit_test(the_poller_keeps_away_from_standard_descriptors_that_are_closed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
