/* SPDX-License-Identifier: MIT */
/* test-nest.c - random nestings of defer, panic, recover and Goexit end in C as they end in Go.
 *
 * `test-nest C-PROGRAM GO-PROGRAM`: for each seed a script (nest.c tells its words) is made at random; both programs run
 * it; what they write to stdout, the panics that they die of, and their exit codes must be the same. A function calls and
 * defers only later ones, so that a script ends. GMPSCOPE_NEST_SEEDS=N for more than the usual number.
 */
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SEEDS     400
#define FUNCTIONS 8
#define WORDS     6

static const char *c_program, *go_program;

static uint64_t roll(uint64_t *state, uint64_t n)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % n;
}

/* One word of function i. */
static void write_word(FILE *to, uint64_t *dice, int i)
{
  static const char words[] = "dddDDccpstrrraxxegyw";
  char word = words[roll(dice, sizeof words - 1)];
  bool names_function = strchr("dDc", word) != NULL;
  if (names_function && i == FUNCTIONS - 1)
    word = 'p', names_function = false;
  if (names_function)
    fprintf(to, "%c%d ", word, i + 1 + (int)roll(dice, (uint64_t)(FUNCTIONS - 1 - i)));
  else if (strchr("pxes", word))
    fprintf(to, "%c%d ", word, (int)roll(dice, 90));
  else
    fprintf(to, "%c ", word);
}

static char *script_of(uint64_t seed)
{
  uint64_t dice = seed;
  char *text;
  size_t n;
  FILE *to = open_memstream(&text, &n);
  if (roll(&dice, 4) == 0)
    fputc('!', to);
  for (int i = 0; i < FUNCTIONS; i++) {
    if (i > 0)
      fputc('/', to);
    for (int k = 1 + (int)roll(&dice, WORDS); k > 0; k--)
      write_word(to, &dice, i);
  }
  fclose(to);
  return text;
}

struct end {
  int code;
  char out[65536], err[65536];
};

static void read_back(int fd, char *text, size_t n)
{
  ssize_t got = pread(fd, text, n - 1, 0);
  text[got > 0 ? got : 0] = '\0';
  close(fd);
}

/* The panics, or the fatal error: what is before the dump. */
static void cut_dump(char *err)
{
  char *dump = strstr(err, "\n\ngoroutine ");
  if (dump)
    *dump = '\0';
  for (char *at; (at = strstr(err, "\ngoroutine ")) != NULL;)
    *at = '\0';
}

static struct end *run(const char *program, const char *script)
{
  struct end *end = malloc(sizeof *end);
  int out = memfd_create("out", MFD_CLOEXEC), err = memfd_create("err", MFD_CLOEXEC), status;
  assert_non_null(end);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    dup2(out, 1);
    dup2(err, 2);
    alarm(60);
    execl(program, program, script, (char *)NULL);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  end->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(out, end->out, sizeof end->out);
  read_back(err, end->err, sizeof end->err);
  cut_dump(end->err);
  return end;
}

static void compare(uint64_t seed, int *n_died)
{
  char *script = script_of(seed);
  struct end *c = run(c_program, script), *go = run(go_program, script);
  if (c->code != go->code || strcmp(c->out, go->out) != 0 || strcmp(c->err, go->err) != 0)
    fail_msg("seed %llu: nest '%s'\nC:  %d\n%s\n%s\nGo: %d\n%s\n%s", (unsigned long long)seed,
             script, c->code, c->out, c->err, go->code, go->out, go->err);
  *n_died += c->code == 2;
  free(c);
  free(go);
  free(script);
}

static void random_nestings_end_as_in_go(void **state)
{
  const char *asked = getenv("GMPSCOPE_NEST_SEEDS");
  uint64_t n = asked ? strtoull(asked, NULL, 10) : SEEDS;
  int n_died = 0;
  (void)state;
  setenv("GOTRACEBACK", "single", 1);
  for (uint64_t seed = 1; seed <= n; seed++)
    compare(seed, &n_died);
  print_message("# %llu scripts, %d of which die\n", (unsigned long long)n, n_died);
  assert_true(n_died > 0 && (uint64_t)n_died < n);
}

int main(int argc, char **argv)
{
  if (argc != 3) {
    fprintf(stderr, "usage: %s C-PROGRAM GO-PROGRAM\n", argv[0]);
    return 3;
  }
  c_program = argv[1];
  go_program = argv[2];
  const struct CMUnitTest tests[] = { cmocka_unit_test(random_nestings_end_as_in_go) };
  return cmocka_run_group_tests_name("nest", tests, NULL, NULL);
}
