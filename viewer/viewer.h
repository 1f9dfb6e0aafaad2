/* SPDX-License-Identifier: MIT */
/* viewer.h - answers about one trace: lanes, arrows, panic paths, the state at any event, sentences.
 *
 * The model knows nothing of pixels (plan.h does) and nothing of GTK.  Opening decodes the chunks once,
 * replays them once, and keeps per lane an array of spans in time order, the arrows, the panic paths, and a
 * checkpoint of the replay every so many events; state at event n = nearest checkpoint + replay, which makes
 * stepping back as cheap as stepping forward.
 *
 * Events are called by their number in time order, from 0 to n - 1; VW_NONE is none.
 * Everything borrowed stays valid until vw_trace_free, unless a function says less.  Not thread-safe, except
 * that vw_trace_open may run in a thread of its own and report progress.
 */
#pragma once
#include "trace-event.h"
#include "trace-replay.h"
#include "tracefile.h"

#define VW_NONE UINT64_MAX

/* ---- opening ---- */
struct vw_trace;
/* Progress of a long open: done of total events; returning false cancels it. May be NULL. */
typedef bool (*vw_progress)(void *arg, uint64_t done, uint64_t total);
/* NULL: *error says what, why, what to do. A damaged or incomplete trace opens; vw_warning tells. */
struct vw_trace *vw_trace_open(const char *path, vw_progress progress, void *arg,
                               struct tracefile_error *error);
void vw_trace_free(struct vw_trace *trace);

const char *vw_trace_title(const struct vw_trace *trace); /* "panic-recover", the program's name */
struct tracefile *vw_trace_file(struct vw_trace *trace);
/* What a person must know before believing the picture: losses, damage, broken rules, families missing, a fault
 * switched on. One sentence each; i from 0, NULL at the end. */
const char *vw_warning(const struct vw_trace *trace, size_t i);
/* How far an event family can be believed, with the reason as a sentence (borrowed). */
enum tracefile_capability vw_capability(const struct vw_trace *trace, enum trace_family family,
                                        const char **why);

/* ---- events ---- */
uint64_t vw_event_count(const struct vw_trace *trace);
void vw_time_range(const struct vw_trace *trace, int64_t *first, int64_t *last);
/* The event with this number. Borrowed. no < vw_event_count. */
const struct trace_event *vw_event(const struct vw_trace *trace, uint64_t no);
/* Number of the first event with ts >= t; the count if there is none. */
uint64_t vw_event_at(const struct vw_trace *trace, int64_t t);

/* ---- stepping and state ---- */
struct
    vw_filter { /* all that are set must hold; zero-initialised (with the has_ flags false) lets all pass */
  bool has_g, has_m, has_p, has_kind, has_timer;
  uint32_t g, m, p, kind, timer;
  uint32_t families; /* mask; 0 is all but META's string and stack parts */
  const char *text;  /* in the event's sentence or arguments, case folded; NULL is no condition */
};
/* An event concerns G, M, P or timer when it happened there or names it in an argument. */
bool vw_filter_matches(const struct vw_trace *trace, const struct vw_filter *filter, uint64_t no);
/* Next (direction 1) or previous (-1) matching event after `from`; from VW_NONE starts at that end. VW_NONE: none.
 * Milliseconds at most, unless a text is looked for: one that stands nowhere costs about a second for a million
 * events.  Who must not wait asks vw_filter_matches event by event, for as long as there is time. */
uint64_t vw_step(const struct vw_trace *trace, const struct vw_filter *filter, uint64_t from,
                 int direction);

/* The scheduler's whole state after (or just before) an event; borrowed until the next vw_state_* call. NULL: out
 * of memory. A step forward applies one event; one back replays a few thousand at most. */
const struct trace_replay *vw_state_after(struct vw_trace *trace, uint64_t no);
const struct trace_replay *vw_state_before(struct vw_trace *trace, uint64_t no);
/* What happened, in one sentence. Returns its length. */
size_t vw_sentence(struct vw_trace *trace, uint64_t no, char *out, size_t n);
/* "kind arg=value ..." with names resolved, for lists. */
size_t vw_event_text(struct vw_trace *trace, uint64_t no, char *out, size_t n);

/* ---- names ---- */
/* "worker" from go_name, else the function's name, else "". Borrowed. */
const char *vw_g_name(const struct vw_trace *trace, uint32_t goid);
/* The function's name, "worker"; "main.c:42" if only its place is known, "" if nothing. Borrowed. */
const char *vw_fn_name(const struct vw_trace *trace, uint64_t fn);
/* Where it stands in the source, "main.c:42", or "". Borrowed. */
const char *vw_fn_place(const struct vw_trace *trace, uint64_t fn);
/* A string of the program, by the id that events and regions name it with: valid, printable UTF-8.  Borrowed; "" if
 * it is unknown. */
const char *vw_string(const struct vw_trace *trace, uint32_t id);
/* "chan results", "mutex #3", "0x55..": always something. */
size_t vw_object_name(const struct vw_trace *trace, uint64_t obj, char *out, size_t n);

/* ---- lanes ---- */
enum vw_lane_kind {
  VW_LANES_M,
  VW_LANES_P,
  VW_LANES_G,
  VW_LANE_KINDS
};

enum vw_state { /* what a span shows; the palette has a colour for each */
  VW_STATE_NONE,
  VW_STATE_RUNNING, /* a G runs: coloured by G on M and P lanes */
  VW_STATE_SYSCALL,
  VW_STATE_SCHED,    /* M lane: has a P, runs the scheduler */
  VW_STATE_SPINNING, /* M lane */
  VW_STATE_POLLING,  /* M lane: asleep in netpoll */
  VW_STATE_PARKED,   /* M lane: asleep on its note */
  VW_STATE_SYSMON, /* M lane: sysmon, which runs no G and needs no P; why tells how long it sleeps */
  VW_STATE_RUNNABLE, /* G lane */
  VW_STATE_WAITING,  /* G lane: why says for what */
  VW_STATE_IDLE,     /* P lane: on the idle list */
  VW_STATE_HANDED,   /* P lane: on its way, from one M to another or to the idle list */
  VW_STATE_GCSTOP,   /* P lane */
  VW_STATE_CALL,     /* overlay: a deferred call runs */
  VW_STATE_PANIC,    /* overlay: a panic is in progress */
  VW_STATE_REGION,   /* overlay: the program's region */
  VW_STATE_LOST,     /* events were lost here */
  VW_STATES,
};

#define VW_SYSMON_DEEP UINT32_MAX /* it sleeps until it is woken: everybody is idle */
struct vw_span {
  int64_t t0, t1;  /* t1 of the last is the end of the trace */
  uint64_t no;     /* event that began it */
  uint64_t end_no; /* event that ended it, VW_NONE if the trace did */
  uint32_t g, m;   /* 0 / TRACE_NO_M none */
  uint16_t p;      /* TRACE_NO_P none */
  uint8_t state;   /* enum vw_state */
  uint8_t depth;   /* overlays: nesting, 0 outermost */
  /* What it means depends on the state: waiting: the WAIT; runnable: the STOP of a G that was stopped, else 0;
   * sysmon: ns between its rounds, at most VW_SYSMON_DEEP - 1, 0 not told yet, or VW_SYSMON_DEEP.  Overlays: the CAUSE
   * of a deferred call, the depth of a panic, the string id of a region's name. */
  uint32_t why;
};

enum vw_mark_kind { /* instants that stay visible at every zoom, in order of importance */
  VW_MARK_FAULT,    /* first: what comes of it, often at once, is told in words too */
  VW_MARK_FATAL,
  VW_MARK_PANIC,
  VW_MARK_RECOVER,
  VW_MARK_LOST,
  VW_MARK_PREEMPT,
  VW_MARK_RETAKE,
  VW_MARK_STEAL,
  VW_MARK_TIMER,
  VW_MARK_STW,
  VW_MARK_USER,
  VW_MARK_KINDS,
};
struct vw_mark {
  int64_t ts;
  uint64_t no;
  uint32_t g;
  uint8_t kind; /* enum vw_mark_kind */
};

struct vw_lane {
  enum vw_lane_kind kind;
  uint32_t id;
  bool is_sysmon;       /* an M without a P, which watches the others */
  uint32_t tid;         /* of an M's thread; 0: unknown, or no M's lane */
  const char *title;    /* "M2", "P0", "G17" */
  const char *subtitle; /* "thread 4711", "", "worker" */
  const struct vw_span *spans;
  size_t n_spans; /* disjoint, in time order, gaps are VW_STATE_NONE */
  const struct vw_span *overlays;
  size_t n_overlays; /* by t0 */
  const struct vw_mark *marks;
  size_t n_marks; /* by ts */
};
size_t vw_lane_count(const struct vw_trace *trace, enum vw_lane_kind kind);
const struct vw_lane *vw_lane(const struct vw_trace *trace, enum vw_lane_kind kind, size_t i);
/* Index of the lane of this M, P or G, or -1. */
long vw_lane_of(const struct vw_trace *trace, enum vw_lane_kind kind, uint32_t id);
/* Index of the span that covers t, or of the first after it; n_spans if none. Overlays likewise by t0. */
size_t vw_span_at(const struct vw_lane *lane, int64_t t);

/* ---- arrows ---- */
enum vw_arrow_kind {
  VW_ARROW_WAKE,   /* from who made a G ready to where the G then ran */
  VW_ARROW_PARK,   /* from where a G parked to where it ran next: the G's own thread of life */
  VW_ARROW_CREATE, /* from the creator to the new G's first run */
  VW_ARROW_STEAL,  /* from the victim P's lane to the thief's */
  VW_ARROW_MWAKE,  /* from the M that woke another to its waking */
  VW_ARROW_RETAKE, /* a P taken from an M in a system call */
  VW_ARROW_KINDS,
};
struct vw_arrow_end {
  int64_t ts;
  uint64_t no;
  uint32_t m, g; /* TRACE_NO_M / 0 none */
  uint16_t p;
};
struct vw_arrow {
  struct vw_arrow_end from, to; /* to.no is VW_NONE if it never came to pass */
  uint8_t kind;
};
/* All arrows by from.ts. */
const struct vw_arrow *vw_arrows(const struct vw_trace *trace, size_t *n);
/* Index of the arrow that begins or ends at an event, or -1: for walking along with [ and ]. */
long vw_arrow_into(const struct vw_trace *trace, uint64_t no);   /* ends at no */
long vw_arrow_out_of(const struct vw_trace *trace, uint64_t no); /* begins at no */

/* ---- panics ---- */
enum vw_outcome {
  VW_OUTCOME_OPEN,
  VW_OUTCOME_RECOVERED,
  VW_OUTCOME_FATAL,   /* the process died of it */
  VW_OUTCOME_ABORTED, /* a newer one took over, and was recovered or fatal */
  VW_OUTCOME_GOEXIT,
};
struct vw_panic_step {
  uint64_t no;
  int64_t ts;
  uint32_t frame;
  uint32_t depth;
  uint64_t fn;   /* deferred call, 0 none */
  uint16_t kind; /* enum trace_kind: panic_begin, panic_walk, defer_begin, defer_end, ... */
};
struct vw_panic_path {
  uint32_t g;
  uint32_t depth;
  const char *value;         /* "boom"; "Goexit" */
  uint64_t begin_no, end_no; /* end_no VW_NONE if open */
  int64_t t0, t1;
  enum vw_outcome outcome;
  uint32_t recovered_frame;
  /* The panic's own, and after its end the deferred calls that the frame which it was recovered into still ran. */
  const struct vw_panic_step *steps;
  size_t n_steps;
};
const struct vw_panic_path *vw_panics(const struct vw_trace *trace, size_t *n);

/* ---- why a G does not run ----
 * What it waits for, who made it ready, behind whom it stood, and what the Ps did meanwhile: as a struct, and as sentences
 * of which each names its event. */
#define VW_WHY_AHEAD  4 /* Gs that are named; of all it is told how many */
#define VW_WHY_PLACES 4
#define VW_WHY_PARTS  4
#define VW_WHY_PS     8

enum vw_why_kind { /* what the G does at the event */
  VW_WHY_ABSENT,   /* it is not made yet, or ended */
  VW_WHY_LOST,     /* its events are missing there */
  VW_WHY_RUNS,     /* it does run */
  VW_WHY_RUNNABLE, /* it could */
  VW_WHY_WAITS,    /* it parked */
  VW_WHY_SYSCALL,  /* it is in a system call */
};

struct vw_why_place { /* where it stood while it was runnable */
  uint64_t no;        /* event that put it there */
  enum trace_place place;
  uint32_t id;                  /* the P */
  uint32_t n_ahead;             /* Gs that are to be taken before it */
  uint32_t ahead[VW_WHY_AHEAD]; /* the first of them, in order */
};

struct vw_why_part { /* of a P's time */
  uint8_t state;     /* enum vw_state */
  uint32_t g;        /* that ran or was in a system call; 0 none */
  int64_t ns;
  uint64_t no; /* event that began the first stretch of it */
};
struct vw_why_p {
  uint32_t id;
  uint32_t n_parts;
  struct vw_why_part parts[VW_WHY_PARTS]; /* longest first */
  uint32_t n_others;                      /* parts that are left out */
  int64_t others_ns;
};

/* One stay out of running, from its begin to the next run.  Numbers are VW_NONE where nothing of the kind happened
 * until the trace's end; the time beside one is the end's then. */
struct vw_why {
  uint32_t g;
  uint64_t no; /* the event that is asked about */
  enum vw_why_kind kind;
  uint64_t begin_no, ready_no, run_no;
  int64_t begin, ready, run;
  bool breaks_off; /* its events are missing from `run` on: that it ran then is not told */
  bool has_losses; /* events of some M were lost meanwhile */
  bool has_more;   /* places after the last one, or too long a stay to look through */
  uint32_t n_places;
  struct vw_why_place places[VW_WHY_PLACES]; /* as they were when it came there */
  struct vw_why_place
      now; /* at the event, if it was runnable then: others may have come before it */
  uint32_t n_ps, n_more_ps; /* while it was runnable */
  struct vw_why_p ps[VW_WHY_PS];
};

/* Asks about the state after an event.  Costs a replay of what happened while it was runnable, tens of milliseconds at
 * most.  False: out of memory. */
bool vw_why_ask(struct vw_trace *trace, uint32_t g, uint64_t no, struct vw_why *why);

struct vw_why_line {
  char key[16]; /* "since", "P0"; "" for the answer itself */
  uint64_t no;  /* event that it rests on, VW_NONE none */
  char text[512];
};
#define VW_WHY_LINES (12 + VW_WHY_PLACES + VW_WHY_PS)
/* The answer in sentences, first the answer itself, then what it rests on in order of time. Returns how many. */
size_t vw_why_lines(struct vw_trace *trace, const struct vw_why *why,
                    struct vw_why_line lines[VW_WHY_LINES]);
