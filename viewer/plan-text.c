/* SPDX-License-Identifier: MIT */
/* plan-text.c - the width of words, and making foreign text harmless.
 *
 * The planner has to know what fits without a font at hand, so it uses a table of widths that no common sans
 * font exceeds much (DejaVu Sans, the widest of them, made it).  The painter gets the room as max_w and
 * ellipsizes the rare rest, so a wrong guess costs letters and never an overlap.
 *
 * Text out of a trace may be anything: a megabyte, half a character, direction overrides that turn "exit 0"
 * round.  vw_display_text is the only way from there to the screen.
 *
 * Not done: asking Pango here.  It would tie plans, and their tests, to fontconfig and to one font.
 */
#include "plan-build.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ELLIPSIS    "\xe2\x80\xa6"
#define REPLACEMENT 0xfffd

double vw_role_size(enum vw_role role)
{
  switch (role) {
  case VW_ROLE_SPAN:
    return 11.5;
  case VW_ROLE_TITLE:
    return 13;
  case VW_ROLE_CALLOUT:
    return 12;
  case VW_ROLE_SUBTITLE:
  case VW_ROLE_TICK:
  case VW_ROLE_LEGEND:
  case VW_ROLE_NOTE:
    break;
  }
  return 11;
}

/* ---- decoding ---- */
/* Length of the well-formed UTF-8 character at s, 0 if there is none. */
static size_t decode(const unsigned char *s, size_t n, uint32_t *code)
{
  static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
  size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
  if (length > n || (s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4)
    return 0;
  uint32_t c = length == 1 ? s[0] : s[0] & (0x7fu >> length);
  for (size_t i = 1; i < length; i++) {
    if ((s[i] & 0xc0) != 0x80)
      return 0;
    c = c << 6 | (s[i] & 0x3f);
  }
  if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
    return 0;
  *code = c;
  return length;
}

static size_t encode(uint32_t c, char *out)
{
  if (c < 0x80)
    return out[0] = (char)c, 1;
  size_t length = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
  for (size_t i = length - 1; i > 0; i--, c >>= 6)
    out[i] = (char)(0x80 | (c & 0x3f));
  out[0] = (char)((0xf00u >> length) | c);
  return length;
}

struct range {
  uint32_t first, last;
};

static bool in_ranges(uint32_t c, const struct range *ranges, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (c >= ranges[i].first && c <= ranges[i].last)
      return true;
  return false;
}

/* Characters that are not seen, turn the text round, or are nobody's. */
static bool is_unsafe(uint32_t c)
{
  static const struct range unsafe[] = {
    { 0x0000, 0x001f }, { 0x007f, 0x009f }, { 0x00ad, 0x00ad },   { 0x034f, 0x034f },
    { 0x061c, 0x061c }, { 0x115f, 0x1160 }, { 0x17b4, 0x17b5 },   { 0x180b, 0x180f },
    { 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },   { 0x3164, 0x3164 },
    { 0xe000, 0xf8ff }, { 0xfdd0, 0xfdef }, { 0xfe00, 0xfe0f },   { 0xfeff, 0xfeff },
    { 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x1d173, 0x1d17a }, { 0xe0000, 0x10ffff },
  };
  return (c & 0xfffe) == 0xfffe || in_ranges(c, unsafe, sizeof unsafe / sizeof *unsafe);
}

static bool is_accent(uint32_t c)
{
  static const struct range accents[] = {
    { 0x0300, 0x036f }, { 0x0483, 0x0489 }, { 0x0591, 0x05bd }, { 0x064b, 0x065f },
    { 0x0e31, 0x0e3a }, { 0x0e47, 0x0e4e }, { 0x1ab0, 0x1aff }, { 0x1dc0, 0x1dff },
    { 0x20d0, 0x20ff }, { 0xfe20, 0xfe2f },
  };
  return in_ranges(c, accents, sizeof accents / sizeof *accents);
}

/* What stands for a character: itself, a space, nothing ("" for a third accent), or a replacement. */
static size_t harmless(uint32_t c, unsigned *accents, char out[4])
{
  if (c == '\n' || c == '\r' || c == '\t')
    c = ' ';
  *accents = is_accent(c) ? *accents + 1 : 0;
  if (*accents > 2)
    return 0;
  return encode(is_unsafe(c) ? REPLACEMENT : c, out);
}

size_t vw_display_text(const char *raw, size_t n, char *out, size_t cap)
{
  size_t used = 0, safe = 0; /* safe: where an ellipsis still fits */
  unsigned accents = 0;
  for (size_t i = 0; i < n;) {
    uint32_t c = REPLACEMENT;
    size_t length = decode((const unsigned char *)raw + i, n - i, &c);
    i += length ? length : 1;
    char piece[4];
    size_t m = harmless(c, &accents, piece);
    if (used + m + 1 > cap) {
      memcpy(out + safe, ELLIPSIS, 3);
      used = safe + 3;
      break;
    }
    memcpy(out + used, piece, m);
    used += m;
    if (used + 4 <= cap)
      safe = used;
  }
  out[used] = '\0';
  return used;
}

/* ---- widths ---- */
/* In hundredths of the font's size. */
static double char_width(uint32_t c)
{
  if (c >= 0x1100)
    return c >= 0x2010 && c <= 0x2027 ? 100 : 110;
  if (c >= 0x80)
    return is_accent(c) ? 0 : 78;
  if (strchr("iljI|.,:;'! ", (int)c))
    return 35;
  if (strchr("frt()[]{}-/\\\"`", (int)c))
    return 46;
  if (strchr("mwMW@%", (int)c))
    return 100;
  if (strchr("+<>=~_#&", (int)c) || (c >= 'A' && c <= 'Z'))
    return c == 'G' || c == 'O' || c == 'Q' || c == 'D' || c == '&' || c >= '_' || c == '#' ? 80
           : c < 'A'                                                                        ? 85
                                                                                            : 72;
  return 65;
}

double vw_text_width(enum vw_role role, double font_scale, const char *text)
{
  double sum = 0;
  size_t n = strlen(text);
  for (size_t i = 0; i < n;) {
    uint32_t c = REPLACEMENT;
    size_t length = decode((const unsigned char *)text + i, n - i, &c);
    i += length ? length : 1;
    sum += char_width(c);
  }
  double bold = role == VW_ROLE_TITLE ? 1.12 : 1;
  return sum / 100 * vw_role_size(role) * bold * font_scale;
}

bool vw_text_fit(enum vw_role role, double font_scale, char *text, double max_w)
{
  if (vw_text_width(role, font_scale, text) <= max_w)
    return *text != '\0';
  double room = max_w - vw_text_width(role, font_scale, ELLIPSIS);
  size_t n = strlen(text), i = 0;
  double em = vw_role_size(role) * font_scale / 100 * (role == VW_ROLE_TITLE ? 1.12 : 1);
  while (i < n) {
    uint32_t c = REPLACEMENT;
    size_t length = decode((const unsigned char *)text + i, n - i, &c);
    room -= char_width(c) * em;
    if (room < 0 || i + length + 3 >= n + 1)
      break;
    i += length ? length : 1;
  }
  if (i == 0 || i + 3 > n)
    return false;
  while (i > 1 && text[i - 1] == ' ')
    i--;
  memcpy(text + i, ELLIPSIS, 4);
  return true;
}

/* ---- words ---- */
size_t vw_duration_text(double ns, char *out, size_t n)
{
  static const struct {
    double ns;
    const char *unit;
  } units[] = { { 1e9, "s" }, { 1e6, "ms" }, { 1e3, "\xc2\xb5s" } };
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (fabs(ns) >= units[i].ns) {
      double v = ns / units[i].ns;
      int decimals = fabs(v) < 10 ? 2 : fabs(v) < 100 ? 1 : 0;
      return (size_t)snprintf(out, n, "%.*f %s", decimals, v, units[i].unit);
    }
  return (size_t)snprintf(out, n, "%.0f ns", ns);
}

size_t vw_g_text(const struct vw_trace *trace, uint32_t g, char *out, size_t n)
{
  char name[96];
  const char *raw = vw_g_name(trace, g);
  if (vw_display_text(raw, strlen(raw), name, sizeof name) == 0)
    return (size_t)snprintf(out, n, "G%u", g);
  return (size_t)snprintf(out, n, "G%u %s", g, name);
}

static const struct vw_panic_path *panic_begun_at(const struct vw_trace *trace, uint64_t no)
{
  size_t n, low = 0;
  const struct vw_panic_path *paths = vw_panics(trace, &n);
  for (size_t high = n; low < high;) {
    size_t mid = low + (high - low) / 2;
    if (paths[mid].begin_no < no)
      low = mid + 1;
    else
      high = mid;
  }
  return low < n && paths[low].begin_no == no ? &paths[low] : NULL;
}

static size_t panic_text(struct vw_trace *trace, uint64_t no, char *out, size_t n)
{
  char value[96] = "";
  const struct vw_panic_path *path = panic_begun_at(trace, no);
  if (!path || !path->value)
    return (size_t)snprintf(out, n, "panic");
  vw_display_text(path->value, strlen(path->value), value, sizeof value);
  if (path->outcome == VW_OUTCOME_GOEXIT)
    return (size_t)snprintf(out, n, "Goexit");
  return (size_t)snprintf(out, n, "panic \xe2\x80\x9c%s\xe2\x80\x9d", value);
}

static size_t region_text(struct vw_trace *trace, const struct vw_span *region, char *out, size_t n)
{
  char name[120];
  const char *raw = vw_string(trace, region->why);
  if (vw_display_text(raw, strlen(raw), name, sizeof name) == 0)
    return (size_t)snprintf(out, n, "region");
  return (size_t)snprintf(out, n, "%s", name);
}

static size_t call_text(struct vw_trace *trace, uint64_t no, char *out, size_t n)
{
  char name[96] = "";
  const struct trace_event *e = vw_event(trace, no);
  if (e->kind == TRACE_DEFER_BEGIN) {
    const char *raw = vw_fn_name(trace, e->d[1]);
    vw_display_text(raw, strlen(raw), name, sizeof name);
  }
  return (size_t)snprintf(out, n, *name ? "defer %s" : "deferred call%s", name);
}

size_t vw_sysmon_text(const struct vw_span *span, char *out, size_t n)
{
  char delay[32];
  if (span->why == VW_SYSMON_DEEP)
    return (size_t)snprintf(out, n, "sysmon sleeps until woken");
  if (span->why == 0)
    return (size_t)snprintf(out, n, "sysmon");
  vw_duration_text(span->why, delay, sizeof delay);
  return (size_t)snprintf(out, n, "sysmon looks round every %s", delay);
}

size_t vw_overlay_text(struct vw_trace *trace, const struct vw_span *span, char *out, size_t n)
{
  if (span->no >= vw_event_count(trace))
    return (size_t)snprintf(out, n, "%s", vw_state_title((enum vw_state)span->state));
  switch ((enum vw_state)span->state) {
  case VW_STATE_PANIC:
    return panic_text(trace, span->no, out, n);
  case VW_STATE_REGION:
    return region_text(trace, span, out, n);
  case VW_STATE_CALL:
    return call_text(trace, span->no, out, n);
  default:
    return (size_t)snprintf(out, n, "%s", vw_state_title((enum vw_state)span->state));
  }
}
