/* SPDX-License-Identifier: MIT */
/* doors.h - what rt.h and its like declare, for tests that have a table of every function; and what such calls need. */
#pragma once
#include "rt.h"
#include "test.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void nothing(void *unused)
{
  (void)unused;
}
static inline void *same(void *arg)
{
  return arg;
}
static inline void visit(uint64_t goid, const void *lo, const void *hi, void *arg)
{
  (void)goid, (void)lo, (void)hi, (void)arg;
}
static inline void defer_one(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER(fr, nothing, NULL);
}
static inline void defer_in_a_loop(void)
{
  RT_FRAME(fr, { return; });
  RT_DEFER_LOOP(fr, nothing, NULL);
}

/* Adds a line of a comment, without what is before its words; a line that begins one begins anew. */
static inline void add_to_comment(char *comment, size_t n, const char *line)
{
  if (strncmp(line, "/*", 2) == 0)
    comment[0] = '\0';
  size_t length = strlen(comment);
  line += strspn(line, "/* ");
  snprintf(comment + length, n - length, "%.*s ", (int)strcspn(line, "\n"), line);
}

/* Calls look(name, comment) for each function that the header declares, with the comment that was last before it: how
 * many there are. */
static inline int each_door(const char *header, void (*look)(const char *name, const char *comment))
{
  char path[4096], line[512], name[64], comment[4096] = "";
  const char *source = getenv("GMPSCOPE_SOURCE");
  int n = 0;
  assert_non_null(source);
  snprintf(path, sizeof path, "%s/runtime/%s", source, header);
  FILE *file = fopen(path, "re");
  assert_non_null(file);
  while (fgets(line, sizeof line, file)) {
    if (strncmp(line, "/*", 2) == 0 || strncmp(line, " *", 2) == 0)
      add_to_comment(comment, sizeof comment, line);
    const char *at = strncmp(line, "RT_API ", 7) == 0 ? strstr(line, "rt_") : NULL;
    while (at && sscanf(at, "%63[a-z_]", name) == 1 && at[strlen(name)] != '(')
      at = strstr(at + 1, "rt_"); /* struct rt_chan *rt_chan_new( */
    if (!at)
      continue;
    n++;
    look(name, comment);
  }
  fclose(file);
  return n;
}
