/* SPDX-License-Identifier: MIT */
/* vw-layers.c - what is stacked on a G, and the overlays that show it.
 *
 * A deferred call runs inside a panic that runs inside a region ...: each G has a stack of such layers.  A layer
 * is one overlay on the G's lane, from begin to end, and on the lanes of the M and the P one piece for each time
 * that the G runs there: a deferred call that sleeps and wakes on another M is drawn where it was executed.
 *
 * Layers end from the top, but not only: a recovery ends the panic and all above it, and an abort ends an older
 * panic with the calls that it ran, below a newer one that goes on.
 *
 * A G that starts touches all its layers, so a trace of a deep stack and many switches would be quadratic: above
 * VW_LAYERS_MAX they are counted, so that their ends are not taken for others', and not drawn.
 */
#include "vw-internal.h"

#include "trace-grow.h"

#include <string.h>

static void end_piece(struct vw_builder *b, struct vw_layer *layer, int kind, int64_t ts,
                      uint64_t no)
{
  if (layer->lane[kind] == VW_NO_TRACK)
    return;
  struct vw_span *piece = vw_bag_at(&b->overlays[kind], layer->piece[kind]);
  piece->t1 =
      ts > piece->t0 ? ts : piece->t0; /* a loss ends it in the past, but not before it began */
  piece->end_no = no;
  layer->lane[kind] = VW_NO_TRACK;
}

static void begin_piece(struct vw_builder *b, const struct vw_track *g, struct vw_layer *layer,
                        int kind, uint32_t lane, int64_t ts)
{
  struct vw_span piece = { .t0 = ts,
                           .t1 = INT64_MIN, /* open: ends with the trace */
                           .no = layer->no,
                           .end_no = VW_NONE,
                           .g = g->id,
                           .m = g->m,
                           .p = TRACE_NO_P,
                           .state = layer->state,
                           .depth = (uint8_t)(layer - g->layers),
                           .why = layer->why };
  layer->piece[kind] = vw_bag_add(&b->overlays[kind], lane, &piece);
  if (layer->piece[kind] == VW_BAG_NONE)
    b->failed = true;
  else
    layer->lane[kind] = lane;
}

static void place(struct vw_builder *b, const struct vw_track *g, struct vw_layer *layer, int kind,
                  uint32_t lane, int64_t ts, uint64_t no)
{
  if (layer->lane[kind] == lane)
    return;
  end_piece(b, layer, kind, ts, no);
  if (lane != VW_NO_TRACK)
    begin_piece(b, g, layer, kind, lane, ts);
}

void vw_layers_place(struct vw_builder *b, struct vw_track *g, uint32_t m_track, uint32_t p_track,
                     int64_t ts, uint64_t no)
{
  for (uint32_t i = 0; i < g->n_layers; i++) {
    place(b, g, &g->layers[i], VW_LANES_M, m_track, ts, no);
    place(b, g, &g->layers[i], VW_LANES_P, p_track, ts, no);
  }
}

static void end_layer(struct vw_builder *b, struct vw_track *g, uint32_t i, int64_t ts, uint64_t no)
{
  for (int kind = 0; kind < VW_LANE_KINDS; kind++)
    end_piece(b, &g->layers[i], kind, ts, no);
  g->n_layers--;
  memmove(&g->layers[i], &g->layers[i + 1], (g->n_layers - i) * sizeof *g->layers);
}

/* Ends the layers from i on, the newest first. */
static void end_from(struct vw_builder *b, struct vw_track *g, uint32_t i, int64_t ts, uint64_t no)
{
  g->n_hidden = 0;
  while (g->n_layers > i)
    end_layer(b, g, g->n_layers - 1, ts, no);
}

void vw_layers_end(struct vw_builder *b, struct vw_track *g, int64_t ts, uint64_t no)
{
  end_from(b, g, 0, ts, no);
}

static void push(struct vw_builder *b, struct vw_track *g, const struct vw_layer *what, int64_t ts)
{
  if (g->n_layers == VW_LAYERS_MAX) {
    g->n_hidden++;
    return;
  }
  if (!trace_grow(&g->layers, &g->layers_capacity, g->n_layers, sizeof *g->layers)) {
    b->failed = true;
    return;
  }
  struct vw_layer *layer = &g->layers[g->n_layers++];
  *layer = *what;
  layer->path = VW_BAG_NONE;
  for (int kind = 0; kind < VW_LANE_KINDS; kind++)
    layer->lane[kind] = VW_NO_TRACK;
  begin_piece(b, g, layer, VW_LANES_G, g->no, ts);
  const struct vw_track *m = g->m == TRACE_NO_M ? NULL : vw_track_find(b, VW_LANES_M, g->m);
  if (!m)
    return;
  begin_piece(b, g, layer, VW_LANES_M, m->no, ts);
  const struct vw_track *p = m->p == TRACE_NO_P ? NULL : vw_track_find(b, VW_LANES_P, m->p);
  if (p)
    begin_piece(b, g, layer, VW_LANES_P, p->no, ts);
}

/* Index of the innermost layer of this kind, and of this depth unless that is 0; n_layers: none. */
static uint32_t find(const struct vw_track *g, enum vw_state state, uint32_t depth)
{
  for (uint32_t i = g->n_layers; i-- > 0;) {
    if (g->layers[i].state == state && (depth == 0 || g->layers[i].depth == depth))
      return i;
  }
  return g->n_layers;
}

struct vw_layer *vw_layers_panic(struct vw_track *g, uint32_t depth)
{
  uint32_t i = find(g, VW_STATE_PANIC, depth);
  return i == g->n_layers ? NULL : &g->layers[i];
}

struct vw_layer *vw_layers_call(struct vw_track *g)
{
  uint32_t i = find(g, VW_STATE_CALL, 0);
  return i == g->n_layers ? NULL : &g->layers[i];
}

static void call_begins(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                        uint64_t no)
{
  const struct vw_layer *panic = vw_layers_panic(g, 0);
  struct vw_layer call = { .state = VW_STATE_CALL, .why = e->w[1], .fn = e->d[1], .no = no };
  if (panic && e->w[1] != TRACE_CAUSE_RETURN)
    call.depth = panic->depth;
  push(b, g, &call, e->ts);
}

static void panic_begins(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                         uint64_t no)
{
  struct vw_layer panic = { .state = VW_STATE_PANIC, .why = e->w[0], .depth = e->w[0], .no = no };
  push(b, g, &panic, e->ts);
}

/* The innermost call or region ends. Regions and calls may cross: each takes the newest of its own kind. */
static void ends(struct vw_builder *b, struct vw_track *g, enum vw_state state,
                 const struct trace_event *e, uint64_t no)
{
  uint32_t i = find(g, state, 0);
  if (g->n_hidden)
    g->n_hidden--;
  else if (i < g->n_layers)
    end_layer(b, g, i, e->ts, no);
}

/* The panic of this depth and everything above it ends; regions outside of it stay. */
static void panic_ends(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                       uint64_t no)
{
  uint32_t i = find(g, VW_STATE_PANIC, e->w[0]);
  if (i < g->n_layers)
    end_from(b, g, i, e->ts, no);
}

static void panic_aborted(struct vw_builder *b, struct vw_track *g, const struct trace_event *e,
                          uint64_t no)
{
  uint32_t i = find(g, VW_STATE_PANIC, e->w[0]);
  if (i == g->n_layers)
    return;
  do
    end_layer(b, g, i, e->ts, no);
  while (i < g->n_layers && g->layers[i].state != VW_STATE_PANIC);
}

void vw_layers_event(struct vw_builder *b, const struct trace_event *e, uint64_t no)
{
  struct vw_track *g = vw_track_g(b, e->g);
  if (!g)
    return;
  /* clang-format off */
  switch (e->kind) {
  case TRACE_DEFER_BEGIN:     call_begins(b, g, e, no); break;
  case TRACE_DEFER_END:       ends(b, g, VW_STATE_CALL, e, no); break;
  case TRACE_PANIC_BEGIN:
  case TRACE_GOEXIT_BEGIN:    panic_begins(b, g, e, no); break;
  case TRACE_PANIC_RECOVERED:
  case TRACE_GOEXIT_END:      panic_ends(b, g, e, no); break;
  case TRACE_PANIC_FATAL:     vw_layers_end(b, g, e->ts, no); break; /* the process dies */
  case TRACE_PANIC_ABORTED:   panic_aborted(b, g, e, no); break;
  case TRACE_REGION_BEGIN:
    push(b, g, &(struct vw_layer){ .state = VW_STATE_REGION, .why = e->w[0], .no = no }, e->ts);
    break;
  case TRACE_REGION_END:      ends(b, g, VW_STATE_REGION, e, no); break;
  default: break; /* nothing is stacked or ends */
  }
  /* clang-format on */
}
