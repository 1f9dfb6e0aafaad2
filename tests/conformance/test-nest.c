/* SPDX-License-Identifier: MIT */
/* test-nest.c - random nestings of defer, panic, recover and Goexit end in C as they end in Go, and are recorded whole.
 *
 * `test-nest C-PROGRAM GMPSCOPE [GO-PROGRAM]`: for each seed a script (nest.c tells its words) is made at random; both
 * programs run it; what they write to stdout, the panics that they die of, and their exit codes must be the same. A
 * function calls and defers only later ones, so that a script ends. Some of the scripts are also recorded: each step of
 * them must keep the rules by which gmpscope check replays a trace. GMPSCOPE_NEST_SEEDS=N for more than the usual number.
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
#define RECORDED  8 /* each 8th of them */
#define FUNCTIONS 8

static const char *c_program, *go_program, *gmpscope;

static uint64_t roll(uint64_t *state, uint64_t n)
{
  uint64_t z = (*state += 0x9e3779b97f4a7c15u); /* splitmix64 */
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) % n;
}

/* A word with what belongs to it, in function i: the number of a later one, or of a text. */
static void write_word(FILE *to, uint64_t *dice, int i, char word)
{
  if (strchr("dDc", word) && i < FUNCTIONS - 1)
    fprintf(to, "%c%d ", word, i + 1 + (int)roll(dice, (uint64_t)(FUNCTIONS - 1 - i)));
  else if (strchr("pxes", word))
    fprintf(to, "%c%d ", word, (int)roll(dice, 90));
  else if (!strchr("dDc", word))
    fprintf(to, "%c ", word);
}

static char one_of(uint64_t *dice, const char *words)
{
  return words[roll(dice, strlen(words))];
}

/* Often it recovers first, then defers, and often it ends in a panic: so there is much to recover, and to panic again
 * while older panics wait. */
static void write_function(FILE *to, uint64_t *dice, int i)
{
  if (roll(dice, 5) < 3)
    write_word(to, dice, i, one_of(dice, "rrrra"));
  for (uint64_t n = roll(dice, 4); n > 0; n--)
    write_word(to, dice, i, one_of(dice, "dD"));
  for (uint64_t n = roll(dice, 3); n > 0; n--)
    write_word(to, dice, i, one_of(dice, "ccpstrywd"));
  if (roll(dice, 2) == 0)
    write_word(to, dice, i, one_of(dice, "xxxxega"));
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
    write_function(to, &dice, i);
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

static struct end *run(const char *const argv[])
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
    execv(argv[0], (char *const *)(uintptr_t)argv);
    _exit(127);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  end->code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  read_back(out, end->out, sizeof end->out);
  read_back(err, end->err, sizeof end->err);
  cut_dump(end->err);
  return end;
}

static struct end *run_script(const char *program, const char *script)
{
  return run((const char *const[]){ program, script, NULL });
}

static void compare(uint64_t seed, int *n_died)
{
  char *script = script_of(seed);
  struct end *c = run_script(c_program, script), *go = run_script(go_program, script);
  if (c->code != go->code || strcmp(c->out, go->out) != 0 || strcmp(c->err, go->err) != 0)
    fail_msg("seed %llu: nest '%s'\nC:  %d\n%s\n%s\nGo: %d\n%s\n%s", (unsigned long long)seed,
             script, c->code, c->out, c->err, go->code, go->out, go->err);
  *n_died += c->code == 2;
  free(c);
  free(go);
  free(script);
}

static uint64_t n_seeds(void)
{
  const char *asked = getenv("GMPSCOPE_NEST_SEEDS");
  return asked ? strtoull(asked, NULL, 10) : SEEDS;
}

static void record_and_check(uint64_t seed, const char *trace)
{
  char *script = script_of(seed);
  struct end *recorded = run((const char *const[]){ gmpscope, "record", "-q", "--tables=none", "-o",
                                                    trace, "--", c_program, script, NULL });
  struct end *checked = run((const char *const[]){ gmpscope, "check", trace, NULL });
  if ((recorded->code != 0 && recorded->code != 2) || checked->code != 0)
    fail_msg("seed %llu: nest '%s'\nrecord: %d\n%s\ncheck: %d\n%s%s", (unsigned long long)seed,
             script, recorded->code, recorded->err, checked->code, checked->out, checked->err);
  free(recorded);
  free(checked);
  free(script);
}

static void random_nestings_are_recorded_by_the_rules(void **state)
{
  char folder[] = "/tmp/test-nest-XXXXXX", trace[64];
  (void)state;
  assert_non_null(mkdtemp(folder));
  snprintf(trace, sizeof trace, "%s/nest.db", folder);
  for (uint64_t seed = 1; seed <= n_seeds(); seed += RECORDED)
    record_and_check(seed, trace);
  unlink(trace);
  rmdir(folder);
}

static void random_nestings_end_as_in_go(void **state)
{
  const uint64_t n = n_seeds();
  int n_died = 0;
  (void)state;
  if (!go_program)
    skip(); /* there is no Go 1.26 or later */
  setenv("GOTRACEBACK", "single", 1);
  for (uint64_t seed = 1; seed <= n; seed++)
    compare(seed, &n_died);
  print_message("# %llu scripts, %d of which die\n", (unsigned long long)n, n_died);
  assert_true(n_died > 0 && (uint64_t)n_died < n);
}

int main(int argc, char **argv)
{
  if (argc < 3 || argc > 4) {
    fprintf(stderr, "usage: %s C-PROGRAM GMPSCOPE [GO-PROGRAM]\n", argv[0]);
    return 3;
  }
  c_program = argv[1];
  gmpscope = argv[2];
  go_program = argv[3];
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(random_nestings_are_recorded_by_the_rules),
    cmocka_unit_test(random_nestings_end_as_in_go),
  };
  return cmocka_run_group_tests_name("nest", tests, NULL, NULL);
}
