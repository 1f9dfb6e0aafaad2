/* SPDX-License-Identifier: MIT */
/* trace-sentence.c - an event in one plain sentence for people who learn: the names in it, and the choice.
 *
 * Names come from the traced program, so what cannot be printed is escaped (trace_text_printable), and long
 * ones are cut at a character.  The sentences themselves are in trace-sentence-sched.c and trace-sentence-rest.c.
 */
#include "trace-sentence.h"

#include "trace-text.h"

#include <stdarg.h>

#define MAX_SHOWN 40 /* bytes of a name, as they are shown */

void trace_say(struct trace_saying *s, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  bool room = s->length < s->n;
  int n = vsnprintf(room ? s->out + s->length : NULL, room ? s->n - s->length : 0, format, args);
  va_end(args);
  s->length += n > 0 ? (size_t)n : 0;
}

static char *name_slot(struct trace_saying *s)
{
  return s->names[s->next_name++ % TRACE_SAY_SLOTS];
}

/* "text" in quotes, fit to be read; NULL if the string is not known. */
static const char *quoted(struct trace_saying *s, uint32_t id)
{
  size_t length;
  const char *text = trace_replay_string(s->before, id, &length);
  if (!text)
    return NULL;
  char *slot = name_slot(s);
  size_t taken, shown = trace_text_printable(text, length, slot + 1, MAX_SHOWN + 1, &taken);
  slot[0] = '"';
  stpcpy(slot + 1 + shown, taken < length ? "...\"" : "\"");
  return slot;
}

const char *trace_name_string(struct trace_saying *s, uint32_t id)
{
  const char *text = quoted(s, id);
  if (text)
    return text;
  char *slot = name_slot(s);
  snprintf(slot, TRACE_SAY_NAME, "string %u", id);
  return slot;
}

const char *trace_name_g(struct trace_saying *s, uint32_t goid)
{
  const struct trace_g *g = trace_replay_g(s->before, goid);
  const char *name = g && g->name ? quoted(s, g->name) : NULL;
  char *slot = name_slot(s);
  if (name)
    snprintf(slot, TRACE_SAY_NAME, "G%u %s", goid, name);
  else if (goid)
    snprintf(slot, TRACE_SAY_NAME, "G%u", goid);
  else
    snprintf(slot, TRACE_SAY_NAME, "no G");
  return slot;
}

const char *trace_name_p(struct trace_saying *s, uint32_t p)
{
  char *slot = name_slot(s);
  if (p == TRACE_NO_P)
    snprintf(slot, TRACE_SAY_NAME, "no P");
  else
    snprintf(slot, TRACE_SAY_NAME, "P%u", p);
  return slot;
}

const char *trace_name_me(struct trace_saying *s)
{
  char *slot = name_slot(s);
  if (s->e->p == TRACE_NO_P)
    snprintf(slot, TRACE_SAY_NAME, "M%u", s->e->m);
  else
    snprintf(slot, TRACE_SAY_NAME, "M%u (P%u)", s->e->m, s->e->p);
  return slot;
}

const char *trace_name_running(struct trace_saying *s)
{
  return s->e->g ? trace_name_g(s, s->e->g) : trace_name_me(s);
}

const char *trace_name_word(enum trace_arg type, uint32_t number)
{
  const char *text = trace_word_text(type, number);
  return text ? text : "?";
}

const char *trace_name_object(struct trace_saying *s, uint64_t obj)
{
  uint32_t what, name, ordinal;
  if (!trace_replay_object(s->before, obj, &what, &name, &ordinal)) {
    char *slot = name_slot(s);
    snprintf(slot, TRACE_SAY_NAME, "0x%lx", (unsigned long)obj);
    return slot;
  }
  const char *kind = trace_word_text(TRACE_ARG_OBJKIND, what);
  const char *text = name ? quoted(s, name) : NULL;
  char *slot = name_slot(s);
  if (text)
    snprintf(slot, TRACE_SAY_NAME, "%s %s", kind, text);
  else
    snprintf(slot, TRACE_SAY_NAME, "%s %u", kind, ordinal);
  return slot;
}

const char *trace_name_fn(struct trace_saying *s, uint64_t fn)
{
  char *slot = name_slot(s);
  snprintf(slot, TRACE_SAY_NAME, "the function at 0x%lx", (unsigned long)fn);
  return slot;
}

const char *trace_name_time(struct trace_saying *s, int64_t ns)
{
  char *slot = name_slot(s);
  trace_time_print(ns, slot, TRACE_SAY_NAME);
  return slot;
}

const char *trace_name_timer(struct trace_saying *s, uint32_t timer)
{
  const struct trace_timer *t = trace_replay_timer(s->before, timer);
  const char *owner = t && t->owner ? trace_name_g(s, t->owner) : NULL;
  uint32_t what, name = 0, ordinal;
  const char *text = trace_replay_object(s->before, timer, &what, &name, &ordinal) && name
                         ? quoted(s, name)
                         : NULL;
  char *slot = name_slot(s);
  snprintf(slot, TRACE_SAY_NAME, "timer %u%s%.40s%s%.60s", timer, text ? " " : "", text ? text : "",
           owner ? " of " : "", owner ? owner : "");
  return slot;
}

const char *trace_name_count(struct trace_saying *s, uint64_t n, const char *one)
{
  char *slot = name_slot(s);
  snprintf(slot, TRACE_SAY_NAME, "%lu %s%s", (unsigned long)n, one, n == 1 ? "" : "s");
  return slot;
}

static void choose(struct trace_saying *s)
{
  switch ((enum trace_kind)s->e->kind) {
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                     \
  case TRACE_##NAME:                                                                               \
    trace_say_##name(s, trace_args_##name(s->e));                                                  \
    break;
#include "events.def"
#undef EVENT
  case TRACE_KIND_NONE:
  case TRACE_KIND_LIMIT:
    break;
  }
}

size_t trace_sentence(const struct trace_replay *before, const struct trace_event *e, char *out,
                      size_t n)
{
  struct trace_saying s = { .before = before, .e = e, .out = out, .n = n };
  if (n > 0)
    out[0] = '\0';
  if (trace_spec_get(e->kind))
    choose(&s);
  if (s.length == 0)
    trace_say(&s, "This version does not know events of kind %u.", e->kind);
  return s.length;
}
