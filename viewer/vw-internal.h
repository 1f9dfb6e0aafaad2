/* SPDX-License-Identifier: MIT */
/* vw-internal.h - what a trace is in memory, and what the parts of the model ask of one another.
 *
 * One pass over the events feeds five independent parts, which know each other only through the tracks:
 *
 *   vw-build.c     the pass: keeps the event, applies it to the replay, hands it to the parts below
 *   vw-tracks.c    what every M, P and G does now; begins and ends the spans of the lanes
 *   vw-layers.c    what is stacked on a G: deferred calls, panics, regions; the overlays of the lanes
 *   vw-marks.c     instants
 *   vw-arrows.c    who woke, made, robbed whom
 *   vw-panics.c    panic paths
 *   vw-history.c   checkpoints of the replay, and with them the state at any event
 *
 * The tracks follow the events alone, without looking into the replay: they hold ten words a lane, cost a few
 * hash look-ups an event, and a contradiction in the trace can do no more to them than draw a wrong span, which
 * the warning about the broken rule explains.
 */
#pragma once
#include "viewer.h"
#include "vw-bag.h"
#include "vw-build.h"
#include "vw-map.h"

/* ---- the tracks: only while building ---- */
#define VW_NO_TRACK   UINT32_MAX
#define VW_LAYERS_MAX 64 /* drawn on one G at a time; deeper ones are counted, not drawn */

struct vw_layer {                /* something stacked on a G */
  uint8_t state;                 /* VW_STATE_CALL, _PANIC or _REGION */
  uint32_t why;                  /* as in vw_span */
  uint32_t depth;                /* of the panic, or of the one that runs the call; 0 none */
  uint64_t fn;                   /* CALL */
  uint64_t no;                   /* event that began it */
  uint32_t path;                 /* PANIC: index in paths, VW_BAG_NONE none */
  uint32_t lane[VW_LANE_KINDS];  /* where it is drawn now, VW_NO_TRACK nowhere */
  uint32_t piece[VW_LANE_KINDS]; /* its open overlay there */
};

struct vw_track { /* an M, P or G; each uses its part */
  uint32_t no;    /* among its kind, in order of first mention */
  uint32_t id;
  int64_t until; /* end of its last span */
  uint32_t open; /* its open span in the bag, VW_BAG_NONE: nothing known */
  uint32_t m;    /* P: id of the M that holds it; G: of the M it runs on; TRACE_NO_M none */
  uint32_t g;    /* M: goid that it runs or that is in a system call on it; 0 none */
  uint16_t p;    /* M: the P that it holds; TRACE_NO_P none */
  uint32_t
      wake; /* arrow that waits for its other end: G: wake, M: mwake, P: retake; or VW_BAG_NONE */
  union {
    struct { /* M */
      uint64_t next_seq;
      int64_t last_ts;
      uint32_t tid;
      bool is_sysmon;
    };
    struct {                 /* G */
      uint32_t park, create; /* arrows likewise */
      uint32_t returning,
          returning_frame; /* 1 + the panic path that was recovered into this frame; 0 none */
      uint64_t fn;
      struct vw_layer *layers;
      size_t layers_capacity;
      uint32_t n_layers, n_hidden;
      uint32_t name; /* string id */
    };
  };
};

#define VW_TRACK_CHUNK 256
struct vw_tracks { /* of one kind; in chunks, so that a track never moves */
  struct vw_track **chunks;
  size_t n, capacity;
  struct vw_map by_id;
  struct vw_track *last; /* found last: events come in runs */
};
static inline struct vw_track *vw_track_at(const struct vw_tracks *tracks, size_t i)
{
  return &tracks->chunks[i / VW_TRACK_CHUNK][i % VW_TRACK_CHUNK];
}

/* ---- the history ---- */
struct vw_checkpoint {
  uint64_t applied; /* events that it has seen */
  size_t bytes;
  struct trace_replay *state;
};
struct vw_cursor {
  uint64_t applied;
  struct trace_replay *state; /* NULL: not begun */
};
#define VW_FINE 16 /* fine checkpoints kept on the way to an earlier event */
struct vw_history {
  struct vw_checkpoint *points;
  size_t n_points, capacity;
  size_t bytes;             /* of all points */
  uint64_t interval;        /* events between two points */
  struct trace_replay *end; /* after all events: the names, and what is left */
  struct vw_cursor shown;   /* lent out by vw_state_* */
  struct vw_cursor search;  /* for sentences, so that they leave the lent one alone */
  struct vw_checkpoint fine[VW_FINE];
  size_t n_fine; /* in order, all between the same two points */
};

/* ---- the trace ---- */
struct vw_lanes {
  struct vw_lane *lanes; /* by id */
  size_t n;
  void *spans, *overlays, *marks;
  struct vw_lane_text {
    char title[16], subtitle[40];
  } * texts;
};

struct vw_digest; /* vw-step.c: what a block of events mentions */
struct vw_names;  /* vw-names.c: caches of names */

struct vw_facts { /* gathered on the way, told as warnings */
  uint64_t n_lost, n_loss_places, n_breaches;
  struct trace_breach breach; /* the first */
  uint32_t fault;             /* string id */
  bool has_fault, has_end;
  uint32_t families; /* that no categories record switched off */
};

struct vw_trace {
  char *title;
  struct tracefile *file; /* NULL: made from text */
  struct trace_event *events;
  size_t n_events, events_capacity;
  struct vw_lanes lanes[VW_LANE_KINDS];
  struct vw_arrow *arrows;
  size_t n_arrows, arrows_capacity;
  uint32_t *arrows_in; /* arrows with an end, by the number of the event where they end */
  size_t n_arrows_in, arrows_in_capacity;
  struct vw_panic_path *panics;
  size_t n_panics, panics_capacity;
  void *panic_steps;
  struct vw_history history;
  struct vw_digest *digests;
  struct vw_names *names;
  struct vw_facts facts;
  char **warnings;
  size_t n_warnings, warnings_capacity;
};

struct vw_builder {
  struct vw_trace *trace;
  struct trace_replay *replay;
  struct vw_tracks tracks[VW_LANE_KINDS];
  struct vw_bag spans[VW_LANE_KINDS], overlays[VW_LANE_KINDS], marks[VW_LANE_KINDS];
  struct vw_bag steps; /* of panic paths */
  uint32_t *values;    /* of panic paths: string ids */
  size_t values_capacity;
  bool failed; /* out of memory */
};

/* ---- vw-tracks.c ---- */
/* The track of an id, made when it is new. NULL: out of memory (b->failed is set). */
struct vw_track *vw_track(struct vw_builder *b, enum vw_lane_kind kind, uint32_t id);
/* NULL if there is none. */
struct vw_track *vw_track_find(struct vw_builder *b, enum vw_lane_kind kind, uint32_t id);
/* The same for the G that a record says runs, 0 included (NULL). */
struct vw_track *vw_track_g(struct vw_builder *b, uint32_t goid);
/* What the record itself says about its M, for an M of which nothing is known. */
void vw_tracks_adopt(struct vw_builder *b, struct vw_track *m, const struct trace_event *e,
                     uint64_t no);
void vw_tracks_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);
void vw_tracks_free(struct vw_builder *b);

/* ---- vw-lost.c: told by a record, or seen as a gap in an M's numbers ---- */
void vw_lost_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);

/* ---- vw-spans.c ---- */
/* Ends the lane's span and, unless state is VW_STATE_NONE, begins another; a like one just goes on. */
void vw_span_begin(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track,
                   struct vw_span span);
/* Cuts what is open at `since`, and says lost until `now`. */
void vw_span_lost(struct vw_builder *b, enum vw_lane_kind kind, struct vw_track *track,
                  int64_t since, int64_t now, uint64_t no);

/* ---- vw-layers.c ---- */
void vw_layers_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);
/* The G's overlays are drawn on these lanes from here on; VW_NO_TRACK: on none. */
void vw_layers_place(struct vw_builder *b, struct vw_track *g, uint32_t m_track, uint32_t p_track,
                     int64_t ts, uint64_t no);
void vw_layers_end(struct vw_builder *b, struct vw_track *g, int64_t ts, uint64_t no);
/* The innermost panic in progress (depth 0) or the one of this depth; NULL none. */
struct vw_layer *vw_layers_panic(struct vw_track *g, uint32_t depth);
/* The innermost deferred call; NULL none. */
struct vw_layer *vw_layers_call(struct vw_track *g);

/* ---- the other parts ---- */
void vw_marks_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);
void vw_arrows_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);
void vw_panics_event(struct vw_builder *b, const struct trace_event *e, uint64_t no);
bool vw_panics_finish(struct vw_builder *b);
bool vw_lanes_finish(struct vw_builder *b);
void vw_lanes_free(struct vw_trace *trace);

bool vw_history_init(struct vw_history *h);
/* After so many events were applied to r. False: out of memory. */
bool vw_history_note(struct vw_history *h, const struct trace_replay *r, uint64_t applied);
void vw_history_free(struct vw_history *h);
/* The state before an event, for sentences and searches; borrowed until the next call. NULL: out of memory. */
const struct trace_replay *vw_history_before(struct vw_trace *trace, uint64_t no);

bool vw_digests_make(struct vw_trace *trace);
/* Case-folded (ASCII) search; an empty needle is found everywhere. */
bool vw_contains(const char *text, const char *folded_needle);

struct vw_names *vw_names_new(void);
void vw_names_free(struct vw_names *names);

bool vw_warnings_make(struct vw_trace *trace);
