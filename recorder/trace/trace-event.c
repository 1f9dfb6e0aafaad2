/* SPDX-License-Identifier: MIT */
/* trace-event.c - look-ups in the tables made from events.def and words.def. */
#include "trace-event.h"

#include <string.h>

const struct trace_spec trace_specs[TRACE_KIND_LIMIT] = {
/* clang-format off */
#define ARG(type, name)  { TRACE_ARG_##type, #name }
#define WIDE(type, name) { TRACE_ARG_##type, #name }
#define HIGH             { TRACE_ARG_HIGH, NULL }
#define NONE             { TRACE_ARG_NONE, NULL }
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc) \
  [number] = { #name, doc, TRACE_FAMILY_##family, { w0, w1, w2, w3 } },
#include "events.def"
#undef EVENT
#undef NONE
#undef HIGH
#undef WIDE
#undef ARG
  /* clang-format on */
};

struct word {
  enum trace_arg type;
  uint32_t number;
  const char *text;
};

static const struct word words[] = {
#define WORD(type, number, NAME, text) { TRACE_ARG_##type, number, text },
#include "words.def"
#undef WORD
};

/* The same by type and number: a dump prints millions of them. */
#define WORD_NUMBERS 32
static const char *const word_texts[TRACE_ARG_LIMIT][WORD_NUMBERS] = {
/* clang-format off */
#define WORD(type, number, NAME, text) [TRACE_ARG_##type][number] = text,
#include "words.def"
#undef WORD
  /* clang-format on */
};

static const char *const arg_type_names[TRACE_ARG_LIMIT] = {
#define X(TYPE) [TRACE_ARG_##TYPE] = #TYPE,
  TRACE_ARG_TYPES(X) TRACE_ARG_WIDE_TYPES(X)
#undef X
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const struct trace_spec *trace_spec_get(uint32_t kind)
{
  if (kind >= TRACE_KIND_LIMIT || !trace_specs[kind].name)
    return NULL;
  return &trace_specs[kind];
}

enum trace_kind trace_kind_by_name(const char *name, size_t length)
{
  for (uint32_t kind = 0; kind < TRACE_KIND_LIMIT; kind++) {
    const char *known = trace_specs[kind].name;
    if (known && strlen(known) == length && memcmp(known, name, length) == 0)
      return (enum trace_kind)kind;
  }
  return TRACE_KIND_NONE;
}

bool trace_arg_is_word(enum trace_arg type)
{
  return type >= TRACE_ARG_WAIT && type <= TRACE_ARG_CHOICE;
}

const char *trace_arg_type_name(enum trace_arg type)
{
  return type < TRACE_ARG_LIMIT ? arg_type_names[type] : NULL;
}

const char *trace_word_text(enum trace_arg type, uint32_t number)
{
  return type < TRACE_ARG_LIMIT && number < WORD_NUMBERS ? word_texts[type][number] : NULL;
}

bool trace_word_by_text(enum trace_arg type, const char *text, size_t length, uint32_t *number)
{
  for (size_t i = 0; i < COUNT(words); i++) {
    const struct word *w = &words[i];
    if (w->type == type && strlen(w->text) == length && memcmp(w->text, text, length) == 0) {
      *number = w->number;
      return true;
    }
  }
  return false;
}

static const struct {
  enum trace_family family;
  const char *name;
} families[] = {
#define X(NAME, bit, name, title) { TRACE_FAMILY_##NAME, name },
  TRACE_FAMILIES(X)
#undef X
};

const char *trace_family_name(enum trace_family family)
{
  for (size_t i = 0; i < COUNT(families); i++) {
    if (families[i].family == family)
      return families[i].name;
  }
  return NULL;
}

static bool family_by_name(const char *name, size_t length, uint32_t *mask)
{
  if (length == 3 && memcmp(name, "all", 3) == 0) {
    *mask |= TRACE_FAMILY_ALL;
    return true;
  }
  for (size_t i = 0; i < COUNT(families); i++) {
    if (strlen(families[i].name) == length && memcmp(families[i].name, name, length) == 0) {
      *mask |= families[i].family;
      return true;
    }
  }
  return false;
}

bool trace_family_parse(const char *text, uint32_t *mask)
{
  uint32_t found = TRACE_FAMILY_ALWAYS;
  for (;;) {
    const char *end = strchr(text, ',');
    size_t length = end ? (size_t)(end - text) : strlen(text);
    if (!family_by_name(text, length, &found))
      return false;
    if (!end)
      break;
    text = end + 1;
  }
  *mask = found;
  return true;
}
