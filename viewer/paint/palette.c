/* SPDX-License-Identifier: MIT */
/* palette.c - every colour, in one place.
 *
 * Gs take calm, light hues after Paul Tol's qualitative schemes, which stay apart for all common kinds of
 * colour blindness; neighbours by number are far apart in the list.  What does not run is a neutral grey that
 * steps back.  The one strong pair is kept for panic (vermilion) and recover (blue): nothing else is as
 * saturated, so a panic is found before anything is read.  No meaning rests on colour alone: states have
 * patterns (paint-lanes.c), marks and arrows have shapes.
 *
 * Ink on a colour is black or white, whichever is readable: one of them always has a contrast of 4.58 or more.
 */
#include "paint-private.h"

#include <math.h>

#define RGB(hex)                                                                                   \
  {                                                                                                \
    ((hex) >> 16 & 255) / 255.0f, ((hex) >> 8 & 255) / 255.0f, ((hex)&255) / 255.0f                \
  }

enum {
  LIGHT,
  DARK,
  LIGHT_HIGH,
  DARK_HIGH,
  THEMES
};

static unsigned theme_of(const struct vw_theme *theme)
{
  return (theme->dark ? DARK : LIGHT) + (theme->high_contrast ? 2u : 0u);
}

/* clang-format off */
static const struct vw_rgb states[VW_STATES][THEMES] = {
  /*                        light          dark           light, high    dark, high */
  [VW_STATE_NONE]      = { RGB(0xffffff), RGB(0x181b20), RGB(0xffffff), RGB(0x000000) },
  [VW_STATE_RUNNING]   = { RGB(0x77aadd), RGB(0x6a9fd4), RGB(0x3f86cf), RGB(0x7fb8ff) },
  [VW_STATE_SYSCALL]   = { RGB(0xd9c9a8), RGB(0xa8976f), RGB(0xc9a24a), RGB(0xf0cf80) },
  [VW_STATE_SCHED]     = { RGB(0xc3cbd6), RGB(0x5b6675), RGB(0x8d99ab), RGB(0xa8b4c6) },
  [VW_STATE_SPINNING]  = { RGB(0xdfe3ea), RGB(0x434b57), RGB(0xb4bdca), RGB(0x77839a) },
  [VW_STATE_POLLING]   = { RGB(0x9fc1c4), RGB(0x4c7377), RGB(0x4a8f95), RGB(0x7fcdd4) },
  [VW_STATE_PARKED]    = { RGB(0xc9ced6), RGB(0x454c57), RGB(0x6c7684), RGB(0xa3acba) },
  [VW_STATE_SYSMON]    = { RGB(0xc7bcd9), RGB(0x544b69), RGB(0x7a68a0), RGB(0xb9a8dc) },
  [VW_STATE_RUNNABLE]  = { RGB(0xf3df9f), RGB(0xb59f55), RGB(0xe8be35), RGB(0xffdf6b) },
  [VW_STATE_WAITING]   = { RGB(0xc2c8d0), RGB(0x59616d), RGB(0x6c7684), RGB(0xa3acba) },
  [VW_STATE_IDLE]      = { RGB(0xd3d8df), RGB(0x3f4650), RGB(0x7d8794), RGB(0x8f99a6) },
  [VW_STATE_HANDED]    = { RGB(0xbcc8d8), RGB(0x56657a), RGB(0x5c7391), RGB(0xa0b8d6) },
  [VW_STATE_GCSTOP]    = { RGB(0xcdb5d6), RGB(0x7d6488), RGB(0xa06fb3), RGB(0xd3a5e6) },
  [VW_STATE_CALL]      = { RGB(0xe4dcf3), RGB(0x574c74), RGB(0xb9a3e3), RGB(0xb39ae6) },
  [VW_STATE_PANIC]     = { RGB(0xf6c3b7), RGB(0x9c3a22), RGB(0xff8a6b), RGB(0xff7a55) },
  [VW_STATE_REGION]    = { RGB(0xd6e6d4), RGB(0x3f5b42), RGB(0x97c693), RGB(0x8fd18b) },
  [VW_STATE_LOST]      = { RGB(0xf2b8c0), RGB(0x8a3a4a), RGB(0xff6f86), RGB(0xff6f86) },
};

static const struct vw_rgb gs[][2] = { /* light, dark; in the order of G1, G2, ... */
  { RGB(0x77aadd), RGB(0x6a9fd4) }, /* blue */
  { RGB(0xf0b96b), RGB(0xd99c46) }, /* orange */
  { RGB(0x6cc5a4), RGB(0x4fb08c) }, /* mint */
  { RGB(0xdba6cf), RGB(0xc589b8) }, /* rose violet */
  { RGB(0xd3d365), RGB(0xb8b84a) }, /* pear */
  { RGB(0x99ddff), RGB(0x7fcaf0) }, /* cyan */
  { RGB(0xb8a1e0), RGB(0xa38bd0) }, /* lavender */
  { RGB(0xd9b48f), RGB(0xc19a73) }, /* tan */
  { RGB(0xb5d99c), RGB(0x93bd78) }, /* leaf */
  { RGB(0xffb8c6), RGB(0xe39bab) }, /* pink */
  { RGB(0x8ec4c9), RGB(0x6fabb1) }, /* teal */
  { RGB(0xeedd88), RGB(0xd3c06a) }, /* straw */
};

static const struct vw_rgb arrows[VW_ARROW_KINDS][THEMES] = {
  [VW_ARROW_WAKE]   = { RGB(0x1f3b63), RGB(0xcfe0f7), RGB(0x000000), RGB(0xffffff) },
  [VW_ARROW_PARK]   = { RGB(0x7d8794), RGB(0x8c96a3), RGB(0x4a525d), RGB(0xc3cad4) },
  [VW_ARROW_CREATE] = { RGB(0x0b7a57), RGB(0x59d3a6), RGB(0x005c3d), RGB(0x5dffc4) },
  [VW_ARROW_STEAL]  = { RGB(0xa3541a), RGB(0xf2a65e), RGB(0x7a3500), RGB(0xffb263) },
  [VW_ARROW_MWAKE]  = { RGB(0x6b7a8f), RGB(0x9fb0c7), RGB(0x36424f), RGB(0xd5e2f2) },
  [VW_ARROW_RETAKE] = { RGB(0x87348c), RGB(0xd98fe0), RGB(0x62006a), RGB(0xf5a3ff) },
};

static const struct vw_rgb marks[VW_MARK_KINDS][THEMES] = {
  [VW_MARK_PANIC]   = { RGB(0xd1331a), RGB(0xff6a4d), RGB(0xb31800), RGB(0xff5c3d) },
  [VW_MARK_RECOVER] = { RGB(0x0a5fd0), RGB(0x5fa8ff), RGB(0x0040a8), RGB(0x66b0ff) },
  [VW_MARK_FATAL]   = { RGB(0xa31020), RGB(0xff4d5e), RGB(0x8a0010), RGB(0xff4d5e) },
  [VW_MARK_FAULT]   = { RGB(0xb3204a), RGB(0xff7a9c), RGB(0x99002f), RGB(0xff7a9c) },
  [VW_MARK_LOST]    = { RGB(0xb3204a), RGB(0xff7a9c), RGB(0x99002f), RGB(0xff7a9c) },
  [VW_MARK_PREEMPT] = { RGB(0x9a6b00), RGB(0xe8b64c), RGB(0x6e4c00), RGB(0xffd166) },
  [VW_MARK_RETAKE]  = { RGB(0x87348c), RGB(0xd98fe0), RGB(0x62006a), RGB(0xf5a3ff) },
  [VW_MARK_STEAL]   = { RGB(0xa3541a), RGB(0xf2a65e), RGB(0x7a3500), RGB(0xffb263) },
  [VW_MARK_TIMER]   = { RGB(0x3d5a80), RGB(0x9dbbe0), RGB(0x1d3557), RGB(0xb5d3f7) },
  [VW_MARK_STW]     = { RGB(0x6a3d7c), RGB(0xc79bdb), RGB(0x4a1060), RGB(0xe3b5f7) },
  [VW_MARK_USER]    = { RGB(0x4f5966), RGB(0xb4bdc9), RGB(0x2b323b), RGB(0xe3e8ef) },
};
/* clang-format on */

struct vw_rgb vw_palette_state(const struct vw_theme *theme, enum vw_state state)
{
  return states[state < VW_STATES ? state : VW_STATE_NONE][theme_of(theme)];
}

static struct vw_rgb mixed(struct vw_rgb a, struct vw_rgb b, float part)
{
  return (struct vw_rgb){ a.r + (b.r - a.r) * part, a.g + (b.g - a.g) * part,
                          a.b + (b.b - a.b) * part };
}

struct vw_rgb vw_palette_g(const struct vw_theme *theme, uint32_t goid)
{
  enum {
    N = sizeof gs / sizeof *gs
  };
  const struct vw_rgb black = RGB(0x000000);
  uint32_t i = goid ? goid - 1 : 0;
  struct vw_rgb c = gs[i % N][theme->dark];
  if (theme->high_contrast)
    c = theme->dark ? gs[i % N][0] : gs[i % N][1];
  return i / N % 2 ? mixed(c, black, 0.14f) : c; /* every second dozen is a shade deeper */
}

struct vw_rgb vw_palette_arrow(const struct vw_theme *theme, enum vw_arrow_kind kind)
{
  return arrows[kind < VW_ARROW_KINDS ? kind : 0][theme_of(theme)];
}

struct vw_rgb vw_palette_mark(const struct vw_theme *theme, enum vw_mark_kind kind)
{
  return marks[kind < VW_MARK_KINDS ? kind : 0][theme_of(theme)];
}

static double linear(double c)
{
  return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(struct vw_rgb c)
{
  return 0.2126 * linear((double)c.r) + 0.7152 * linear((double)c.g) + 0.0722 * linear((double)c.b);
}

struct vw_rgb vw_palette_ink(const struct vw_theme *theme, struct vw_rgb on)
{
  (void)theme; /* readable on the colour, whatever is round it */
  double l = luminance(on);
  bool dark_ink = (l + 0.05) / 0.05 >= 1.05 / (l + 0.05);
  return dark_ink ? (struct vw_rgb){ 0.0f, 0.0f, 0.0f } : (struct vw_rgb){ 1.0f, 1.0f, 1.0f };
}

/* What is not selected steps back, and can still be told apart and read; on dark ground a colour is lost sooner than on
 * light. */
struct vw_rgb vw_palette_faded(const struct vw_theme *theme, struct vw_rgb c)
{
  return mixed(c, paint_chrome(theme, PAINT_GROUND), theme->dark ? 0.5f : 0.55f);
}

struct vw_rgb vw_palette_faded_ink(const struct vw_theme *theme, struct vw_rgb on)
{
  struct vw_rgb ink = vw_palette_ink(theme, on);
  for (int percent = 45; percent > 0; percent -= 5) {
    struct vw_rgb weak = mixed(ink, on, (float)percent / 100);
    double a = luminance(weak) + 0.05, b = luminance(on) + 0.05;
    if (a >= 3.2 * b || b >= 3.2 * a)
      return weak;
  }
  return ink;
}
