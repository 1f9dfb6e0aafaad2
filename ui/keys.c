/* SPDX-License-Identifier: MIT */
/* keys.c - from one table of actions to keys and the page that lists them (keys.h).
 *
 * GtkApplication's accelerators run in the capture phase, before the focused widget; a bare "n" there could not
 * be typed into an entry any more.  So bare keys are a shortcut controller of the window in the bubble phase: an
 * entry has eaten its letters by then.
 *
 * The shortcuts window is built from XML made here, because GTK 4.8 can fill one by no other way.
 */
#include "keys.h"

#include <string.h>

#define ACTION(group, detailed, title, triggers) { UI_GROUP_##group, detailed, title, triggers },
const struct ui_action ui_actions[] = {
#include "actions.def"
  { UI_GROUPS, NULL, NULL, NULL }
};
#undef ACTION

static const char *const group_titles[UI_GROUPS] = {
  [UI_GROUP_FILE] = "General",
  [UI_GROUP_STEP] = "Stepping",
  [UI_GROUP_MOVE] = "Moving about",
  [UI_GROUP_LOOK] = "What is shown",
};

static bool is_bare(const char *trigger)
{
  guint key;
  GdkModifierType modifiers;
  if (!gtk_accelerator_parse(trigger, &key, &modifiers))
    g_error("actions.def: %s is no trigger", trigger);
  const bool is_function_key = key >= GDK_KEY_F1 && key <= GDK_KEY_F35;
  return !is_function_key && !(modifiers & (GDK_CONTROL_MASK | GDK_ALT_MASK));
}

char *ui_action_key(const struct ui_action *action)
{
  g_auto(GStrv) triggers = g_strsplit(action->triggers, " ", -1);
  guint key;
  GdkModifierType modifiers;
  if (!triggers[0] || !gtk_accelerator_parse(triggers[0], &key, &modifiers))
    return g_strdup("");
  return gtk_accelerator_get_label(key, modifiers);
}

void ui_keys_set_accels(GtkApplication *application)
{
  for (const struct ui_action *action = ui_actions; action->title; action++) {
    g_auto(GStrv) triggers = g_strsplit(action->triggers, " ", -1);
    const char *accels[8] = { NULL };
    size_t n = 0;
    for (char **trigger = triggers; *trigger && n + 1 < G_N_ELEMENTS(accels); trigger++)
      if (!is_bare(*trigger))
        accels[n++] = *trigger;
    if (n)
      gtk_application_set_accels_for_action(application, action->detailed, accels);
  }
}

/* The last guard: an editable that lets a key through (Escape, say) still keeps bare letters. */
static gboolean run(GtkWidget *window, GVariant *args, gpointer data)
{
  const struct ui_action *action = data;
  (void)args;
  GtkWidget *focus = gtk_window_get_focus(GTK_WINDOW(window));
  if (focus && GTK_IS_EDITABLE(focus) && strcmp(action->detailed, "win.clear") != 0)
    return FALSE;
  g_autofree char *name = NULL;
  g_autoptr(GVariant) target = NULL;
  if (!g_action_parse_detailed_name(action->detailed, &name, &target, NULL))
    g_error("actions.def: %s is no action", action->detailed);
  return gtk_widget_activate_action_variant(window, name, target);
}

void ui_keys_add_bare(GtkWindow *window)
{
  GtkEventController *controller = gtk_shortcut_controller_new();
  for (const struct ui_action *action = ui_actions; action->title; action++) {
    g_auto(GStrv) triggers = g_strsplit(action->triggers, " ", -1);
    for (char **trigger = triggers; *trigger; trigger++) {
      if (!is_bare(*trigger))
        continue;
      GtkShortcut *shortcut =
          gtk_shortcut_new(gtk_shortcut_trigger_parse_string(*trigger),
                           gtk_callback_action_new(run, (gpointer)action, NULL));
      gtk_shortcut_controller_add_shortcut(GTK_SHORTCUT_CONTROLLER(controller), shortcut);
    }
  }
  gtk_widget_add_controller(GTK_WIDGET(window), controller);
}

static void append_group(GString *xml, enum ui_group group)
{
  g_string_append_printf(
      xml, "<child><object class='GtkShortcutsGroup'><property name='title'>%s</property>",
      group_titles[group]);
  for (const struct ui_action *action = ui_actions; action->title; action++) {
    if (action->group != group || !*action->triggers)
      continue;
    g_autofree char *shortcut = g_markup_printf_escaped(
        "<child><object class='GtkShortcutsShortcut'><property name='title'>%s</property>"
        "<property name='accelerator'>%s</property></object></child>",
        action->title, action->triggers);
    g_string_append(xml, shortcut);
  }
  g_string_append(xml, "</object></child>");
}

GtkWindow *ui_keys_window_new(GtkWindow *parent)
{
  g_autoptr(GString) xml = g_string_new(
      "<interface><object class='GtkShortcutsWindow' id='window'>"
      "<property name='modal'>1</property><child>"
      "<object class='GtkShortcutsSection'><property name='section-name'>keys</property>"
      "<property name='max-height'>14</property>");
  for (int group = 0; group < UI_GROUPS; group++)
    append_group(xml, (enum ui_group)group);
  g_string_append(xml, "</object></child></object></interface>");
  g_autoptr(GtkBuilder) builder = gtk_builder_new_from_string(xml->str, (gssize)xml->len);
  GtkWindow *window = GTK_WINDOW(gtk_builder_get_object(builder, "window"));
  gtk_window_set_transient_for(window, parent);
  return window;
}
