/* SPDX-License-Identifier: MIT */
/* fixture.c - see fixture.h. */
#include "test.h"

#include "fixture.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

static bool no_meta(void *arg, const char *key, const char *value, size_t length)
{
  (void)arg;
  (void)key;
  (void)value;
  (void)length;
  return true;
}

static bool keep_event(void *arg, const struct trace_event *e)
{
  struct fixture *f = arg;
  if (f->n == f->capacity) {
    f->capacity = f->capacity ? f->capacity * 2 : 64;
    f->events = realloc(f->events, f->capacity * sizeof *f->events);
    assert_non_null(f->events);
  }
  f->events[f->n++] = *e;
  return true;
}

static bool keep_verdict(void *arg, bool good, const char *rule)
{
  struct fixture *f = arg;
  f->has_verdict = true;
  f->good = good;
  snprintf(f->rule, sizeof f->rule, "%s", rule);
  return true;
}

bool fixture_parse(struct fixture *f, struct trace_text_error *error)
{
  struct trace_text_sink sink = { no_meta, keep_event, keep_verdict, f };
  f->n = 0;
  return trace_text_parse(f->text, f->length, &sink, error);
}

void fixture_clear(struct fixture *f)
{
  free(f->text);
  free(f->events);
  *f = (struct fixture){ 0 };
}

char *fixture_print(const struct trace_event *events, size_t n)
{
  char *text = NULL;
  size_t length = 0;
  FILE *out = open_memstream(&text, &length);
  assert_non_null(out);
  struct trace_text_printer *printer = trace_text_printer_new(out);
  assert_non_null(printer);
  trace_text_print_header(printer);
  for (size_t i = 0; i < n; i++)
    trace_text_print_event(printer, &events[i]);
  trace_text_printer_flush(printer);
  trace_text_printer_free(printer);
  fclose(out);
  return text;
}

static void read_file(struct fixture *f, const char *path)
{
  FILE *in = fopen(path, "r");
  if (!in)
    fail_msg("%s cannot be read", path);
  f->text = malloc(1 << 20);
  f->length = fread(f->text, 1, 1 << 20, in);
  fclose(in);
  assert_in_range(f->length, 1, (1 << 20) - 1);
}

static bool is_trace(const char *name)
{
  size_t n = strlen(name);
  return n > 6 && strcmp(name + n - 6, ".trace") == 0;
}

static size_t each_in(const char *folder, void (*one)(const struct fixture *f, void *arg),
                      void *arg)
{
  char path[2000];
  size_t count = 0;
  snprintf(path, sizeof path, "%s/tests/traces/%s", getenv("GMPSCOPE_SOURCE"), folder);
  DIR *dir = opendir(path);
  if (!dir)
    fail_msg("%s is missing (GMPSCOPE_SOURCE must name the source tree)", path);
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (!is_trace(entry->d_name))
      continue;
    struct fixture f = { 0 };
    struct trace_text_error error;
    snprintf(f.name, sizeof f.name, "%s/%s", folder, entry->d_name);
    snprintf(path, sizeof path, "%s/tests/traces/%s", getenv("GMPSCOPE_SOURCE"), f.name);
    read_file(&f, path);
    if (!fixture_parse(&f, &error))
      fail_msg("%s:%u: %s", f.name, error.line, error.sentence);
    one(&f, arg);
    fixture_clear(&f);
    count++;
  }
  closedir(dir);
  return count;
}

size_t fixtures_each(void (*one)(const struct fixture *f, void *arg), void *arg)
{
  return each_in("good", one, arg) + each_in("bad", one, arg);
}
