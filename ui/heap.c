/* SPDX-License-Identifier: MIT */
/* heap.c - timer heaps as trees (heap.h).
 *
 * The tree grows to the right and its leaves are stacked downwards: four levels fit a narrow panel that way, where
 * a tree from top to bottom would need sixteen leaves side by side.  Row of a node = the row of its first leaf.
 *
 * A zombie (stopped or not waited for, not yet cleaned) is struck through and dashed; a modified one, whose place is
 * mended later, shows its pending time after an arrow and a dotted frame.  So neither rests on colour.
 */
#include "heap.h"

#include "links.h"

#include "trace-text.h"

#define ROW_H   22
#define LEVEL_W 92
#define NODE_W  84
#define NODE_H  18
#define PAD     2

struct _UiHeap {
  GtkWidget parent_instance;
  struct trace_heap_entry *entries;
  size_t n;
  int64_t now;
  int *row;   /* by entry */
  int *level; /* by entry */
  int n_rows, n_levels;
};
G_DEFINE_TYPE(UiHeap, ui_heap, GTK_TYPE_WIDGET)

/* Depth first; the recursion is as deep as the heap has levels, at most four. */
static void place(UiHeap *heap, size_t i, int level)
{
  heap->level[i] = level;
  heap->row[i] = heap->n_rows;
  heap->n_levels = MAX(heap->n_levels, level + 1);
  const size_t first = 4 * i + 1;
  if (first >= heap->n) {
    heap->n_rows++;
    return;
  }
  for (size_t child = first; child < MIN(first + 4, heap->n); child++)
    place(heap, child, level + 1);
}

/* Three digits and a unit: what fits into a node. The tooltip has all of them. */
static void short_time(int64_t ns, char *out, size_t n)
{
  static const char *const units[] = { "ns", "\302\265s", "ms", "s" };
  double value = (double)ns;
  size_t unit = 0;
  for (; value >= 999.5 && unit + 1 < G_N_ELEMENTS(units); unit++)
    value /= 1000;
  const int decimals = unit == 0 || value >= 99.5 ? 0 : value >= 9.95 ? 1 : 2;
  g_snprintf(out, n, "%.*f %s", decimals, value, units[unit]);
}

static void node_text(UiHeap *heap, const struct trace_heap_entry *entry, char *out, size_t n)
{
  char left[32];
  const int64_t ns = entry->key - heap->now;
  short_time(ns < 0 ? -ns : ns, left, sizeof left);
  g_snprintf(out, n, "T%u %s%s%s", entry->timer, ns < 0 ? "\342\210\222" : "+", left,
             entry->modified ? " \342\206\222" : "");
}

static void draw_edges(UiHeap *heap, cairo_t *cr)
{
  for (size_t i = 1; i < heap->n; i++) {
    const size_t parent = (i - 1) / 4;
    const double x0 = heap->level[parent] * LEVEL_W + NODE_W, x1 = heap->level[i] * LEVEL_W;
    const double y0 = heap->row[parent] * ROW_H + ROW_H / 2.0 + 0.5,
                 y1 = heap->row[i] * ROW_H + ROW_H / 2.0 + 0.5;
    const double middle = (x0 + x1) / 2;
    cairo_move_to(cr, x0 + PAD, y0);
    cairo_line_to(cr, middle + PAD, y0);
    cairo_line_to(cr, middle + PAD, y1);
    cairo_line_to(cr, x1 + PAD, y1);
  }
  cairo_stroke(cr);
}

static void draw_node(UiHeap *heap, cairo_t *cr, size_t i, PangoLayout *layout, const GdkRGBA *ink)
{
  const struct trace_heap_entry *entry = &heap->entries[i];
  const double x = heap->level[i] * LEVEL_W + PAD + 0.5, y = heap->row[i] * ROW_H + 2.5;
  const double dashes[] = { entry->zombie ? 4 : 1.5, entry->zombie ? 3 : 2 };
  cairo_rectangle(cr, x, y, NODE_W - 1, NODE_H - 1);
  cairo_set_source_rgba(cr, ink->red, ink->green, ink->blue,
                        entry->zombie ? 0.03
                        : i == 0      ? 0.16
                                      : 0.08);
  cairo_fill_preserve(cr);
  cairo_set_source_rgba(cr, ink->red, ink->green, ink->blue, 0.55);
  cairo_set_dash(cr, dashes, entry->zombie || entry->modified ? 2 : 0, 0);
  cairo_stroke(cr);
  cairo_set_dash(cr, NULL, 0, 0);

  char text[96];
  node_text(heap, entry, text, sizeof text);
  pango_layout_set_text(layout, text, -1);
  PangoAttrList *attributes = pango_attr_list_new();
  pango_attr_list_insert(attributes, pango_attr_strikethrough_new(entry->zombie));
  pango_layout_set_attributes(layout, attributes);
  pango_attr_list_unref(attributes);
  int height;
  pango_layout_get_pixel_size(layout, NULL, &height);
  cairo_move_to(cr, x + 4, y + (NODE_H - 1 - height) / 2.0);
  cairo_set_source_rgba(cr, ink->red, ink->green, ink->blue, entry->zombie ? 0.6 : 1);
  pango_cairo_show_layout(cr, layout);
}

static void snapshot(GtkWidget *widget, GtkSnapshot *snapshot)
{
  UiHeap *heap = UI_HEAP(widget);
  GdkRGBA ink;
  gtk_style_context_get_color(gtk_widget_get_style_context(widget), &ink);
  cairo_t *cr = gtk_snapshot_append_cairo(
      snapshot, &GRAPHENE_RECT_INIT(0, 0, (float)gtk_widget_get_width(widget),
                                    (float)gtk_widget_get_height(widget)));
  cairo_set_line_width(cr, 1);
  cairo_set_source_rgba(cr, ink.red, ink.green, ink.blue, 0.4);
  draw_edges(heap, cr);
  g_autoptr(PangoLayout) layout = gtk_widget_create_pango_layout(widget, NULL);
  pango_layout_set_width(layout, (NODE_W - 8) * PANGO_SCALE);
  pango_layout_set_ellipsize(layout, PANGO_ELLIPSIZE_END);
  for (size_t i = 0; i < heap->n; i++)
    draw_node(heap, cr, i, layout, &ink);
  cairo_destroy(cr);
}

static void measure(GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum,
                    int *natural, int *minimum_baseline, int *natural_baseline)
{
  UiHeap *heap = UI_HEAP(widget);
  (void)for_size;
  *minimum_baseline = *natural_baseline = -1;
  *minimum = *natural = orientation == GTK_ORIENTATION_HORIZONTAL
                            ? MAX(heap->n_levels * LEVEL_W - (LEVEL_W - NODE_W) + 2 * PAD, 0)
                            : heap->n_rows * ROW_H;
}

static gboolean query_tooltip(GtkWidget *widget, int x, int y, gboolean is_keyboard,
                              GtkTooltip *tooltip)
{
  UiHeap *heap = UI_HEAP(widget);
  for (size_t i = 0; i < heap->n && !is_keyboard; i++) {
    if (heap->row[i] != y / ROW_H || heap->level[i] != x / LEVEL_W)
      continue;
    const struct trace_heap_entry *entry = &heap->entries[i];
    char key[64], when[64];
    trace_time_print(entry->key, key, sizeof key);
    trace_time_print(entry->when, when, sizeof when);
    g_autofree char *text = g_strdup_printf(
        "Timer %u at index %zu, due at %s%s%s%s%s", entry->timer, i, key,
        entry->zombie ? "\nA zombie until it is cleaned: " : "",
        entry->zombie ? trace_zombie_why(entry) : "",
        entry->modified ? "\nModified: to be moved to " : "", entry->modified ? when : "");
    gtk_tooltip_set_text(tooltip, text);
    return TRUE;
  }
  return FALSE;
}

static void finalize(GObject *object)
{
  UiHeap *heap = UI_HEAP(object);
  g_free(heap->entries);
  g_free(heap->row);
  g_free(heap->level);
  G_OBJECT_CLASS(ui_heap_parent_class)->finalize(object);
}

static void ui_heap_class_init(UiHeapClass *class)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS(class);
  G_OBJECT_CLASS(class)->finalize = finalize;
  widget_class->snapshot = snapshot;
  widget_class->measure = measure;
  widget_class->query_tooltip = query_tooltip;
  gtk_widget_class_set_css_name(widget_class, "heap");
  gtk_widget_class_set_accessible_role(widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void ui_heap_init(UiHeap *heap)
{
  gtk_widget_set_has_tooltip(GTK_WIDGET(heap), TRUE);
  gtk_widget_set_halign(GTK_WIDGET(heap), GTK_ALIGN_START);
}

GtkWidget *ui_heap_new(uint32_t p, const struct trace_heap_entry *entries, size_t n, int64_t now)
{
  UiHeap *heap = g_object_new(UI_TYPE_HEAP, NULL);
  heap->n = MIN(n, UI_HEAP_SHOWN);
  heap->entries = g_memdup2(entries, heap->n * sizeof *entries);
  heap->now = now;
  heap->row = g_new0(int, heap->n + 1);
  heap->level = g_new0(int, heap->n + 1);
  if (heap->n)
    place(heap, 0, 0);
  char first[64] = "";
  if (heap->n)
    trace_time_print(entries[0].key, first, sizeof first);
  g_autofree char *timers = ui_text_many(n, "timer");
  g_autofree char *label = g_strdup_printf("Timer heap of P%u: %s, the first, T%u, at %s", p,
                                           timers, heap->n ? entries[0].timer : 0, first);
  gtk_accessible_update_property(GTK_ACCESSIBLE(heap), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
  return GTK_WIDGET(heap);
}
