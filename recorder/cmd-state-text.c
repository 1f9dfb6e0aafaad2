/* SPDX-License-Identifier: MIT */
/* cmd-state-text.c - a state for people: what runs first, then what could, then what waits.
 *
 * Each section is left out when there is nothing to say, except Gs, Ps and Ms.  A timer heap is drawn as the
 * tree that its array is: entry i's children are 4i+1 ... 4i+4.
 */
#include "cmd-state.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define TREE_DEPTH 20 /* 4^20 entries: more than 2^32 */

static void print_ids(FILE *to, char letter, const uint32_t *ids, size_t n)
{
  for (size_t i = 0; i < n; i++)
    fprintf(to, " %c%u", letter, ids[i]);
}

static bool print_order(const struct state *s, FILE *to, const char *title, char letter,
                        state_queue list)
{
  size_t n;
  uint32_t *ids = state_order(s->replay, list, &n);
  if (ids && n) {
    fprintf(to, "%s", title);
    print_ids(to, letter, ids, n);
    fputc('\n', to);
  }
  free(ids);
  return ids != NULL;
}

/* "The world is stopped by M0: the program asked (flush)". */
static void print_stop(const struct state *s, const struct trace_world *w, FILE *to)
{
  char reason[STATE_NAME];
  if (!w->stopping && !w->stopped)
    return;
  fprintf(to, "The world is %sstopped", w->stopped ? "" : "being ");
  if (w->stopper != TRACE_NO_M)
    fprintf(to, " by M%u", w->stopper);
  if (w->stop_why != TRACE_STWWHY_UNKNOWN)
    fprintf(to, ": %s", trace_word_text(TRACE_ARG_STWWHY, w->stop_why));
  if (w->stop_reason)
    fprintf(to, " (%s)", state_string(s, w->stop_reason, reason));
  fputc('\n', to);
}

static void print_world(const struct state *s, FILE *to)
{
  const struct trace_world *w = trace_replay_world(s->replay);
  char at[40];
  fprintf(to, "State of ");
  out_text(to, s->path, strlen(s->path));
  fprintf(to, " at %s, after event %" PRIu64 "\n\n", out_time(s->at, at), w->n_events);
  fprintf(to, "%u G%s: %u running, %u in system calls, %u runnable, %u waiting\n", w->n_gs,
          cli_s(w->n_gs), w->n_by_status[TRACE_GSTATUS_RUNNING],
          w->n_by_status[TRACE_GSTATUS_SYSCALL], w->n_by_status[TRACE_GSTATUS_RUNNABLE],
          w->n_by_status[TRACE_GSTATUS_WAITING]);
  fprintf(to, "%u P%s, %u idle; %u M%s, %u idle, %u spinning; %u timer%s\n", w->n_ps,
          cli_s(w->n_ps), w->n_idle_ps, w->n_ms, cli_s(w->n_ms), w->n_idle_ms, w->n_spinning,
          w->n_timers, cli_s(w->n_timers));
  if (w->polling_m != TRACE_NO_M)
    fprintf(to, "M%u sleeps in netpoll\n", w->polling_m);
  print_stop(s, w, to);
}

static void print_who(const struct state *s, FILE *to, uint32_t goid)
{
  const struct trace_g *g = goid ? trace_replay_g(s->replay, goid) : NULL;
  char name[STATE_NAME];
  if (!goid)
    return;
  fprintf(to, "G%u", goid);
  if (g && state_g_name(s, g, name)[0])
    fprintf(to, " %s", name);
}

static bool print_p(const struct state *s, FILE *to, const struct trace_p *p)
{
  size_t n;
  uint32_t *ring = state_ring(s->replay, p->id, &n);
  const struct trace_m *m = p->m == TRACE_NO_M ? NULL : trace_replay_m(s->replay, p->m);
  const char *status = trace_word_text(TRACE_ARG_PSTATUS, p->status);
  fprintf(to, "  P%-4u %-12s", p->id, status ? status : "unknown");
  if (p->m != TRACE_NO_M)
    fprintf(to, " M%u", p->m);
  if (m && m->g) {
    fputc(' ', to);
    print_who(s, to, m->g);
  }
  if (p->runnext)
    fprintf(to, "   runnext G%u", p->runnext);
  if (ring && n) {
    fprintf(to, "   queue");
    print_ids(to, 'G', ring, n);
  }
  fputc('\n', to);
  free(ring);
  return ring != NULL;
}

static bool print_ps(const struct state *s, FILE *to)
{
  size_t n;
  uint32_t *ids = state_list(s->replay, trace_replay_ps, &n);
  bool has_memory = ids != NULL;
  fprintf(to, "\nPs (queues: next to run first)\n");
  for (size_t i = 0; has_memory && i < n; i++) {
    const struct trace_p *p = trace_replay_p(s->replay, ids[i]);
    has_memory = !p || print_p(s, to, p);
  }
  free(ids);
  return has_memory && print_order(s, to, "  global queue:", 'G', trace_replay_global) &&
         print_order(s, to, "  idle Ps, next to be taken first:", 'P', trace_replay_idle_ps);
}

static void print_m(const struct state *s, FILE *to, const struct trace_m *m)
{
  char since[40];
  bool is_sysmon = state_m_status(s, m) == TRACE_MSTATUS_SYSMON;
  fprintf(to, "  M%-4u %-12s", m->id, trace_m_does(m, is_sysmon));
  if (m->p != TRACE_NO_P)
    fprintf(to, " P%u", m->p);
  if (m->g) {
    fputc(' ', to);
    print_who(s, to, m->g);
  }
  if (m->tid)
    fprintf(to, "   thread %u, for %s", m->tid, out_time(s->at - m->since, since));
  if (m->locked_g)
    fprintf(to, ", locked to G%u", m->locked_g);
  fputc('\n', to);
}

static bool print_ms(const struct state *s, FILE *to)
{
  size_t n;
  uint32_t *ids = state_list(s->replay, trace_replay_ms, &n);
  fprintf(to, "\nMs\n");
  for (size_t i = 0; ids && i < n; i++) {
    const struct trace_m *m = trace_replay_m(s->replay, ids[i]);
    if (m)
      print_m(s, to, m);
  }
  free(ids);
  return ids && print_order(s, to, "  idle Ms, next to be woken first:", 'M', trace_replay_idle_ms);
}

static void print_panics(const struct state *s, FILE *to, const struct trace_g *g)
{
  char text[STATE_NAME];
  for (uint32_t i = g->n_panics; i-- > 0;) {
    const struct trace_panic *panic = &g->panics[i];
    if (panic->is_goexit)
      fprintf(to, "         Goexit (depth %u)", panic->depth);
    else
      fprintf(to, "         panic %u: %s", panic->depth, state_string(s, panic->value, text));
    fprintf(to, ", called in frame %u, has walked to frame %u%s", panic->frame, panic->walked_to,
            panic->recovered ? ", recovered" : "");
    if (panic->supersedes)
      fprintf(to, ", supersedes panic %u", panic->supersedes);
    fputc('\n', to);
  }
}

static void print_defers(const struct state *s, FILE *to, const struct trace_g *g)
{
  char name[STATE_NAME];
  for (uint32_t i = g->n_calls; i-- > 0;) {
    const char *because = trace_word_text(TRACE_ARG_CAUSE, g->calls[i].because);
    fprintf(to, "         runs deferred %s of frame %u, because of %s\n",
            state_fn_name(s, g->calls[i].fn, name), g->calls[i].frame,
            because ? because : "unknown");
  }
  for (uint32_t i = g->n_defers; i-- > 0;) {
    const char *record = trace_word_text(TRACE_ARG_DEFERKIND, g->defers[i].record);
    fprintf(to, "         defers %s in frame %u (%s record)\n",
            state_fn_name(s, g->defers[i].fn, name), g->defers[i].frame,
            record ? record : "unknown");
  }
}

static void print_g(const struct state *s, FILE *to, const struct trace_g *g)
{
  char name[STATE_NAME], doing[STATE_DOING], since[40];
  fprintf(to, "  G%-4u %-16s %s, for %s", g->goid, state_g_name(s, g, name),
          state_g_doing(s, g, doing), out_time(s->at - g->since, since));
  if (g->parent)
    fprintf(to, "; made by G%u", g->parent);
  if (g->locked_m != TRACE_NO_M)
    fprintf(to, "; locked to M%u", g->locked_m);
  fputc('\n', to);
  print_panics(s, to, g);
  print_defers(s, to, g);
}

static bool print_gs(const struct state *s, FILE *to)
{
  size_t n;
  uint32_t *ids = state_list(s->replay, trace_replay_gs, &n);
  fprintf(to, "\nGs (defer chains: newest first)\n");
  for (size_t i = 0; ids && i < n; i++) {
    const struct trace_g *g = trace_replay_g(s->replay, ids[i]);
    if (g)
      print_g(s, to, g);
  }
  free(ids);
  return ids != NULL;
}

static void print_entry(const struct state *s, FILE *to, const struct trace_heap_entry *entry)
{
  const struct trace_timer *timer = trace_replay_timer(s->replay, entry->timer);
  const char *what = timer ? trace_word_text(TRACE_ARG_TIMERKIND, timer->what) : NULL;
  char key[40], when[40];
  char name[STATE_NAME];
  fprintf(to, "T%u %s%s", entry->timer, what ? what : "timer",
          state_timer_name(s, entry->timer, name));
  if (timer && timer->owner) {
    fputs(" of ", to);
    print_who(s, to, timer->owner);
  }
  fprintf(to, " at %s", out_time(entry->key, key));
  if (entry->zombie)
    fprintf(to, ", %s (a zombie until cleaned)", trace_zombie_why(entry));
  else if (entry->modified)
    fprintf(to, ", moved to %s (place not mended yet)", out_time(entry->when, when));
  fputc('\n', to);
}

/* Preorder, with the branches of a tree drawn before each entry. */
static void print_tree(const struct state *s, FILE *to, const struct trace_heap_entry *heap,
                       size_t n)
{
  struct {
    size_t entry, next_child;
  } path[TREE_DEPTH + 1] = { { 0, 1 } };
  int depth = 0;
  fputs("      ", to);
  print_entry(s, to, &heap[0]);
  while (depth >= 0) {
    size_t child = path[depth].next_child;
    bool is_done = child >= n || child > 4 * path[depth].entry + 4 || depth == TREE_DEPTH;
    if (is_done) {
      depth--;
      continue;
    }
    path[depth].next_child++;
    fputs("      ", to);
    for (int i = 0; i <= depth; i++) {
      bool has_more = path[i].next_child < n && path[i].next_child <= 4 * path[i].entry + 4;
      fputs(i < depth ? (has_more ? "\u2502  " : "   ")
                      : (has_more ? "\u251c\u2500 " : "\u2514\u2500 "),
            to);
    }
    print_entry(s, to, &heap[child]);
    depth++;
    path[depth].entry = child;
    path[depth].next_child = 4 * child + 1;
  }
}

static bool print_heaps(const struct state *s, FILE *to)
{
  size_t n_ps;
  uint32_t *ids = state_list(s->replay, trace_replay_ps, &n_ps);
  bool has_memory = ids != NULL, has_title = false;
  for (size_t i = 0; has_memory && i < n_ps; i++) {
    size_t n;
    struct trace_heap_entry *heap = state_heap(s->replay, ids[i], &n);
    has_memory = heap != NULL;
    if (heap && n) {
      fprintf(to, "%s  P%u, %zu timer%s\n", has_title ? "" : "\nTimer heaps\n", ids[i], n,
              cli_s(n));
      has_title = true;
      print_tree(s, to, heap, n);
    }
    free(heap);
  }
  free(ids);
  return has_memory;
}

bool state_print_text(const struct state *s, FILE *to)
{
  print_world(s, to);
  return print_ps(s, to) && print_ms(s, to) && print_gs(s, to) && print_heaps(s, to);
}
