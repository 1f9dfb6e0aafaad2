/* SPDX-License-Identifier: MIT */
/* test-conformance.c - every case leaves what its table says: one test a case, made from the table.
 *
 * The argument is the program to run: the cases in C, or their twins in Go.  So both are held to one table,
 * and both to each other.
 */
#include "test.h"

#include "outcome.h"

#include <string.h>

static void leaves_what_go_leaves(void **state)
{
  const struct outcome *o = *state;
  const struct conformance_case *c = o->wanted;
  print_message("# %s\n", c->rule);
  assert_false(o->late);
  assert_string_equal(o->err, c->err ? c->err : "");
  assert_string_equal(o->out, c->out ? c->out : "");
  assert_int_equal(o->code, c->code);
}

/* A known failure is told, and must still fail: else its mark is to go. */
static void fails_as_known(void **state)
{
  const struct outcome *o = *state;
  const struct conformance_case *c = o->wanted;
  print_message("# known to fail: %s\n", c->known);
  assert_false(o->code == c->code && strcmp(o->err, c->err ? c->err : "") == 0 &&
               strcmp(o->out, c->out ? c->out : "") == 0);
}

static bool is_left_out(const struct conformance_case *c, bool in_go, const char *only)
{
  return (in_go && c->not_go) || (only && !strstr(c->name, only));
}

struct program {
  const char *path;
  size_t n_cases; /* that it should have */
};

static bool is_a_case(const char *name)
{
  const struct conformance_case *const *c = __start_conformance_cases;
  while (c < __stop_conformance_cases && strcmp((*c)->name, name) != 0)
    c++;
  return c < __stop_conformance_cases;
}

/* Its list, one a line, is the table's: nothing in Go that C lacks. */
static void the_program_has_just_these_cases(void **state)
{
  const struct program *program = *state;
  char line[512];
  size_t n = 0;
  FILE *list = popen(program->path, "r");
  assert_non_null(list);
  for (; fgets(line, sizeof line, list); n++) {
    line[strcspn(line, "\t\n")] = '\0';
    assert_true(is_a_case(line));
  }
  assert_int_equal(pclose(list), 0);
  assert_int_equal(n, program->n_cases);
}

static int by_name(const void *a, const void *b)
{
  return strcmp(((const struct outcome *)a)->wanted->name,
                ((const struct outcome *)b)->wanted->name);
}

static struct CMUnitTest test_of(struct outcome *o, bool in_go)
{
  bool fails = o->wanted->known && !in_go;
  return (struct CMUnitTest){ .name = o->wanted->name,
                              .test_func = fails ? fails_as_known : leaves_what_go_leaves,
                              .initial_state = o };
}

int main(int argc, char **argv)
{
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: %s PROGRAM [PART-OF-NAME]\n", argv[0]);
    return 3;
  }
  const struct conformance_case *const *all = __start_conformance_cases;
  bool in_go = strstr(argv[1], "conformance-go") != NULL;
  size_t n_all = (size_t)(__stop_conformance_cases - all), n = 0;
  struct outcome *outcomes = calloc(n_all, sizeof *outcomes);
  struct CMUnitTest *tests = calloc(n_all + 1, sizeof *tests);
  assert_non_null(outcomes);
  assert_non_null(tests);
  for (size_t i = 0; i < n_all; i++) {
    if (is_left_out(all[i], in_go, argc > 2 ? argv[2] : NULL))
      continue;
    outcomes[n++].wanted = all[i];
  }
  qsort(outcomes, n, sizeof *outcomes, by_name);
  for (size_t i = 0; i < n; i++)
    tests[i] = test_of(&outcomes[i], in_go);
  outcomes_run(argv[1], outcomes, (int)n);
  struct program program = { argv[1], n };
  if (argc == 2)
    tests[n++] =
        (struct CMUnitTest)cmocka_unit_test_prestate(the_program_has_just_these_cases, &program);
  int failed = _cmocka_run_group_tests("conformance", tests, n, NULL, NULL);
  free(tests);
  free(outcomes);
  return failed != 0;
}
