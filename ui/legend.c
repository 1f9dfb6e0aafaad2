/* SPDX-License-Identifier: MIT */
/* legend.c - the painter's legend as a widget that is as high as its width needs (legend.h). */
#include "legend.h"

#include "theme.h"

#include <math.h>

struct _UiLegend {
  GtkWidget parent_instance;
  UiSession *session;
  struct vw_painter *painter;
  struct vw_signs signs; /* those of the session's trace and lanes */
};
G_DEFINE_TYPE(UiLegend, ui_legend, GTK_TYPE_WIDGET)

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  UiLegend *legend = UI_LEGEND(widget);
  const int width = gtk_widget_get_width(widget), height = gtk_widget_get_height(widget);
  const struct vw_theme theme = ui_theme_get();
  cairo_t *cr =
      gtk_snapshot_append_cairo(snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)width, (float)height));
  vw_paint_legend(legend->painter, cr, 0, 0, width, &legend->signs, &theme);
  cairo_destroy(cr);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  *minimum_baseline = *natural_baseline = -1;
  if (orientation == GTK_ORIENTATION_HORIZONTAL) {
    *minimum = *natural = 320;
    return;
  }
  const struct vw_theme theme = ui_theme_get();
  const double width = for_size > 0 ? for_size : 320;
  *minimum = *natural = (int)ceil(vw_legend_height(width, &UI_LEGEND(widget)->signs, &theme));
}

static GtkSizeRequestMode get_request_mode(GtkWidget *widget)
{
  (void)widget;
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void on_changed(UiLegend *legend, guint what)
{
  struct vw_trace *trace = ui_session_trace(legend->session);
  const struct vw_view *view = ui_session_view(legend->session);
  if (!(what & (UI_CHANGED_TRACE | UI_CHANGED_LANES | UI_CHANGED_ARROWS)))
    return;
  legend->signs = trace ? vw_signs_of(trace, view->lanes) : (struct vw_signs){ 0 };
  for (unsigned i = 0; i < VW_ARROW_KINDS; i++)
    if (!view->arrows[i])
      legend->signs.arrows &= ~(1u << i);
  gtk_widget_queue_resize(GTK_WIDGET(legend));
}

static void dispose(GObject *object)
{
  UiLegend *legend = UI_LEGEND(object);
  g_clear_pointer(&legend->painter, vw_painter_free);
  g_clear_object(&legend->session);
  G_OBJECT_CLASS(ui_legend_parent_class)->dispose(object);
}

static void ui_legend_class_init(UiLegendClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->dispose = dispose;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->get_request_mode = get_request_mode;
  gtk_widget_class_set_css_name(widget_class, "legend");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void ui_legend_init(UiLegend *legend)
{
  legend->painter = vw_painter_new();
  gtk_widget_set_hexpand(GTK_WIDGET(legend), TRUE);
  gtk_accessible_update_property(GTK_ACCESSIBLE(legend), GTK_ACCESSIBLE_PROPERTY_LABEL, "Legend",
                                 -1);
  ui_theme_watch(GTK_WIDGET(legend), gtk_widget_queue_resize);
}

GtkWidget *ui_legend_new(UiSession *session)
{
  UiLegend *legend = g_object_new(UI_TYPE_LEGEND, NULL);
  legend->session = g_object_ref(session);
  g_signal_connect_object(session, "changed", G_CALLBACK(on_changed), legend, G_CONNECT_SWAPPED);
  return GTK_WIDGET(legend);
}
