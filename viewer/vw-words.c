/* SPDX-License-Identifier: MIT */
/* vw-words.c - an event in words, with the names that the trace knows put in.
 *
 * The sentence itself is the replay's (trace_sentence): `gmpscope dump`, the check and the window say the same.
 * It knows goids and strings, but not which function stands at an address; that is the file's knowledge, so
 * addresses of functions and objects in it are replaced here.
 */
#include "trace-text.h"
#include "vw-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct out { /* what fits is kept, all is counted, as snprintf does */
  char *text;
  size_t n, length;
};

static void put_bytes(struct out *out, const char *bytes, size_t length)
{
  if (out->length + 1 < out->n) {
    size_t room = out->n - out->length - 1, fits = length < room ? length : room;
    memcpy(out->text + out->length, bytes, fits);
    out->text[out->length + fits] = '\0';
  }
  out->length += length;
}

static void put(struct out *out, const char *text)
{
  put_bytes(out, text, strlen(text));
}

static struct out out_begin(char *text, size_t n)
{
  if (n)
    text[0] = '\0';
  return (struct out){ text, n, 0 };
}

/* The name of an argument's value that is an address, or "" if there is none better than the number. */
static const char *resolved(struct vw_trace *trace, enum trace_arg type, uint64_t value,
                            char *buffer, size_t n)
{
  if (value == 0)
    return "";
  if (type == TRACE_ARG_FN || type == TRACE_ARG_PC)
    return vw_fn_name(trace, value);
  if (type != TRACE_ARG_OBJ)
    return "";
  vw_object_name(trace, value, buffer, n);
  return strncmp(buffer, "0x", 2) == 0 ? "" : buffer;
}

/* ---- sentences ---- */

/* Length of what comes before an address, without the words that say it is one: a name needs none. */
static size_t without_at(const char *text, size_t length)
{
  static const char at[] = "the function at ";
  size_t n = sizeof at - 1;
  return length >= n && memcmp(text + length - n, at, n) == 0 ? length - n : length;
}

/* Copies the sentence with each whole-word "0x..." that is this number replaced by the name. */
static void replace(struct out *out, const char *sentence, uint64_t value, const char *name)
{
  char number[24];
  size_t length = (size_t)snprintf(number, sizeof number, "0x%" PRIx64, value);
  const char *found;
  while ((found = strstr(sentence, number))) {
    bool is_whole = !strchr("0123456789abcdef", found[length]) || found[length] == '\0';
    size_t before = (size_t)(found - sentence);
    put_bytes(out, sentence, is_whole ? without_at(sentence, before) : before);
    put(out, is_whole ? name : number);
    sentence = found + length;
  }
  put(out, sentence);
}

/* A function that no argument of the event names, but the state before it (a frame's, by what it deferred). */
static void name_function(struct vw_trace *trace, char *sentence, size_t n)
{
  static const char at[] = "the function at 0x";
  const char *found = strstr(sentence, at);
  const uint64_t fn = found ? strtoull(found + sizeof at - 1, NULL, 16) : 0;
  const char *name = resolved(trace, TRACE_ARG_FN, fn, NULL, 0);
  char next[1024];
  if (!*name)
    return;
  struct out replaced = out_begin(next, sizeof next);
  replace(&replaced, sentence, fn, name);
  snprintf(sentence, n, "%s", next);
}

size_t vw_sentence(struct vw_trace *trace, uint64_t no, char *out, size_t n)
{
  const struct trace_event *e = vw_event(trace, no);
  const struct trace_spec *spec = &trace_specs[e->kind];
  const struct trace_replay *before = vw_history_before(trace, no);
  char sentence[1024] = "", next[1024], name[256];
  if (before)
    trace_sentence(before, e, sentence, sizeof sentence);
  for (int i = 0; i < 4; i++) {
    enum trace_arg type = spec->args[i].type;
    uint64_t value = trace_arg_value(e, spec, i);
    const char *better = resolved(trace, type, value, name, sizeof name);
    if (!*better)
      continue;
    struct out replaced = out_begin(next, sizeof next);
    replace(&replaced, sentence, value, better);
    memcpy(sentence, next, sizeof sentence);
  }
  name_function(trace, sentence, sizeof sentence);
  struct out whole = out_begin(out, n);
  put(&whole, sentence);
  return whole.length;
}

/* ---- lists ---- */

static void put_argument(struct vw_trace *trace, const struct trace_event *e, int word,
                         struct out *out)
{
  const struct trace_spec *spec = &trace_specs[e->kind];
  enum trace_arg type = spec->args[word].type;
  uint64_t value = trace_arg_value(e, spec, word);
  char text[256];
  const char *better = resolved(trace, type, value, text, sizeof text);
  if (type == TRACE_ARG_STR) {
    put(out, "\"");
    put(out, vw_string(trace, (uint32_t)value));
    put(out, "\"");
  } else if (*better) {
    put(out, better);
  } else {
    trace_text_argument(e, word, text, sizeof text);
    put(out, text);
  }
}

size_t vw_event_text(struct vw_trace *trace, uint64_t no, char *out, size_t n)
{
  const struct trace_event *e = vw_event(trace, no);
  const struct trace_spec *spec = &trace_specs[e->kind];
  struct out text = out_begin(out, n);
  put(&text, spec->name);
  for (int i = 0; i < 4; i++) {
    if (!spec->args[i].name)
      continue;
    put(&text, " ");
    put(&text, spec->args[i].name);
    put(&text, "=");
    put_argument(trace, e, i, &text);
  }
  return text.length;
}
