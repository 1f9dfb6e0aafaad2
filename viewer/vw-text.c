/* SPDX-License-Identifier: MIT */
/* vw-text.c - a trace from its text form, which is how tests make one. */
#include "trace-grow.h"
#include "trace-text.h"
#include "vw-internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool take_meta(void *arg, const char *key, const char *value, size_t length)
{
  vw_builder_meta(arg, key, value, length);
  return true;
}

static bool take_event(void *arg, const struct trace_event *e)
{
  return vw_builder_add(arg, e);
}

struct vw_trace *vw_trace_from_text(const char *text, size_t length, struct tracefile_error *error)
{
  struct vw_builder *b = vw_builder_new();
  if (!b) {
    tracefile_fail(error, TRACEFILE_WRONG, "the text", "", "there is no memory to read it");
    return NULL;
  }
  struct trace_text_sink sink = { .meta = take_meta, .event = take_event, .arg = b };
  struct trace_text_error wrong = { 0 };
  if (trace_text_parse(text, length, &sink, &wrong) || b->failed)
    return vw_builder_finish(b, error);
  tracefile_fail(error, TRACEFILE_WRONG, "the text", "", "line %u: %s", wrong.line, wrong.sentence);
  vw_builder_free(b);
  return NULL;
}

static char *read_all(FILE *file, size_t *length)
{
  char *text = NULL;
  size_t capacity = 0, n;
  *length = 0;
  do {
    if (!trace_grow(&text, &capacity, *length + 4096, 1)) {
      free(text);
      return NULL;
    }
    n = fread(text + *length, 1, capacity - *length, file);
    *length += n;
  } while (n > 0);
  return text;
}

struct vw_trace *vw_trace_from_text_file(const char *path, struct tracefile_error *error)
{
  FILE *file = fopen(path, "re");
  if (!file) {
    tracefile_fail(error, TRACEFILE_WRONG, path, "", "%s", strerror(errno));
    return NULL;
  }
  size_t length;
  char *text = read_all(file, &length);
  fclose(file);
  struct vw_trace *trace = text ? vw_trace_from_text(text, length, error) : NULL;
  if (!text)
    tracefile_fail(error, TRACEFILE_WRONG, path, "", "there is no memory to read it");
  free(text);
  return trace;
}
