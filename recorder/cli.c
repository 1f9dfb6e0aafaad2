/* SPDX-License-Identifier: MIT */
/* cli.c - one-line errors, and the search for programs and files that belong to this one. */
#include "cli.h"

#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int cli_error(const struct tracefile_error *error)
{
  char text[1600];
  tracefile_error_text(error, text, sizeof text);
  fflush(stdout);
  fprintf(stderr, "gmpscope: %s\n", text);
  return (int)error->code;
}

int cli_fail(enum tracefile_code code, const char *what, const char *todo, const char *why_format,
             ...)
{
  char why[sizeof((struct tracefile_error *)0)->why];
  struct tracefile_error error;
  va_list args;
  va_start(args, why_format);
  vsnprintf(why, sizeof why, why_format, args);
  va_end(args);
  tracefile_fail(&error, code, what, todo, "%s", why);
  return cli_error(&error);
}

int cli_tell_damage(struct tracefile_damage_sum damage, const char *path, const char *what_became)
{
  if (!damage.words[0])
    return TRACEFILE_OK;
  return cli_fail(TRACEFILE_DAMAGED, path, "gmpscope check lists them", "%s could not be read: %s",
                  damage.words, what_became);
}

bool cli_meta_is_of_file(const char *key)
{
  static const char *const keys[] = { "complete", "events",  "exit_code", "fault",
                                      "final",    "made_at", "made_by",   "tables" };
  for (size_t i = 0; i < COUNT_OF(keys); i++) {
    if (strcmp(key, keys[i]) == 0)
      return true;
  }
  return false;
}

const char *cli_signal_name(int signal)
{
  const char *name = sigdescr_np(signal);
  return name ? name : "unknown";
}

static bool is_there(const char *path, bool executable)
{
  struct stat info;
  return stat(path, &info) == 0 && !S_ISDIR(info.st_mode) &&
         access(path, executable ? X_OK : R_OK) == 0;
}

static bool beside(const char *directory, const char *name, bool executable, char *out, size_t n)
{
  int length = snprintf(out, n, "%s/%s", directory, name);
  return length > 0 && (size_t)length < n && is_there(out, executable);
}

/* Directory of this executable, without symbolic links. */
static bool own_directory(char *out, size_t n)
{
  ssize_t length = readlink("/proc/self/exe", out, n - 1);
  if (length <= 0)
    return false;
  out[length] = '\0';
  char *slash = strrchr(out, '/');
  if (!slash)
    return false;
  *slash = '\0';
  return true;
}

static bool on_path(const char *name, char *out, size_t n)
{
  const char *path = secure_getenv("PATH");
  while (path && *path) {
    const char *end = strchrnul(path, ':');
    char directory[PATH_MAX];
    int length = snprintf(directory, sizeof directory, "%.*s", (int)(end - path), path);
    bool is_absolute = length > 0 && (size_t)length < sizeof directory && directory[0] == '/';
    if (is_absolute && beside(directory, name, true, out, n))
      return true;
    path = *end ? end + 1 : end;
  }
  return false;
}

bool cli_find(const struct cli_place *place, char *out, size_t n)
{
  char own[PATH_MAX], build[PATH_MAX + 4];
  if (own_directory(own, sizeof own)) {
    if (place->name && beside(own, place->name, place->executable, out, n))
      return true;
    snprintf(build, sizeof build, "%s/..", own); /* recorder/ of the build tree */
    if (beside(build, place->build_path, place->executable, out, n))
      return true;
  }
  if (beside("", place->installed_path + 1, place->executable, out, n))
    return true;
  return place->executable && place->name && on_path(place->name, out, n);
}
