/* SPDX-License-Identifier: MIT */
/* fuzz-main.c - runs a fuzz target over files and folders of files: FUZZ-TARGET PATH...
 *
 * Each input is given whole, at some cuts, and with some bytes changed.  An input is copied to memory of just
 * its size, so that a sanitizer sees one byte too far.  Speaks TAP: one test, "survives N inputs". */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_FILE 65536u
#define ROUNDS   40

static unsigned long n_inputs;

static void give(const uint8_t *data, size_t size)
{
  uint8_t *exact = malloc(size ? size : 1);
  if (!exact)
    abort();
  memcpy(exact, data, size);
  LLVMFuzzerTestOneInput(exact, size);
  free(exact);
  n_inputs++;
}

static void give_variants(const uint8_t *data, size_t size)
{
  static uint8_t changed[MAX_FILE];
  uint64_t x = 88172645463325252u;
  give(data, size);
  for (int round = 0; size > 0 && round < ROUNDS; round++) {
    memcpy(changed, data, size);
    for (int flips = 0; flips <= round % 4; flips++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      changed[x % size] = (uint8_t)(x >> 40);
    }
    give(changed, round % 3 ? size : x % size);
  }
}

static int give_file(const char *path)
{
  static uint8_t data[MAX_FILE];
  FILE *in = fopen(path, "rb");
  if (!in)
    return -1;
  size_t size = fread(data, 1, sizeof data, in);
  fclose(in);
  give_variants(data, size);
  return 0;
}

static int give_folder(const char *path)
{
  DIR *dir = opendir(path);
  int failed = dir ? 0 : -1;
  for (struct dirent *entry; dir && (entry = readdir(dir));) {
    char file[4096];
    snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
    struct stat st;
    if (stat(file, &st) == 0 && S_ISREG(st.st_mode) && give_file(file) < 0)
      failed = -1;
  }
  if (dir)
    closedir(dir);
  return failed;
}

int main(int argc, char **argv)
{
  int failed = argc > 1 ? 0 : -1;
  printf("1..1\n");
  for (int i = 1; i < argc; i++) {
    struct stat st;
    if (stat(argv[i], &st) < 0 ||
        (S_ISDIR(st.st_mode) ? give_folder(argv[i]) : give_file(argv[i])) < 0)
      failed = -1;
  }
  printf("%sok 1 survives %lu inputs\n", failed || n_inputs == 0 ? "not " : "", n_inputs);
  return failed || n_inputs == 0;
}
