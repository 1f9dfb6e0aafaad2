/* SPDX-License-Identifier: MIT */
/* conformance.c - the program: `conformance CASE` runs one case, `conformance` lists them with their rules. */
#include "case.h"

#include <string.h>

/* I3 of case.h. A caller's ASAN_OPTIONS come after these. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
  return "detect_leaks=0";
}

static int run_case(int argc, char **argv)
{
  (void)argc;
  const struct conformance_case *const *c = __start_conformance_cases;
  for (; c < __stop_conformance_cases; c++)
    if (strcmp((*c)->name, argv[1]) == 0) {
      (*c)->run();
      return 0;
    }
  fprintf(stderr, "conformance: there is no case '%s'\n", argv[1]);
  return 3;
}

int main(int argc, char **argv)
{
  if (argc == 2)
    return rt_main(argc, argv, run_case);
  const struct conformance_case *const *c = __start_conformance_cases;
  for (; c < __stop_conformance_cases; c++)
    printf("%s\t%s\n", (*c)->name, (*c)->rule);
  return argc == 1 ? 0 : 3;
}
