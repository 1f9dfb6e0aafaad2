/* SPDX-License-Identifier: MIT */
/* test-paint.c - pictures without a display: probes of pixels, contrast, what an SVG says. No golden images. */
#include "test.h"

#include "fake-trace.h"
#include "paint-private.h"
#include "render-out.h"

#include <fontconfig/fontconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct vw_theme themes[] = {
  { .dark = false, .font_scale = 1 },
  { .dark = true, .font_scale = 1 },
  { .dark = false, .high_contrast = true, .font_scale = 1 },
  { .dark = true, .high_contrast = true, .font_scale = 1 },
};
#define FOR_THEMES(theme) for (const struct vw_theme *theme = themes; theme < themes + 4; theme++)

static double linear(double c)
{
  return c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(struct vw_rgb c)
{
  return 0.2126 * linear((double)c.r) + 0.7152 * linear((double)c.g) + 0.0722 * linear((double)c.b);
}

static double contrast(struct vw_rgb a, struct vw_rgb b)
{
  double x = luminance(a) + 0.05, y = luminance(b) + 0.05;
  return x > y ? x / y : y / x;
}

static double distance(struct vw_rgb a, struct vw_rgb b)
{
  return hypot(hypot((double)(a.r - b.r), (double)(a.g - b.g)), (double)(a.b - b.b));
}

static void words_are_readable_on_every_colour(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  {
    for (uint32_t g = 0; g < 60; g++) {
      struct vw_rgb on = vw_palette_g(theme, g);
      assert_true(contrast(on, vw_palette_ink(theme, on)) >= 4.5);
    }
    for (int i = VW_STATE_NONE; i < VW_STATES; i++) {
      struct vw_rgb on = vw_palette_state(theme, (enum vw_state)i);
      assert_true(contrast(on, vw_palette_ink(theme, on)) >= 4.5);
    }
    assert_true(contrast(paint_chrome(theme, PAINT_GROUND), paint_chrome(theme, PAINT_TEXT)) >= 7);
    assert_true(contrast(paint_chrome(theme, PAINT_GUTTER), paint_chrome(theme, PAINT_MUTED)) >=
                4.5);
  }
}

static void check_faded(const struct vw_theme *theme, struct vw_rgb c)
{
  struct vw_rgb on = vw_palette_faded(theme, c), ink = vw_palette_faded_ink(theme, on);
  struct vw_rgb ground = paint_chrome(theme, PAINT_GROUND);
  assert_true(distance(on, ground) >= 0.4 * distance(c, ground)); /* not all white, nor all black */
  assert_true(contrast(on, ink) >= 3);
  assert_true(contrast(on, ink) <= contrast(on, vw_palette_ink(theme, on)));
}

static void words_on_what_is_faded_stay_readable(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  {
    for (uint32_t g = 1; g <= 30; g++)
      check_faded(theme, vw_palette_g(theme, g));
    for (int i = VW_STATE_NONE; i < VW_STATES; i++)
      check_faded(theme, vw_palette_state(theme, (enum vw_state)i));
    check_faded(theme, paint_chrome(theme, PAINT_GROUND));
  }
}

static void neighbouring_gs_have_different_colours(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  for (uint32_t g = 1; g < 100; g++)
    assert_true(distance(vw_palette_g(theme, g), vw_palette_g(theme, g + 1)) > 0.15);
}

static void marks_and_arrows_stand_out_from_the_ground(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  {
    struct vw_rgb ground = paint_chrome(theme, PAINT_GROUND);
    for (int i = 0; i < VW_MARK_KINDS; i++)
      assert_true(contrast(ground, vw_palette_mark(theme, (enum vw_mark_kind)i)) >= 4);
    for (int i = 0; i < VW_ARROW_KINDS; i++)
      assert_true(contrast(ground, vw_palette_arrow(theme, (enum vw_arrow_kind)i)) >= 3);
  }
}

/* ---- pictures ---- */
struct picture {
  struct vw_trace *f;
  struct vw_plan *plan;
  struct vw_painter *painter;
  cairo_surface_t *surface;
};

static struct picture paint(struct vw_trace *f, enum vw_lane_kind lanes,
                            const struct vw_theme *theme, int w, int h)
{
  struct picture p = { .f = f, .painter = vw_painter_new() };
  struct vw_view view;
  vw_view_init(&view, f, lanes, w, h);
  view.show_legend = true;
  p.plan = vw_plan_new(f, &view);
  p.surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
  assert_non_null(p.plan);
  cairo_t *cr = cairo_create(p.surface);
  vw_paint_plan(p.painter, cr, p.plan, f, theme);
  assert_int_equal(cairo_status(cr), CAIRO_STATUS_SUCCESS);
  cairo_destroy(cr);
  cairo_surface_flush(p.surface);
  return p;
}

static void clear(struct picture *p)
{
  cairo_surface_destroy(p->surface);
  vw_painter_free(p->painter);
  vw_plan_free(p->plan);
  fake_free(p->f);
}

static struct vw_rgb pixel(const struct picture *p, double x, double y)
{
  const unsigned char *row = cairo_image_surface_get_data(p->surface) +
                             (int)y * cairo_image_surface_get_stride(p->surface);
  uint32_t v;
  memcpy(&v, row + (int)x * 4, 4);
  return (struct vw_rgb){ (float)(v >> 16 & 255) / 255, (float)(v >> 8 & 255) / 255,
                          (float)(v & 255) / 255 };
}

/* Spans without a word, sign or stem in their middle. */
static void a_spans_middle_has_its_gs_colour(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  {
    struct vw_trace *f = fake_new();
    fake_lane(f, VW_LANES_M, 0, "M0", "");
    for (uint32_t g = 0; g < 10; g++)
      fake_span(f, VW_LANES_M, 0, g * 100000, (g + 1) * 100000, VW_STATE_RUNNING, g + 1);
    struct picture p = paint(f, VW_LANES_M, theme, 1280, 200);
    assert_int_equal(p.plan->n_rects, 10);
    for (uint32_t g = 0; g < 10; g++) {
      const struct vw_rect *r = &p.plan->rects[g];
      struct vw_rgb c = pixel(&p, (double)(r->x + r->w / 2), (double)(r->y + r->h / 2));
      assert_true(distance(c, vw_palette_g(theme, g + 1)) < 0.02);
    }
    clear(&p);
  }
}

/* What a state looks like without its colour: a sample of its box, each pixel ground, fill or pattern. */
enum {
  SAMPLE_W = 40,
  SAMPLE_H = 24
};
struct sample {
  char pixels[SAMPLE_H][SAMPLE_W];
};

static struct sample sample_of(const struct vw_theme *theme, enum vw_state s)
{
  struct vw_trace *f = fake_new();
  struct sample sample;
  fake_lane(f, VW_LANES_M, 0, "M0", "");
  fake_span(f, VW_LANES_M, 0, 0, 1000000, s, 0);
  struct picture p = paint(f, VW_LANES_M, theme, 400, 200);
  const struct vw_rect *r = &p.plan->rects[0];
  for (int y = 0; y < SAMPLE_H; y++)
    for (int x = 0; x < SAMPLE_W; x++) {
      struct vw_rgb c =
          pixel(&p, 300 + x, (double)r->y + (double)(int)(r->h / 2) - SAMPLE_H / 2 + y);
      bool ground = distance(c, paint_chrome(theme, PAINT_GROUND)) < 0.02;
      sample.pixels[y][x] = ground                                           ? 'g'
                            : distance(c, vw_palette_state(theme, s)) < 0.02 ? 'f'
                                                                             : 'p';
    }
  clear(&p);
  return sample;
}

static void states_of_a_lane_differ_without_colour(void **state)
{
  (void)state;
  static const enum vw_state all[] = { VW_STATE_RUNNING,  VW_STATE_SYSCALL,  VW_STATE_SCHED,
                                       VW_STATE_SPINNING, VW_STATE_POLLING,  VW_STATE_PARKED,
                                       VW_STATE_WAITING,  VW_STATE_IDLE,     VW_STATE_HANDED,
                                       VW_STATE_GCSTOP,   VW_STATE_RUNNABLE, VW_STATE_LOST };
  enum {
    N = sizeof all / sizeof *all
  };
  struct sample samples[N];
  for (int i = 0; i < N; i++)
    samples[i] = sample_of(&themes[0], all[i]);
  for (int i = 0; i < N; i++)
    for (int j = 0; j < i; j++) {
      int different = 0;
      for (int k = 0; k < SAMPLE_H * SAMPLE_W; k++)
        different += samples[i].pixels[k / SAMPLE_W][k % SAMPLE_W] !=
                     samples[j].pixels[k / SAMPLE_W][k % SAMPLE_W];
      assert_true(different >= 40);
    }
}

static void light_and_dark_differ_and_both_show_the_same(void **state)
{
  (void)state;
  struct picture light = paint(fake_scene(), VW_LANES_M, &themes[0], 900, 400);
  struct picture dark = paint(fake_scene(), VW_LANES_M, &themes[1], 900, 400);
  assert_true(luminance(pixel(&light, 880, 300)) > 0.8);
  assert_true(luminance(pixel(&dark, 880, 300)) < 0.1);
  assert_int_equal(light.plan->n_rects, dark.plan->n_rects);
  clear(&light);
  clear(&dark);
}

static void no_two_signs_of_a_legend_are_called_alike(void **state)
{
  (void)state;
  for (int kind = 0; kind < VW_LANE_KINDS; kind++) {
    uint32_t states, arrows, marks;
    struct vw_legend legend;
    vw_legend_all((enum vw_lane_kind)kind, &states, &arrows, &marks);
    vw_legend_layout(&legend, 1280, 1, states, arrows, marks);
    for (size_t i = 0; i < legend.n; i++)
      for (size_t j = 0; j < i; j++)
        assert_string_not_equal(vw_legend_text(&legend.items[i]), vw_legend_text(&legend.items[j]));
  }
}

static void legend_entries_do_not_overlap_and_their_words_fit(void **state)
{
  (void)state;
  struct vw_painter *painter = vw_painter_new();
  for (int kind = 0; kind < VW_LANE_KINDS; kind++)
    for (int width = 200; width < 2000; width += 150) {
      uint32_t states, arrows, marks;
      struct vw_legend legend;
      vw_legend_all((enum vw_lane_kind)kind, &states, &arrows, &marks);
      vw_legend_layout(&legend, width, 1, states, arrows, marks);
      for (size_t i = 0; i < legend.n; i++) {
        const struct vw_legend_item *a = &legend.items[i];
        double w = paint_text_width(painter, &themes[0], VW_ROLE_LEGEND, 0, vw_legend_text(a));
        assert_true(w + VW_LEGEND_SWATCH <= a->w + 1);
        assert_true(a->y + VW_LEGEND_ROW / 2 <= legend.height);
        if (i)
          assert_true(a->y > a[-1].y || a->x >= a[-1].x + a[-1].w + 4);
      }
      const struct vw_signs signs = { states, arrows, marks };
      assert_float_equal(legend.height, vw_legend_height(width, &signs, &themes[0]), 0);
    }
  vw_painter_free(painter);
}

/* The planner's table of widths must not promise room that a real font does not have. */
static void the_table_of_widths_is_wide_enough_for_the_real_font(void **state)
{
  (void)state;
  static const char *const words[] = { "G7 worker",
                                       "M12",
                                       "scheduling",
                                       "chan receive",
                                       "events lost",
                                       "parked",
                                       "recovered: back in the frame that deferred cleanup",
                                       "G1234567 WWWMMM",
                                       "0.125 ms",
                                       "panic \xe2\x80\x9c!\xe2\x80\x9d",
                                       "sync.Mutex.Lock",
                                       "thread 4711",
                                       "netpoll" };
  struct vw_painter *painter = vw_painter_new();
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    for (int role = 0; role <= VW_ROLE_CALLOUT; role++) {
      double real = paint_text_width(painter, &themes[0], (enum vw_role)role, 0, words[i]);
      assert_true(real <= vw_text_width((enum vw_role)role, 1, words[i]) + 2);
    }
  vw_painter_free(painter);
}

static char *slurp(const char *path)
{
  FILE *in = fopen(path, "rb");
  char *text = calloc(1, 1 << 22);
  assert_non_null(in);
  assert_non_null(text);
  assert_true(fread(text, 1, (1 << 22) - 1, in) > 0);
  fclose(in);
  return text;
}

static void an_svg_says_what_it_shows(void **state)
{
  (void)state;
  char path[] = "/tmp/test-paint-XXXXXX.svg";
  close(mkstemps(path, 4));
  struct picture p = paint(fake_scene(), VW_LANES_M, &themes[0], 1280, 400);
  const struct render_picture picture = { .plan = p.plan, .trace = p.f };
  assert_int_equal(render_write(path, RENDER_SVG, &picture, 1, &themes[0]), 0);
  char *svg = slurp(path);
  assert_non_null(strstr(svg, "<title>fake &lt;scene&gt; &amp; more</title>"));
  for (size_t i = 0; i < p.plan->n_labels; i++)
    assert_non_null(strstr(svg, p.plan->texts + p.plan->labels[i].text));
  assert_non_null(strstr(svg, "recovered: back in the frame"));
  assert_non_null(strstr(svg, "</svg>"));
  free(svg);
  unlink(path);
  clear(&p);
}

static void a_picture_that_cannot_be_written_leaves_nothing_behind(void **state)
{
  (void)state;
  struct picture p = paint(fake_scene(), VW_LANES_M, &themes[0], 300, 200);
  const struct render_picture picture = { .plan = p.plan, .trace = p.f };
  assert_int_not_equal(
      render_write("/nonexistent-directory/x.png", RENDER_PNG, &picture, 1, &themes[0]), 0);
  assert_int_equal(render_format_of("x.PNG"), RENDER_PNG);
  assert_int_equal(render_format_of("x.jpeg"), RENDER_NONE);
  assert_int_equal(render_format_of(".png"), RENDER_NONE);
  clear(&p);
}

static void hostile_names_are_painted_as_harmless_text(void **state)
{
  (void)state;
  static const char *const names[] = { "<b>&amp;</b>",    "\xff\xfe\x80", "a\nb\r\nc",
                                       "\xe2\x80\xaeliv", "%n%s%s",       "" };
  char *megabyte = malloc(1 << 19);
  assert_non_null(megabyte);
  memset(megabyte, 'W', 1 << 19);
  megabyte[(1 << 19) - 1] = '\0';
  for (size_t i = 0; i <= sizeof names / sizeof *names; i++) {
    const char *name = i < sizeof names / sizeof *names ? names[i] : megabyte;
    struct vw_trace *f = fake_scene();
    fake_g_name(f, name);
    fake_lane(f, VW_LANES_M, 9, name, name);
    fake_panic(f, 0, 600000, 20000, name, 3);
    struct picture p = paint(f, VW_LANES_M, &themes[i % 4], 1280, 500);
    for (size_t t = 0; t < p.plan->n_texts; t++)
      assert_true(p.plan->texts[t] == '\0' || (unsigned char)p.plan->texts[t] >= ' ');
    assert_null(memmem(p.plan->texts, p.plan->n_texts, "\xe2\x80\xae", 3));
    clear(&p);
  }
  free(megabyte);
}

static void the_cursor_and_the_overview_are_painted(void **state)
{
  (void)state;
  struct picture p = paint(fake_scene(), VW_LANES_M, &themes[0], 800, 300);
  cairo_t *cr = cairo_create(p.surface);
  uint64_t no = vw_lane(p.f, VW_LANES_M, 1)->spans[1].no;
  struct vw_hit hit = vw_plan_hit(p.plan, p.f, 300, 50);
  vw_paint_cursor(p.painter, cr, p.plan, p.f, &themes[0], no, &hit);
  cairo_surface_flush(p.surface);
  double x = floor(vw_plan_x(p.plan, 250000));
  assert_true(distance(pixel(&p, x, 290 - (double)p.plan->legend),
                       paint_chrome(&themes[0], PAINT_ACCENT)) < 0.02);
  struct vw_minimap *map = vw_minimap_new(p.f, VW_LANES_M, 800);
  vw_paint_minimap(p.painter, cr, map, p.f, &themes[0], 40, 200000, 600000);
  cairo_surface_flush(p.surface);
  assert_true(distance(pixel(&p, 160, 20), paint_chrome(&themes[0], PAINT_ACCENT)) < 0.02);
  vw_minimap_free(map);
  cairo_destroy(cr);
  clear(&p);
}

/* Pango and fontconfig keep caches until told that all is over. */
static int end(void **state)
{
  (void)state;
  pango_cairo_font_map_set_default(NULL);
  cairo_debug_reset_static_data();
  FcFini();
  return 0;
}

/* A word on a bar is read whatever crosses the bar there. */
static void an_arrow_passes_behind_a_word(void **state)
{
  (void)state;
  FOR_THEMES(theme)
  {
    struct vw_trace *f = fake_new();
    for (uint32_t m = 0; m < 3; m++)
      fake_lane(f, VW_LANES_M, m, "M", "");
    for (uint32_t m = 0; m < 3; m++)
      fake_span(f, VW_LANES_M, m, 0, 1000000, VW_STATE_RUNNING, m + 1);
    fake_arrow(f, VW_ARROW_WAKE, 15000, 0, 15000, 2);
    fake_arrow(f, VW_ARROW_WAKE, 700000, 0, 700000, 2);
    struct picture p = paint(f, VW_LANES_M, theme, 1280, 400);
    assert_int_equal(p.plan->n_arrows, 2);
    for (size_t i = 0; i < 2; i++) {
      const struct vw_plan_arrow *a = &p.plan->arrows[i];
      const struct vw_rect *r = &p.plan->rects[1];
      bool at_word = (double)a->x0 < (double)r->x + 100;
      double most = 0;
      for (int x = -2; x <= 2; x++) {
        struct vw_rgb c = pixel(&p, (double)a->x0 + x, (double)r->y + (double)(int)(r->h / 2) - 6);
        double d = distance(c, vw_palette_g(theme, 2));
        most = d > most ? d : most;
      }
      assert_true(at_word ? most < 0.15 : most > 0.2);
    }
    clear(&p);
  }
}

/* "1.2" with the line through its point reads "1 2". */
static void the_cursors_line_passes_behind_the_numbers_of_steps(void **state)
{
  (void)state;
  struct picture p = paint(fake_scene(), VW_LANES_M, &themes[0], 900, 500);
  const struct vw_path_step *s = NULL;
  for (size_t i = 0; i < p.plan->n_path && !s; i++)
    s = p.plan->path[i].number ? &p.plan->path[i] : NULL;
  assert_non_null(s);
  size_t n;
  const struct vw_panic_step *step = &vw_panics(p.f, &n)[s->panic].steps[s->step];
  struct vw_rgb accent = paint_chrome(&themes[0], PAINT_ACCENT);
  double x = floor((double)s->x), above = (double)p.plan->ruler + 1;
  struct vw_rgb before[5];
  for (int i = 0; i < 5; i++)
    before[i] = pixel(&p, x, (double)s->y + 2 * i - 4);
  cairo_t *cr = cairo_create(p.surface);
  vw_paint_cursor(p.painter, cr, p.plan, p.f, &themes[0], step->no, NULL);
  cairo_destroy(cr);
  cairo_surface_flush(p.surface);
  assert_true(distance(pixel(&p, x, above), accent) < 0.02); /* the line is there */
  for (int i = 0; i < 5; i++)
    assert_true(distance(pixel(&p, x, (double)s->y + 2 * i - 4), before[i]) < 0.1);
  clear(&p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(words_are_readable_on_every_colour),
    cmocka_unit_test(words_on_what_is_faded_stay_readable),
    cmocka_unit_test(neighbouring_gs_have_different_colours),
    cmocka_unit_test(marks_and_arrows_stand_out_from_the_ground),
    cmocka_unit_test(a_spans_middle_has_its_gs_colour),
    cmocka_unit_test(an_arrow_passes_behind_a_word),
    cmocka_unit_test(the_cursors_line_passes_behind_the_numbers_of_steps),
    cmocka_unit_test(states_of_a_lane_differ_without_colour),
    cmocka_unit_test(light_and_dark_differ_and_both_show_the_same),
    cmocka_unit_test(no_two_signs_of_a_legend_are_called_alike),
    cmocka_unit_test(legend_entries_do_not_overlap_and_their_words_fit),
    cmocka_unit_test(the_table_of_widths_is_wide_enough_for_the_real_font),
    cmocka_unit_test(an_svg_says_what_it_shows),
    cmocka_unit_test(a_picture_that_cannot_be_written_leaves_nothing_behind),
    cmocka_unit_test(hostile_names_are_painted_as_harmless_text),
    cmocka_unit_test(the_cursor_and_the_overview_are_painted),
  };
  return cmocka_run_group_tests(tests, NULL, end);
}
