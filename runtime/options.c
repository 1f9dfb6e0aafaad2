/* SPDX-License-Identifier: MIT */
/* options.c - reads the environment once a run; what it does not know is an error, told in words.
 *
 * Go ignores a GODEBUG key that it does not know, since one setting is read by programs of many versions. Here
 * somebody tries out what a key does, and a misspelt one that does nothing would teach something wrong: nothing
 * starts, rt_main exits with 1 and rt_run returns -EINVAL. Nobody but this library reads RT_DEBUG. */
#include "options.h"

#include "fault.h"
#include "runtime.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct options options = { .traceback = TRACEBACK_SINGLE };

static const char *const traceback_names[] = { "none", "single", "all", "system", "crash" };

bool traceback_by_name(const char *name, enum traceback *level)
{
  for (uint32_t i = 0; i < nelem(traceback_names); i++)
    if (strcmp(name, traceback_names[i]) == 0) {
      *level = (enum traceback)i;
      return true;
    }
  return false;
}

static bool parse_number(const char *text, long max, long *value)
{
  char *end;
  errno = 0;
  *value = strtol(text, &end, 10);
  return errno == 0 && end != text && *end == '\0' && *value >= 0 && *value <= max;
}

static bool set_seed(const char *value, char *why, int n)
{
  long seed = 0;
  if (!parse_number(value, LONG_MAX, &seed) || seed == 0) {
    snprintf(why, (size_t)n, "RT_DEBUG: 'sim=%s' is no seed; give a number from 1 to 2^63-1",
             value);
    return false;
  }
  options.sim_seed = (uint64_t)seed;
  return true;
}

static bool set_fault(const char *value, char *why, int n)
{
  if (fault_by_name(value, &options.fault))
    return true;
  snprintf(why, (size_t)n, "RT_DEBUG: there is no fault '%s'; there are %s", value, fault_names());
  return false;
}

/* One key=value of RT_DEBUG. */
static bool set_debug(const char *key, const char *value, char *why, int n)
{
  long number = 0;
  static const char known[] = "schedtrace, scheddetail, asyncpreemptoff, sim, fault";
  bool is_schedtrace = strcmp(key, "schedtrace") == 0, is_detail = strcmp(key, "scheddetail") == 0;
  if (strcmp(key, "sim") == 0)
    return set_seed(value, why, n);
  if (strcmp(key, "fault") == 0)
    return set_fault(value, why, n);
  if (!is_schedtrace && !is_detail && strcmp(key, "asyncpreemptoff") != 0) {
    snprintf(why, (size_t)n, "RT_DEBUG: there is no key '%s'; there are %s", key, known);
    return false;
  }
  if (!parse_number(value, INT32_MAX, &number)) {
    snprintf(why, (size_t)n, "RT_DEBUG: '%s=%s' is not a number; give one from 0 on", key, value);
    return false;
  }
  if (is_schedtrace)
    options.schedtrace_ms = (uint32_t)number;
  else if (is_detail)
    options.scheddetail = number != 0;
  else
    options.asyncpreemptoff = number != 0;
  return true;
}

static bool read_debug(const char *text, char *why, int n)
{
  char copy[512];
  size_t n_text = strlen(text);
  if (n_text >= sizeof copy) {
    snprintf(why, (size_t)n, "RT_DEBUG is too long; at most %zu characters are read",
             sizeof copy - 1);
    return false;
  }
  memcpy(copy, text, n_text + 1);
  char *rest = copy;
  for (char *pair; (pair = strsep(&rest, ",")) != NULL;) {
    char *value = strchr(pair, '=');
    if (*pair == '\0')
      continue;
    if (value)
      *value++ = '\0';
    if (!set_debug(pair, value ? value : "", why, n))
      return false;
  }
  return true;
}

bool options_read(char *why, int n)
{
  const char *maxprocs = getenv("RT_MAXPROCS"), *level = getenv("RT_TRACEBACK");
  const char *debug = getenv("RT_DEBUG");
  long number = 0;
  if (maxprocs && *maxprocs && (!parse_number(maxprocs, MAX_PROCS, &number) || number == 0)) {
    snprintf(why, (size_t)n, "RT_MAXPROCS is '%s'; give a number from 1 to %d", maxprocs,
             MAX_PROCS);
    return false;
  }
  options.maxprocs = (int32_t)number;
  if (level && *level && !traceback_by_name(level, &options.traceback)) {
    snprintf(why, (size_t)n, "RT_TRACEBACK is '%s'; give none, single, all, system or crash",
             level);
    return false;
  }
  return !debug || read_debug(debug, why, n);
}

void rt_set_traceback(const char *level)
{
  enum traceback wanted;
  if (level && traceback_by_name(level, &wanted) && wanted > options.traceback)
    options.traceback = wanted;
}
