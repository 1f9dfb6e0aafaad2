/* SPDX-License-Identifier: MIT */
/* window-play.c - stepping by itself, at a pace at which a sentence can be read.
 *
 * Playing is nothing but pressing N again and again, so all that a step does (panels, reveal, history) it does too.
 * It ends at the last event, with the trace, and as soon as a person steps or jumps by hand: two hands on one cursor
 * are one too many.  The pace is constant in events, not in time: of a scheduler's events thousands share a
 * microsecond, and nothing happens for milliseconds after them.
 */
#include "window-private.h"

#define PACE_MS 500

static void set_playing(UiWindow *window, bool is_playing)
{
  GAction *action = g_action_map_lookup_action(G_ACTION_MAP(window), "play");
  g_simple_action_set_state(G_SIMPLE_ACTION(action), g_variant_new_boolean(is_playing));
  gtk_button_set_icon_name(GTK_BUTTON(window->play_button), is_playing
                                                                ? "media-playback-pause-symbolic"
                                                                : "media-playback-start-symbolic");
}

void ui_window_stop_playing(UiWindow *window)
{
  if (!window->playing)
    return;
  g_clear_handle_id(&window->playing, g_source_remove);
  set_playing(window, false);
}

static bool step(UiWindow *window)
{
  window->is_own_step = true;
  const bool has_stepped = ui_session_step(window->session, 1);
  window->is_own_step = false;
  return has_stepped;
}

static gboolean play_on(gpointer data)
{
  UiWindow *window = data;
  if (step(window))
    return G_SOURCE_CONTINUE;
  window->playing = 0;
  set_playing(window, false);
  return G_SOURCE_REMOVE;
}

/* The first step is made at once: the key did something. Where there is none, nothing plays. */
void ui_window_change_play(GSimpleAction *action, GVariant *value, gpointer data)
{
  UiWindow *window = data;
  (void)action;
  if (!g_variant_get_boolean(value)) {
    ui_window_stop_playing(window);
  } else if (!window->playing && ui_session_trace(window->session) && step(window)) {
    window->playing = g_timeout_add(PACE_MS, play_on, window);
    set_playing(window, true);
  }
}

void ui_window_play_noticed(UiWindow *window, guint what)
{
  if (what & UI_CHANGED_TRACE || (what & UI_CHANGED_EVENT && !window->is_own_step))
    ui_window_stop_playing(window);
}
