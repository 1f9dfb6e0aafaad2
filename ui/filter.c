/* SPDX-License-Identifier: MIT */
/* filter.c - words to a filter (filter.h).
 *
 * Not done: a query language.  Three kinds of word answer "what did G17 do with timers?" (g17 timer); for more
 * there is SQL, which people know already.
 */
#include "filter.h"

#include <string.h>

/* "g17": one of g m p t and a number. */
static bool take_thing(struct vw_filter *filter, const char *word)
{
  guint64 id;
  if (!word[0] || !g_ascii_string_to_unsigned(word + 1, 10, 0, G_MAXUINT32, &id, NULL))
    return false;
  switch (g_ascii_tolower(word[0])) {
  case 'g':
    filter->has_g = true;
    filter->g = (uint32_t)id;
    return true;
  case 'm':
    filter->has_m = true;
    filter->m = (uint32_t)id;
    return true;
  case 'p':
    filter->has_p = true;
    filter->p = (uint32_t)id;
    return true;
  case 't':
    filter->has_timer = true;
    filter->timer = (uint32_t)id;
    return true;
  default:
    return false;
  }
}

static bool take_word(struct vw_filter *filter, const char *word)
{
  if (take_thing(filter, word))
    return true;
  const enum trace_kind kind = trace_kind_by_name(word, strlen(word));
  if (kind != TRACE_KIND_NONE) {
    filter->has_kind = true;
    filter->kind = kind;
    return true;
  }
  uint32_t families = 0;
  if (!strcmp(word, "all") || !trace_family_parse(word, &families))
    return false;
  /* the parser adds the families that are always recorded: only the typed one is meant here */
  for (uint32_t bit = 1; bit < TRACE_FAMILY_ALL; bit <<= 1) {
    const char *name = trace_family_name((enum trace_family)bit);
    if (name && !strcmp(name, word))
      filter->families |= bit;
  }
  return true;
}

bool ui_filter_parse(struct ui_filter *out, const char *typed)
{
  memset(out, 0, sizeof *out);
  g_auto(GStrv) words = g_strsplit_set(typed, " \t", -1);
  g_autoptr(GString) text = g_string_new(NULL);
  bool lets_all_pass = true;
  for (char **word = words; *word; word++) {
    if (!**word)
      continue;
    lets_all_pass = false;
    if (!take_word(&out->filter, *word))
      g_string_append_printf(text, "%s%s", text->len ? " " : "", *word);
  }
  if (text->len) {
    out->text = g_strdup(text->str);
    out->filter.text = out->text;
  }
  return !lets_all_pass;
}

void ui_filter_clear(struct ui_filter *filter)
{
  g_clear_pointer(&filter->text, g_free);
  memset(filter, 0, sizeof *filter);
}
