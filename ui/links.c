/* SPDX-License-Identifier: MIT */
/* links.c - finds names of Gs, Ms and Ps in sentences (links.h).
 *
 * The sentence comes from trace_sentence, which is shared with the command line and so is plain text.  Its
 * names have one shape, a capital G, M or P and digits that stand alone, so finding them again is sure
 * enough; a name of the traced program that looks the same ("G7") links to G7, which is harmless.
 * Everything shown by a GtkLabel with markup goes through here: names are hostile input.
 */
#include "links.h"

#include "plan.h"

#include <string.h>

#define TEXT_MAX 1024 /* longer text is cut with an ellipsis */

const char *ui_word(enum trace_arg type, uint32_t number)
{
  const char *text = trace_word_text(type, number);
  return text ? text : "unknown";
}

char *ui_text_clean(const char *text)
{
  char clean[TEXT_MAX];
  const char *raw = text ? text : "";
  vw_display_text(raw, strlen(raw), clean, sizeof clean);
  return g_strdup(clean);
}

char *ui_text_count(uint64_t n)
{
  GString *text = g_string_new(NULL);
  g_string_printf(text, "%" G_GUINT64_FORMAT, n);
  for (gssize at = (gssize)text->len - 3; at > 0; at -= 3)
    g_string_insert_c(text, at, ',');
  return g_string_free(text, FALSE);
}

char *ui_text_many(uint64_t n, const char *one)
{
  g_autofree char *count = ui_text_count(n);
  return g_strdup_printf("%s %s%s", count, one, n == 1 ? "" : "s");
}

char *ui_link(char kind, uint64_t id, const char *name)
{
  g_autofree char *clean = ui_text_clean(name);
  g_autofree char *escaped = g_markup_escape_text(clean, -1);
  const char *shown = kind == 'e' ? "#" : (const char[]){ g_ascii_toupper(kind), 0 };
  return g_strdup_printf("<a href=\"%c:%" G_GUINT64_FORMAT "\">%s%" G_GUINT64_FORMAT "%s%s</a>",
                         kind, id, shown, id, *escaped ? " " : "", escaped);
}

/* Length of a name like "G17" that stands alone at s, 0 if there is none. */
static size_t name_length(const char *start, const char *s)
{
  if (!strchr("GMP", *s) || (s > start && (g_ascii_isalnum(s[-1]) || s[-1] == '_')))
    return 0;
  const size_t digits = strspn(s + 1, "0123456789");
  const char after = s[1 + digits];
  if (digits == 0 || digits > 10 || g_ascii_isalnum(after) || after == '_')
    return 0;
  return 1 + digits;
}

char *ui_links_markup(const char *sentence)
{
  g_autofree char *clean = ui_text_clean(sentence);
  GString *markup = g_string_new(NULL);
  for (const char *s = clean; *s;) {
    const size_t length = name_length(clean, s);
    if (length) {
      g_autofree char *link = ui_link(g_ascii_tolower(*s), g_ascii_strtoull(s + 1, NULL, 10), NULL);
      g_string_append(markup, link);
      s += length;
      continue;
    }
    const char *next = g_utf8_next_char(s);
    g_autofree char *escaped = g_markup_escape_text(s, next - s);
    g_string_append(markup, escaped);
    s = next;
  }
  return g_string_free(markup, FALSE);
}
