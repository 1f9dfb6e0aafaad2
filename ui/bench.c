/* SPDX-License-Identifier: MIT */
/* bench.c - how long a frame takes (bench.h).
 *
 * Each frame changes the range, as a person's hand would, so each frame makes a new plan and paints it.  Measured are
 *   plan   vw_plan_new                          paint  the painter into the image surface
 *   cpu    processor time of this thread over the frame: what is left of it on a machine that does other things
 *   frame  from the frame clock's update to its after-paint: both of these, the panels and labels that follow
 *          the range, layout, GSK's rendering, and sending the pixels to the display server
 * Zoom goes in from the whole trace to a few us and out again, so all scales are met.  Xvfb gives no presentation
 * times (platform: GTK 4.8), so the clock's own signals are the honest end of a frame that can be had.
 */
#include "bench.h"

#include <time.h>

#define WARM_UP 10

struct bench {
  UiWindow *window;
  int n, at; /* frames a phase; frames done in this one */
  int phase;
  int64_t began_us, began_cpu_us;
  GArray *frame_us, *cpu_us, *plan_us, *paint_us;
};
enum {
  PHASE_WARM,
  PHASE_ZOOM,
  PHASE_PAN,
  PHASES
};

static int by_value(const void *a, const void *b)
{
  const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static double percentile_ms(GArray *values, int percent)
{
  if (!values->len)
    return 0;
  g_array_sort(values, by_value);
  const guint i = MIN(values->len * (guint)percent / 100, values->len - 1);
  return (double)g_array_index(values, int64_t, i) / 1000;
}

static int64_t cpu_now_us(void)
{
  struct timespec now;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void report(struct bench *bench, const char *phase)
{
  GtkWidget *timeline = GTK_WIDGET(ui_window_timeline(bench->window));
  g_print("{\"phase\":\"%s\",\"frames\":%u,\"timeline\":\"%dx%d\",\"events\":%" G_GUINT64_FORMAT,
          phase, bench->frame_us->len, gtk_widget_get_width(timeline),
          gtk_widget_get_height(timeline),
          vw_event_count(ui_session_trace(ui_window_session(bench->window))));
  const struct {
    const char *name;
    GArray *values;
  } rows[] = { { "frame", bench->frame_us },
               { "cpu", bench->cpu_us },
               { "plan", bench->plan_us },
               { "paint", bench->paint_us } };
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    g_print(",\"%s_p50_ms\":%.2f,\"%s_p99_ms\":%.2f", rows[i].name,
            percentile_ms(rows[i].values, 50), rows[i].name, percentile_ms(rows[i].values, 99));
  g_print("}\n");
  for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
    g_array_set_size(rows[i].values, 0);
}

static void move(struct bench *bench)
{
  UiSession *session = ui_window_session(bench->window);
  const struct vw_view *view = ui_session_view(session);
  const int64_t anchor = view->t0 + (view->t1 - view->t0) / 3;
  if (bench->phase == PHASE_PAN)
    ui_session_pan(session, bench->at % 40 < 20 ? 0.05 : -0.05);
  else
    ui_session_zoom(session, bench->at < bench->n / 2 ? 1.08 : 1 / 1.08, anchor);
}

static void on_update(GdkFrameClock *clock, struct bench *bench)
{
  (void)clock;
  bench->began_us = g_get_monotonic_time();
  bench->began_cpu_us = cpu_now_us();
  move(bench);
}

static void finish(GdkFrameClock *clock, struct bench *bench)
{
  g_signal_handlers_disconnect_by_data(clock, bench);
  gdk_frame_clock_end_updating(clock);
  gtk_window_close(GTK_WINDOW(bench->window));
  g_array_unref(bench->frame_us);
  g_array_unref(bench->cpu_us);
  g_array_unref(bench->plan_us);
  g_array_unref(bench->paint_us);
  g_free(bench);
}

static void next_phase(GdkFrameClock *clock, struct bench *bench)
{
  static const char *const names[PHASES] = { NULL, "zoom", "pan" };
  if (names[bench->phase])
    report(bench, names[bench->phase]);
  bench->at = 0;
  bench->phase++;
  if (bench->phase == PHASE_PAN) { /* a tenth of the trace in view: something to pan over */
    ui_session_fit_all(ui_window_session(bench->window));
    ui_session_zoom(ui_window_session(bench->window), 10, 0);
  }
  if (bench->phase == PHASES)
    finish(clock, bench);
}

static void on_after_paint(GdkFrameClock *clock, struct bench *bench)
{
  if (!bench->began_us)
    return;
  const int64_t frame_us = g_get_monotonic_time() - bench->began_us;
  const int64_t cpu_us = cpu_now_us() - bench->began_cpu_us;
  int64_t plan_us, paint_us;
  ui_timeline_cost(ui_window_timeline(bench->window), &plan_us, &paint_us);
  if (bench->phase != PHASE_WARM) {
    g_array_append_val(bench->frame_us, frame_us);
    g_array_append_val(bench->cpu_us, cpu_us);
    g_array_append_val(bench->plan_us, plan_us);
    g_array_append_val(bench->paint_us, paint_us);
  }
  if (++bench->at == (bench->phase == PHASE_WARM ? WARM_UP : bench->n))
    next_phase(clock, bench);
}

void ui_bench_start(UiWindow *window, int n)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock(GTK_WIDGET(window));
  struct bench *bench = g_new0(struct bench, 1);
  bench->window = window;
  bench->n = n;
  bench->frame_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
  bench->cpu_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
  bench->plan_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
  bench->paint_us = g_array_new(FALSE, FALSE, sizeof(int64_t));
  g_signal_connect(clock, "before-paint", G_CALLBACK(on_update), bench);
  g_signal_connect(clock, "after-paint", G_CALLBACK(on_after_paint), bench);
  gdk_frame_clock_begin_updating(clock);
}
