/* SPDX-License-Identifier: MIT */
/* minimap.c - overview and range slider in one (minimap.h).
 *
 * Dragging inside the range moves it, dragging an edge (6 px) resizes it, pressing elsewhere centres it there; with the
 * whole trace shown there is nothing to move.  The
 * data is counted once per trace, lanes and width; a frame only paints it.
 */
#include "minimap.h"

#include "theme.h"

#define HEIGHT 44
#define EDGE   6

enum grip {
  GRIP_NONE,
  GRIP_MOVE,
  GRIP_LEFT,
  GRIP_RIGHT
};

struct _UiMinimap {
  GtkWidget parent_instance;
  UiSession *session;
  struct vw_painter *painter;
  struct vw_minimap *map; /* NULL: to be counted */
  cairo_surface_t *surfaces[2];
  int painted;
  enum grip grip;
  int64_t drag_t0, drag_t1;
};
G_DEFINE_TYPE(UiMinimap, ui_minimap, GTK_TYPE_WIDGET)

static void get_span(UiMinimap *minimap, int64_t *first, int64_t *last)
{
  vw_time_range(ui_session_trace(minimap->session), first, last);
  *last = MAX(*last, *first + 1);
}

static double x_of(UiMinimap *minimap, int64_t t)
{
  int64_t first, last;
  get_span(minimap, &first, &last);
  return (double)(t - first) / (double)(last - first) * gtk_widget_get_width(GTK_WIDGET(minimap));
}

static int64_t t_of(UiMinimap *minimap, double x)
{
  int64_t first, last;
  get_span(minimap, &first, &last);
  return first +
         (int64_t)(x / MAX(gtk_widget_get_width(GTK_WIDGET(minimap)), 1) * (double)(last - first));
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  UiMinimap *minimap = UI_MINIMAP(widget);
  struct vw_trace *trace = ui_session_trace(minimap->session);
  const struct vw_view *view = ui_session_view(minimap->session);
  const int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  if (!trace || width < 2 || height < 2)
    return;
  if (minimap->map && minimap->map->width != width)
    g_clear_pointer(&minimap->map, vw_minimap_free);
  if (!minimap->map)
    minimap->map =
        vw_minimap_new(trace, view->lanes == VW_LANES_P ? VW_LANES_P : VW_LANES_M, width);
  if (!minimap->map)
    return;
  const struct vw_theme theme = ui_theme_get();
  minimap->painted ^= 1;
  cairo_surface_t **surface = &minimap->surfaces[minimap->painted];
  cairo_t *cr = ui_canvas_begin(surface, widget, width, height);
  vw_paint_minimap(minimap->painter, cr, minimap->map, trace, &theme, height, view->t0, view->t1);
  cairo_destroy(cr);
  ui_canvas_append(*surface, snapshot, width, height);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  (void)widget;
  (void)for_size;
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL ? 120 : HEIGHT;
  *minimum_baseline = *natural_baseline = -1;
}

static void on_changed(UiMinimap *minimap, guint what)
{
  if (what & (UI_CHANGED_TRACE | UI_CHANGED_LANES))
    g_clear_pointer(&minimap->map, vw_minimap_free);
  if (what & (UI_CHANGED_TRACE | UI_CHANGED_LANES | UI_CHANGED_RANGE))
    gtk_widget_queue_draw(GTK_WIDGET(minimap));
}

static enum grip grip_at(UiMinimap *minimap, double x)
{
  const struct vw_view *view = ui_session_view(minimap->session);
  const double left = x_of(minimap, view->t0), right = x_of(minimap, view->t1);
  if (right - left < 4 * EDGE) /* too narrow for edges: all of it, and a little more, moves it */
    return x >= left - EDGE && x <= right + EDGE ? GRIP_MOVE : GRIP_NONE;
  if (ABS(x - left) <= EDGE && x < (left + right) / 2)
    return GRIP_LEFT;
  if (ABS(x - right) <= EDGE)
    return GRIP_RIGHT;
  return x > left && x < right ? GRIP_MOVE : GRIP_NONE;
}

static void on_drag_begin(UiMinimap *minimap, double x, double y)
{
  (void)y;
  if (!ui_session_trace(minimap->session))
    return;
  const struct vw_view *view = ui_session_view(minimap->session);
  minimap->grip = grip_at(minimap, x);
  if (minimap->grip == GRIP_NONE) {
    const int64_t half = (view->t1 - view->t0) / 2, middle = t_of(minimap, x);
    ui_session_set_range(minimap->session, middle - half, middle + half);
    minimap->grip = GRIP_MOVE;
  }
  view = ui_session_view(minimap->session);
  minimap->drag_t0 = view->t0;
  minimap->drag_t1 = view->t1;
}

static void on_drag_update(UiMinimap *minimap, double dx, double dy)
{
  (void)dy;
  if (!ui_session_trace(minimap->session))
    return;
  const int64_t dt = t_of(minimap, dx) - t_of(minimap, 0);
  int64_t t0 = minimap->drag_t0, t1 = minimap->drag_t1;
  if (minimap->grip != GRIP_RIGHT)
    t0 += dt;
  if (minimap->grip != GRIP_LEFT)
    t1 += dt;
  ui_session_set_range(minimap->session, MIN(t0, t1 - 1), MAX(t1, t0 + 1));
}

static void on_motion(UiMinimap *minimap, double x)
{
  static const char *const shapes[] = {
    [GRIP_NONE] = NULL, [GRIP_MOVE] = "grab", [GRIP_LEFT] = "ew-resize", [GRIP_RIGHT] = "ew-resize"
  };
  if (ui_session_trace(minimap->session))
    gtk_widget_set_cursor_from_name(GTK_WIDGET(minimap), shapes[grip_at(minimap, x)]);
}

static gboolean on_scroll(UiMinimap *minimap, double dx, double dy)
{
  (void)dx;
  const struct vw_view *view = ui_session_view(minimap->session);
  ui_session_zoom(minimap->session, dy < 0 ? 1.2 : 1 / 1.2, view->t0 + (view->t1 - view->t0) / 2);
  return TRUE;
}

static void dispose(GObject *object)
{
  UiMinimap *minimap = UI_MINIMAP(object);
  g_clear_pointer(&minimap->map, vw_minimap_free);
  g_clear_pointer(&minimap->painter, vw_painter_free);
  g_clear_pointer(&minimap->surfaces[0], cairo_surface_destroy);
  g_clear_pointer(&minimap->surfaces[1], cairo_surface_destroy);
  g_clear_object(&minimap->session);
  G_OBJECT_CLASS(ui_minimap_parent_class)->dispose(object);
}

static void ui_minimap_class_init(UiMinimapClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  gtk_widget_class_set_css_name(widget_class, "minimap");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void ui_minimap_init(UiMinimap *minimap)
{
  GtkWidget *widget = GTK_WIDGET(minimap);
  minimap->painter = vw_painter_new();
  gtk_widget_set_hexpand(widget, TRUE);
  gtk_widget_set_overflow(widget, GTK_OVERFLOW_HIDDEN);
  gtk_accessible_update_property(GTK_ACCESSIBLE(widget), GTK_ACCESSIBLE_PROPERTY_LABEL, "Overview",
                                 -1);
  ui_theme_watch(widget, gtk_widget_queue_draw);

  GtkGesture *drag = gtk_gesture_drag_new();
  g_signal_connect_swapped(drag, "drag-begin", G_CALLBACK(on_drag_begin), minimap);
  g_signal_connect_swapped(drag, "drag-update", G_CALLBACK(on_drag_update), minimap);
  gtk_widget_add_controller(widget, GTK_EVENT_CONTROLLER(drag));
  GtkEventController *motion = gtk_event_controller_motion_new();
  g_signal_connect_swapped(motion, "motion", G_CALLBACK(on_motion), minimap);
  gtk_widget_add_controller(widget, motion);
  GtkEventController *scroll =
      gtk_event_controller_scroll_new(GTK_EVENT_CONTROLLER_SCROLL_VERTICAL);
  g_signal_connect_swapped(scroll, "scroll", G_CALLBACK(on_scroll), minimap);
  gtk_widget_add_controller(widget, scroll);
}

GtkWidget *ui_minimap_new(UiSession *session)
{
  UiMinimap *minimap = g_object_new(UI_TYPE_MINIMAP, NULL);
  minimap->session = g_object_ref(session);
  g_signal_connect_object(session, "changed", G_CALLBACK(on_changed), minimap, G_CONNECT_SWAPPED);
  return GTK_WIDGET(minimap);
}
