/* SPDX-License-Identifier: MIT */
/* test-layers.c - holds every #include to the table of layers (docs/architecture.md).
 *
 * Include paths already make an upward include a compile error.  Three things slip past them:
 * headers on the compiler's default path (<sqlite3.h>), a neighbour's private header beside its
 * door, and "../".  So this reads the sources.  A folder is judged by its longest prefix in the
 * table.
 */
#include "test.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct layer {
  const char *folder;
  const char *doors[20];  /* quoted headers of other folders that it may include */
  const char *systems[8]; /* prefixes of <...> headers beyond libc */
};

#define TRACE_DOORS                                                                                \
  "trace-event.h", "trace-emit.h", "trace-emit-fused.h", "trace-fuse.h", "trace-ring.h",           \
      "trace-replay.h", "trace-text.h", "trace-chunk.h", "trace-map.h", "trace-grow.h"

/* Of the contract, what speaks of events that are already read: nothing of rings, chunks and emitting; and how an
 * array grows. */
#define EVENT_DOORS "trace-event.h", "trace-replay.h", "trace-text.h", "trace-grow.h"

static const struct layer layers[] = {
  { "recorder/trace", { NULL }, { NULL } },
  { "recorder/file", { TRACE_DOORS }, { "sqlite3", "xxhash" } },
  /* The recorder makes the files that recorder/file reads, so it shares the inside of that folder. */
  { "recorder",
    { TRACE_DOORS, "tracefile.h", "tracefile-private.h", "schema.h", "facts.h", "sqlmodule.h",
      "sqltables.h" },
    { "sqlite3", "xxhash", "elfutils", "dwarf", "gelf", "libelf" } },
  { "runtime/demos", { "rt.h" }, { NULL } },
  { "runtime", { TRACE_DOORS }, { "sanitizer/", "valgrind/" } },
  { "viewer/paint",
    { EVENT_DOORS, "tracefile.h", "viewer.h", "plan.h", "plan-build.h" },
    { "cairo", "pango" } },
  { "viewer", { EVENT_DOORS, "trace-grow.h", "tracefile.h" }, { "sqlite3" } },
  { "ui",
    { EVENT_DOORS, "tracefile.h", "viewer.h", "plan.h", "paint.h" },
    { "gtk", "gdk", "gio", "glib", "gsk", "cairo", "pango" } },
};

/* Prefixes of headers that are no part of libc: only who lists them may include them. */
static const char *const foreign[] = { "sqlite3", "xxhash", "elfutils", "dwarf", "gelf", "libelf",
                                       "gtk",     "gdk",    "gio",      "glib",  "gsk",  "cairo",
                                       "pango",   "cmocka", "gmp",      "zstd" };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static unsigned n_includes, n_wrong;
static const char *source;

static char *join(const char *folder, const char *name)
{
  char *path = NULL;
  assert_true(asprintf(&path, "%s/%s", folder, name) > 0);
  return path;
}

static bool starts(const char *text, const char *prefix)
{
  return strncmp(text, prefix, strlen(prefix)) == 0;
}

static const struct layer *layer_of(const char *path)
{
  for (size_t i = 0; i < COUNT(layers); i++) {
    size_t n = strlen(layers[i].folder);
    if (starts(path, layers[i].folder) && path[n] == '/')
      return &layers[i];
  }
  return NULL;
}

static bool listed(const char *const *list, size_t n, const char *name, bool exact)
{
  for (size_t i = 0; i < n && list[i]; i++) {
    if (exact ? strcmp(list[i], name) == 0 : starts(name, list[i]))
      return true;
  }
  return false;
}

static bool exists_in(const char *folder, const char *header)
{
  struct stat st;
  char *name = join(folder, header), *full = join(source, name);
  bool exists = stat(full, &st) == 0;
  free(name);
  free(full);
  return exists;
}

/* True if a quoted header lies in the folder of the including file or, for a part of a layer, in
 * the layer's. */
static bool is_own(const char *path, const struct layer *layer, const char *header)
{
  char folder[300];
  snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
  return exists_in(folder, header) || exists_in(layer->folder, header);
}

static bool is_allowed(const char *path, const struct layer *layer, const char *header, bool quoted)
{
  if (strstr(header, "../"))
    return false;
  if (quoted)
    return is_own(path, layer, header) || listed(layer->doors, COUNT(layer->doors), header, true) ||
           strcmp(header, "events.def") == 0 || strcmp(header, "words.def") == 0;
  bool is_foreign = listed(foreign, COUNT(foreign), header, false);
  return !is_foreign || listed(layer->systems, COUNT(layer->systems), header, false);
}

static void check_line(const char *path, unsigned number, const char *line)
{
  while (*line == ' ')
    line++;
  if (!starts(line, "#include"))
    return;
  const char *open = strpbrk(line, "\"<");
  const char *close = open ? strpbrk(open + 1, "\">") : NULL;
  if (!close)
    return;
  char header[300];
  snprintf(header, sizeof header, "%.*s", (int)(close - open - 1), open + 1);
  n_includes++;
  if (!is_allowed(path, layer_of(path), header, *open == '"')) {
    n_wrong++;
    print_error("%s:%u includes %s, which its layer may not\n", path, number, header);
  }
}

static void check_file(const char *path)
{
  char line[2000];
  char *full = join(source, path);
  FILE *file = fopen(full, "r");
  free(full);
  assert_non_null(file);
  for (unsigned number = 1; fgets(line, sizeof line, file); number++)
    check_line(path, number, line);
  fclose(file);
}

static bool is_source(const char *name)
{
  size_t n = strlen(name);
  return n > 2 && name[n - 2] == '.' && (name[n - 1] == 'c' || name[n - 1] == 'h');
}

static void check_folder(const char *folder)
{
  char *full = join(source, folder);
  DIR *dir = opendir(full);
  free(full);
  assert_non_null(dir);
  for (struct dirent *entry; (entry = readdir(dir));) {
    char *path = join(folder, entry->d_name);
    if (entry->d_name[0] != '.' && entry->d_type == DT_DIR)
      check_folder(path);
    else if (is_source(entry->d_name))
      check_file(path);
    free(path);
  }
  closedir(dir);
}

static void every_include_keeps_to_its_layer(void **state)
{
  (void)state;
  static const char *const folders[] = { "recorder", "runtime", "viewer", "ui" };
  for (size_t i = 0; i < COUNT(folders); i++)
    check_folder(folders[i]);
  assert_true(n_includes > 50);
  assert_int_equal(n_wrong, 0);
}

static void an_upward_include_would_be_seen(void **state)
{
  (void)state;
  const char *path = "viewer/plan.c";
  const struct layer *viewer = layer_of(path);
  assert_false(is_allowed(path, viewer, "gtk/gtk.h", false));
  assert_false(is_allowed(path, viewer, "rt.h", true));
  assert_false(is_allowed(path, viewer, "../recorder/recorder.h", true));
  assert_true(is_allowed(path, viewer, "viewer.h", true));
  assert_false(is_allowed("ui/main.c", layer_of("ui/main.c"), "sqlite3.h", false));
  assert_false(is_allowed("ui/main.c", layer_of("ui/main.c"), "trace-ring.h", true));
  assert_false(is_allowed("runtime/proc.c", layer_of("runtime/proc.c"), "sqlite3.h", false));
}

int main(void)
{
  source = getenv("GMPSCOPE_SOURCE");
  if (!source)
    return 77;
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_include_keeps_to_its_layer),
    cmocka_unit_test(an_upward_include_would_be_seen),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
