/* SPDX-License-Identifier: MIT */
/* why-panel.c - the answer of viewer.h as rows, each with a link to the event that it rests on (why-panel.h). */
#include "why-panel.h"

#include "links.h"

static void write_line(UiFacts *facts, const struct vw_why_line *line)
{
  g_autofree char *sentence = ui_links_markup(line->text);
  g_autofree char *link = line->no == VW_NONE ? NULL : ui_link('e', line->no, NULL);
  g_autofree char *markup = link ? g_strdup_printf("%s  %s", sentence, link) : g_strdup(sentence);
  ui_facts_row(facts, line->key, markup);
}

static void write_answer(UiFacts *facts, struct vw_trace *trace, uint32_t g, uint64_t no)
{
  struct vw_why why;
  struct vw_why_line lines[VW_WHY_LINES];
  if (!vw_why_ask(trace, g, no, &why)) {
    ui_facts_note(facts, "There is no memory to look into this.");
    return;
  }
  const size_t n = vw_why_lines(trace, &why, lines);
  ui_facts_heading(facts, lines[0].text);
  for (size_t i = 1; i < n; i++)
    write_line(facts, &lines[i]);
}

void ui_why_panel_write(UiFacts *facts, UiSession *session)
{
  struct vw_trace *trace = ui_session_trace(session);
  const uint64_t no = ui_session_view(session)->event_no;
  const uint32_t g = ui_session_subject_g(session);
  ui_facts_begin(facts);
  if (trace && no == VW_NONE)
    ui_facts_note(
        facts, "No event is chosen: click where a G does not run, or press N for the next event.");
  else if (trace && !g)
    ui_facts_note(
        facts,
        "No G is selected, and none runs at this event: click a bar of one, or its name on the "
        "lanes by G (3).");
  else if (trace)
    write_answer(facts, trace, g, no);
  ui_facts_end(facts);
}
