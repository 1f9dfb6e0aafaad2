/* SPDX-License-Identifier: MIT */
/* vw-names.c - names of functions, Gs, objects and strings, safe to show.
 *
 * Names are bytes of the traced program, which nobody has checked: what is not printable UTF-8 becomes \xNN, once,
 * when a name is first asked for, and the result is kept until the trace is freed.
 */
#include "trace-grow.h"
#include "trace-text.h"
#include "vw-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_MAX_BYTES 4096 /* longer texts are cut: nobody reads them in a picture */

struct vw_names {
  struct vw_map strings;   /* string id -> index in texts */
  struct vw_map functions; /* address -> index */
  struct vw_map places;
  char **texts;
  size_t n, capacity;
};

struct vw_names *vw_names_new(void)
{
  return calloc(1, sizeof(struct vw_names));
}

void vw_names_free(struct vw_names *names)
{
  if (!names)
    return;
  for (size_t i = 0; i < names->n; i++)
    free(names->texts[i]);
  free(names->texts);
  vw_map_clear(&names->strings);
  vw_map_clear(&names->functions);
  vw_map_clear(&names->places);
  free(names);
}

/* ---- the cache ---- */

/* Keeps a printable copy under key. "" without memory. */
static const char *keep(struct vw_names *names, struct vw_map *map, uint64_t key, const char *bytes,
                        size_t length)
{
  char printable[NAME_MAX_BYTES];
  trace_text_printable(bytes, length, printable, sizeof printable, NULL);
  char *text = strdup(printable);
  if (!text || !trace_grow(&names->texts, &names->capacity, names->n, sizeof *names->texts)) {
    free(text);
    return "";
  }
  names->texts[names->n++] = text;
  /* Without room in the map the text is kept all the same, and made again the next time. */
  vw_map_add(map, key, (uint32_t)(names->n - 1));
  return text;
}

static const char *kept(const struct vw_names *names, const struct vw_map *map, uint64_t key)
{
  uint32_t i = vw_map_get(map, key);
  return i == VW_MAP_NONE ? NULL : names->texts[i];
}

const char *vw_string(const struct vw_trace *trace, uint32_t id)
{
  struct vw_names *names = trace->names;
  const char *text = kept(names, &names->strings, id);
  if (text || id == 0)
    return text ? text : "";
  size_t length = 0;
  const char *bytes = trace_replay_string(trace->history.end, id, &length);
  if (!bytes && trace->file)
    bytes = tracefile_string(trace->file, id, &length);
  return keep(names, &names->strings, id, bytes ? bytes : "", bytes ? length : 0);
}

/* ---- functions ---- */

static bool frame_of(const struct vw_trace *trace, uint64_t fn, struct tracefile_frame *frame)
{
  *frame = (struct tracefile_frame){ 0 };
  return fn && trace->file && tracefile_frame(trace->file, fn, frame);
}

static const char *base_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

const char *vw_fn_place(const struct vw_trace *trace, uint64_t fn)
{
  struct vw_names *names = trace->names;
  const char *text = kept(names, &names->places, fn);
  if (text)
    return text;
  struct tracefile_frame frame;
  char place[NAME_MAX_BYTES] = "";
  if (frame_of(trace, fn, &frame) && frame.file)
    snprintf(place, sizeof place, "%s:%d", base_name(frame.file), frame.line);
  return keep(names, &names->places, fn, place, strlen(place));
}

const char *vw_fn_name(const struct vw_trace *trace, uint64_t fn)
{
  struct vw_names *names = trace->names;
  const char *text = kept(names, &names->functions, fn);
  if (text)
    return text;
  struct tracefile_frame frame;
  const char *name =
      frame_of(trace, fn, &frame) && frame.function ? frame.function : vw_fn_place(trace, fn);
  return keep(names, &names->functions, fn, name, strlen(name));
}

/* ---- objects ---- */

size_t vw_object_name(const struct vw_trace *trace, uint64_t obj, char *out, size_t n)
{
  uint32_t what = 0, name = 0, ordinal = 0;
  int length;
  if (obj == 0)
    length = snprintf(out, n, "nothing");
  else if (!trace_replay_object(trace->history.end, obj, &what, &name, &ordinal))
    length = snprintf(out, n, obj < 65536 ? "timer %" PRIu64 : "0x%" PRIx64, obj);
  else {
    const char *kind = trace_word_text(TRACE_ARG_OBJKIND, what);
    kind = kind ? kind : "object";
    length = name ? snprintf(out, n, "%s %s", kind, vw_string(trace, name))
                  : snprintf(out, n, "%s #%u", kind, ordinal);
  }
  return length > 0 ? (size_t)length : 0;
}
