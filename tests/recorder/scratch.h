/* SPDX-License-Identifier: MIT */
/* scratch.h - an empty folder of its own for each test, removed with what is in it. Its path is *state. */
#pragma once
#include "test.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int scratch_setup(void **state)
{
  const char *base = getenv("TMPDIR");
  char *folder = NULL;
  if (asprintf(&folder, "%s/gmpscope-test-XXXXXX", base ? base : "/tmp") < 0 || !mkdtemp(folder))
    return -1;
  *state = folder;
  return 0;
}

static inline int scratch_teardown(void **state)
{
  char *folder = *state;
  DIR *d = opendir(folder);
  for (struct dirent *entry; d && (entry = readdir(d));) {
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
      unlinkat(dirfd(d), entry->d_name, 0);
  }
  if (d)
    closedir(d);
  int rc = rmdir(folder);
  free(folder);
  return rc;
}

/* folder/name, in one of four buffers that take turns. */
static inline const char *scratch_path(const char *folder, const char *name)
{
  static char paths[4][512];
  static int turn;
  char *path = paths[turn++ & 3];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

#define scratch_test(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
