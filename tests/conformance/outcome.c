/* SPDX-License-Identifier: MIT */
/* outcome.c - the processes of outcome.h.
 *
 * Output goes to files in memory, so that no reader is needed while a case runs and a case never waits for
 * one.  Most cases sleep or have ended when one looks, so a few more than there are CPUs run at a time.
 */
#include "outcome.h"

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define AT_A_TIME     6
#define TIME_LIMIT_NS (30 * (int64_t)1000000000)

static int64_t now_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * (int64_t)1000000000 + t.tv_nsec;
}

/* ---- what it wrote ---- */

static void read_back(int fd, char *text, size_t n)
{
  ssize_t got = pread(fd, text, n - 1, 0);
  text[got > 0 ? got : 0] = '\0';
  close(fd);
}

/* Replaces every run of digits (base 10 or 16) after mark, except "1 " of goroutine 1, by word. */
static void mask(char *text, size_t room, const char *mark, const char *digits, const char *word)
{
  size_t n_word = strlen(word);
  for (char *at = text; (at = strstr(at, mark));) {
    at += strlen(mark);
    size_t n_digits = strspn(at, digits), n_rest = strlen(at + n_digits) + 1;
    bool is_main = n_digits == 1 && *at == '1';
    if (n_digits == 0 || is_main || (size_t)(at - text) + n_word + n_rest > room)
      continue;
    memmove(at + n_word, at + n_digits, n_rest);
    memcpy(at, word, n_word);
  }
}

/* Cuts after the first line that begins with "goroutine ". */
static void cut_dump(char *text)
{
  char *header = strncmp(text, "goroutine ", 10) == 0 ? text : strstr(text, "\ngoroutine ");
  char *end = header ? strchr(header + 1, '\n') : NULL;
  if (end)
    end[1] = '\0';
}

static void normalise(char *err, size_t room)
{
  cut_dump(err);
  mask(err, room, "0x", "0123456789abcdef", "ADDR");
  mask(err, room, "goroutine ", "0123456789", "N");
}

/* ---- processes ---- */

static _Noreturn void become(const char *program, const struct outcome *o)
{
  char procs[16];
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  snprintf(procs, sizeof procs, "%d", o->wanted->procs ? o->wanted->procs : 1);
  setenv("RT_MAXPROCS", procs, 1);
  setenv("GOMAXPROCS", procs, 1);
  dup2(o->out_fd, 1);
  dup2(o->err_fd, 2);
  execl(program, program, o->wanted->name, (char *)NULL);
  _exit(127);
}

static bool start(const char *program, struct outcome *o)
{
  o->out_fd = memfd_create("out", MFD_CLOEXEC);
  o->err_fd = memfd_create("err", MFD_CLOEXEC);
  o->deadline = now_ns() + TIME_LIMIT_NS;
  fflush(NULL);
  o->pid = fork();
  if (o->pid == 0)
    become(program, o);
  o->code = -1;
  return o->pid > 0;
}

static void ended(struct outcome *o, int status)
{
  o->pid = 0;
  o->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(o->out_fd, o->out, sizeof o->out);
  read_back(o->err_fd, o->err, sizeof o->err);
  normalise(o->err, sizeof o->err);
}

/* Takes in who has ended; returns how many. */
static int reap(struct outcome *outcomes, int n)
{
  int n_ended = 0, status;
  for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;)
    for (int i = 0; i < n; i++)
      if (outcomes[i].pid == pid) {
        ended(&outcomes[i], status);
        n_ended++;
      }
  return n_ended;
}

static void kill_the_late(struct outcome *outcomes, int n)
{
  for (int i = 0; i < n; i++)
    if (outcomes[i].pid > 0 && now_ns() > outcomes[i].deadline) {
      outcomes[i].late = true;
      kill(outcomes[i].pid, SIGKILL);
    }
}

void outcomes_run(const char *program, struct outcome *outcomes, int n)
{
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  for (int started = 0, running = 0; started < n || running > 0;) {
    for (; started < n && running < AT_A_TIME; started++)
      running += start(program, &outcomes[started]);
    running -= reap(outcomes, started);
    kill_the_late(outcomes, started);
    const struct timespec second = { .tv_sec = 1 };
    if (running == AT_A_TIME || started == n)
      sigtimedwait(&child, NULL, &second);
  }
}
