/* SPDX-License-Identifier: MIT */
/* trace-replay-state.h - the insides of a replay; private to this folder.
 *
 * Who may be wrong.  Every check ends in trace_broken(), which alone decides whether a contradiction counts:
 *   - rules of a family that was lost or switched off at some time are not counted (`trusted`);
 *   - a thing that is `wild` was adopted: what an event says about it is believed once.
 * After the check the event is made true by force, so that a reader can go on.
 *
 * Which events of different Ms may stand in the wrong order, and why (everything else may not):
 *   W1  runq_steal, runq_get (the taker stamps after its CAS) against later changes of the same queue.
 *       So takes are matched by index, in any order; see trace-replay-runq.c.
 *   W2  proc_steal (stamped after the P was taken) against the syscall end of the M that lost it.
 *       So an M may find its P gone first; the P is `steal_due` until its proc_steal comes.
 * Requests, signals and what netpoll finds are stamped before they take effect, so they are counted (n_asked, n_sent,
 * found_by) and never forgotten by time. All other rules about more than one event are about events of one M.
 */
#pragma once
#include "trace-args.h"
#include "trace-replay.h"
#include "trace-store.h"

/* A growable array of plain things. */
struct trace_array {
  void *items;
  uint32_t n, capacity;
};
/* Room for one more thing of `size` bytes at the end, zeroed and counted; NULL: out of memory. */
void *trace_array_add(struct trace_array *a, size_t size);
bool trace_array_copy(struct trace_array *to, const struct trace_array *from, size_t size);

struct rep_g {
  struct trace_g pub;
  struct trace_array defers, panics, calls;
  uint64_t place_index; /* index in a ring, or place in the global queue */
  uint32_t n_regions;
  bool wild;          /* adopted: status and place unknown until the next event tells */
  bool place_unknown; /* told runnable when recording began, but not yet where */
  bool seq_known;
  bool theft_due;  /* W1: was kicked out of runnext by a thief whose event is still to come */
  bool has_popped; /* popped is a deferred call that is about to begin */
  int64_t due_since;
  uint32_t due_noticed_by; /* M */
  struct trace_defer popped;
  bool
      keeps_slice; /* in hand, from this P's runnext or because it could not park: it goes on with its slice */
  bool without_p;    /* it was made runnable by an M without a P, and then was `before` until now */
  uint32_t before;   /* GSTATUS */
  uint32_t n_asked;  /* requests to stop that it may still obey */
  uint64_t scan_no;  /* the stop of the world in which its stack was visited last */
  uint32_t found_fd; /* by its being ready */
  uint32_t found_by; /* the M whose netpoll found it, which will make it ready; plus 1, 0 none */
  /* What its panic must do next (trace-replay-panic.c). */
  bool run_due;        /* its walk said that it runs a deferred call of run_frame */
  bool recovery_due;   /* the call that recovered ended: control goes back to recovery_frame */
  bool nested_due;     /* a panic began within another: panic_nested comes next */
  bool is_fatal;       /* nobody recovered */
  uint32_t aborts_due; /* older panics that the recovery dropped are still to be told */
  uint32_t run_frame, recovery_frame, aborted_by;
};

/* Whom an M put into its own hand, and what it does with him at once (trace-replay-next.c). */
enum hand_due {
  HAND_FREE,
  HAND_READY, /* he was made, or made ready: he is queued, or starts */
  HAND_TAKEN, /* he was taken from a queue: he starts, or is handed to the M that he is locked to */
  HAND_KICKED,  /* he was kicked out of runnext: to the ring's tail */
  HAND_YIELDED, /* he yielded: to the global queue */
  HAND_GAVE_WAY /* he gave way to the one in runnext: to the ring's tail */,
  HAND_OBEYED, /* he obeyed a request: to the global queue, or into runnext while the world stops */
};

struct rep_m {
  struct trace_m pub;
  bool wild;       /* adopted: P and G unknown */
  bool created;    /* m_create or a status was seen */
  bool spoke;      /* it wrote a record other than of the trace itself */
  bool wake_spins; /* who woke it says that it spins */
  bool seq_known;
  bool reacquired;  /* got a P while its G was still in the system call */
  bool is_woken;    /* m_wake was said, and the M did not wake yet */
  bool stop_due;    /* its G obeyed a request: go_stop comes next */
  bool has_obeyed;  /* and this is it */
  bool has_landed;  /* a signal landed and stopped its G: preempt_taken comes next */
  bool asked_slice; /* it asked a G whose time slice is used up: sysmon_retake says so next */
  bool is_sysmon;   /* it told what only sysmon does */
  bool begin_due;   /* it popped a deferred call: defer_begin comes next */
  bool pop_due;     /* its frame has more deferred calls: defer_pop comes next */
  bool walk_due; /* its panic began, looked at a frame, or ran a call that ended: it goes on next */
  bool leave_due;     /* it stopped spinning because the world stops: proc_stop comes next */
  bool spin_due;      /* it was woken to spin and has its P: m_spinning_begin comes next */
  bool scan_due;      /* it changed a heap in a scan: more of it, or timer_heapify, comes next */
  bool heap_due;      /* its timer fired: what becomes of its entry comes next */
  uint16_t last_kind; /* its last event, but those of the trace itself and of preemption */
  uint8_t hand_due;   /* enum hand_due: what must become of hand_g next */
  uint32_t hand_g;
  uint32_t
      session;    /* heap whose due timers it runs, all by one look at its clock; TRACE_NO_P none */
  uint32_t made;  /* timer that it made and that is set next; 0 none */
  uint32_t fired; /* timer that fired and whose function has told nothing yet; 0 none */
  uint32_t function;          /* timer whose function this very event is the first of; 0 none */
  bool alloc_due, alloc_done; /* a defer record was made: its defer_push comes next */
  bool recycle_due,
      recycle_done;     /* a pooled defer record was popped: it goes back to the pool next */
  bool has_ended;       /* it said trace_end */
  uint32_t woken_by;    /* the M that woke it last */
  uint32_t next_p;      /* the P that it was handed with that, TRACE_NO_P none */
  uint32_t retake_due;  /* sysmon takes this P next, TRACE_NO_P none */
  uint32_t runs_heap;   /* another P whose timers it runs, TRACE_NO_P none */
  uint32_t n_sent;      /* signals sent to it that did not land yet */
  uint32_t n_ps;        /* Ps in its hand */
  uint32_t n_found;     /* Gs that its netpoll found and that it did not make ready yet */
  int64_t search_since; /* its last event of before it looked at the timers' clock */
  int64_t fired_now;    /* what that clock showed when its last timer fired */
  uint32_t prev_g;      /* ran last */
  uint32_t n_hand;      /* runnable Gs in its hand that nobody else could start */
  uint64_t idle_no;     /* order of parking */
  /* a string or stack under way */
  uint16_t part_kind; /* that must come next, or TRACE_KIND_NONE */
  uint32_t part_id, parts_left, n_bytes;
  struct trace_array bytes;
};

struct rep_p {
  struct trace_p pub;
  bool wild; /* adopted: status and holder unknown */
  bool idle_listed;
  bool seq_known;
  bool pool_known;    /* pool_len was counted from the start */
  bool steal_due;     /* W2 */
  uint32_t hand_m;    /* in whose hand it is while no M holds it, TRACE_NO_M if not known */
  uint32_t handed_by; /* the M that handed it to that one, TRACE_NO_M if none */
  uint32_t lost_by;   /* the M that found it gone */
  int64_t due_since;
  uint64_t idle_no; /* order of going idle */
  /* ring: ids of [low, tail), 0 where taken */
  uint32_t *ring;
  uint32_t ring_capacity;         /* 0 or a power of two */
  uint32_t low, tail, owed_until; /* indices below owed_until can only be taken by thieves (W1) */
  int64_t owed_since;
  uint32_t owed_noticed_by;  /* M */
  enum trace_rule owed_rule; /* that is broken if somebody else takes them */
  bool tail_known;
  /* timer heap */
  struct trace_array heap; /* struct rep_entry */
  uint32_t scan_at;        /* where a scan goes on: it looks at each entry once, from 0 on */
  bool unordered;          /* a scan changed it, and heapify is still to come */
  uint32_t firing;         /* the timer that fired, whose removal or update comes next; 0 none */
};

struct rep_entry {
  int64_t key;
  struct rep_timer *timer; /* never moves; mended by clone */
};

struct rep_timer {
  struct trace_timer pub;
  bool modified, zombie, fired;
  bool is_made; /* timer_new or timer_status was seen */
};

struct rep_object {
  uint32_t what, name, ordinal, capacity;
};

/* A string's bytes: never changed, so clones share them. */
struct trace_text_blob;

struct rep_string {
  struct trace_text_blob *blob;
};

struct trace_replay {
  struct trace_store gs, ms, ps, timers, objects, strings;
  struct trace_map stacks, tasks; /* sets */
  uint32_t n_objects[16];         /* by OBJKIND */
  /* the global queue: ids of [global_head, global_tail), 0 where taken */
  uint32_t *global;
  uint64_t global_capacity, global_head, global_tail;
  struct trace_world world;
  uint32_t trusted;      /* families that were told without a gap so far */
  bool adopting;         /* things never told of are adopted */
  bool began_from_start; /* trace_begin said so */
  uint32_t n_scanned;    /* stacks visited since it stands */
  uint64_t n_stops;      /* of the world, so far */
  bool has_ms, has_gs;   /* one was made */
  uint32_t procs_told;   /* by the last procs_change; 0 none yet */
  uint64_t n_parks, n_idles;
  int64_t loss_from; /* nothing is trusted from this time on */
  uint64_t breaches, losses;
  bool broke; /* in this apply */
  struct trace_breach breach;
  const struct trace_event *event;       /* being applied */
  uint8_t word_checks[TRACE_KIND_LIMIT]; /* bits of words that have a range */
};

/* ---- saying what is wrong ---- */

/* Notes a broken rule, if its family can be trusted. */
__attribute__((format(printf, 3, 4))) void
trace_broken(struct trace_replay *r, enum trace_rule rule, const char *format, ...);
#define TRACE_PHRASE 96
/* "running on M2", "waiting (sleep)", "runnable in P1's ring": for sentences. Returns out. */
const char *trace_g_phrase(const struct rep_g *g, char out[TRACE_PHRASE]);
const char *trace_p_phrase(const struct rep_p *p, char out[TRACE_PHRASE]);
const char *trace_m_phrase(const struct rep_m *m, char out[TRACE_PHRASE]);
/* "P3" or "no P". */
const char *trace_p_name(uint32_t p, char out[TRACE_PHRASE]);

/* ---- things ---- */

/* The thing, adopted if it was not known: then, unless everything is being adopted, `rule` is broken.
 * NULL: the id is none, or out of memory (both said). */
struct rep_g *trace_need_g(struct trace_replay *r, uint32_t goid, enum trace_rule rule);
struct rep_m *trace_need_m(struct trace_replay *r, uint32_t id);
struct rep_p *trace_need_p(struct trace_replay *r, uint32_t id, enum trace_rule rule);
struct rep_timer *trace_need_timer(struct trace_replay *r, uint32_t id);
struct rep_g *trace_new_g(struct trace_replay *r, uint32_t goid, uint32_t status);
void trace_drop_g(struct trace_replay *r, struct rep_g *g);
/* The running G of an event, by its record; it must be what its M runs. NULL as above. */
struct rep_g *trace_subject(struct trace_replay *r, struct rep_m *m);

/* Makes what the outside sees of g's three stacks agree with them. */
void trace_publish_stacks(struct rep_g *g);

static inline struct trace_defer *trace_newest_defer(const struct rep_g *g)
{
  return g->defers.n ? (struct trace_defer *)g->defers.items + g->defers.n - 1 : NULL;
}

static inline struct trace_call *trace_innermost_call(const struct rep_g *g)
{
  return g->calls.n ? (struct trace_call *)g->calls.items + g->calls.n - 1 : NULL;
}

static inline struct trace_panic *trace_newest_panic(const struct rep_g *g)
{
  return g->panics.n ? (struct trace_panic *)g->panics.items + g->panics.n - 1 : NULL;
}

/* Control is in the newest panic itself, between two of the deferred calls that it runs: not in one of them. */
static inline bool trace_in_panic(const struct rep_g *g)
{
  const struct trace_panic *panic = trace_newest_panic(g);
  const struct trace_call *call = trace_innermost_call(g);
  return panic && (!call || call->panic_depth < panic->depth);
}

/* The running G of a defer or panic event, which must be what its panics make it do next. NULL as above. */
struct rep_g *trace_defering_g(struct trace_replay *r, enum trace_rule rule);
/* Room for one more thing on one of its three stacks; NULL: it was said. */
void *trace_stack_add(struct trace_replay *r, struct trace_array *a, size_t size);

/* The only ways to change these states; they keep the counts of the world. */
void trace_set_g(struct trace_replay *r, struct rep_g *g, uint32_t status);
void trace_set_m(struct trace_replay *r, struct rep_m *m, uint32_t status);
void trace_set_p(struct trace_replay *r, struct rep_p *p, uint32_t status);
void trace_set_place(struct trace_replay *r, struct rep_g *g, enum trace_place place, uint32_t id,
                     uint64_t index);
/* m runs g from now on (or is in a system call for it); NULL: nothing. */
void trace_bind_g(struct trace_replay *r, struct rep_m *m, struct rep_g *g);
/* m holds p from now on; NULL: none. */
void trace_bind_p(struct trace_replay *r, struct rep_m *m, struct rep_p *p);

/* p, which no M holds, is in m's hand; TRACE_NO_M: not known in whose. */
void trace_hand_p(struct trace_replay *r, struct rep_p *p, uint32_t m);

static inline bool trace_trusts(const struct trace_replay *r, uint32_t family)
{
  return (r->trusted & family) != 0;
}

/* What depends on all that happened before can be judged, by events of these families. */
static inline bool trace_judges(const struct trace_replay *r, uint32_t families)
{
  return (r->trusted & families) == families && r->began_from_start && !r->adopting;
}

/* seq must be the next one of g, or of p. */
void trace_check_g_seq(struct trace_replay *r, struct rep_g *g, uint32_t seq);
void trace_check_p_seq(struct trace_replay *r, struct rep_p *p, uint32_t seq);
/* m, in a system call, finds that its P was taken from it (W2). */
void trace_p_gone(struct trace_replay *r, struct rep_m *m);
static inline bool trace_place_open(const struct rep_g *g)
{
  return g->wild || g->place_unknown;
}

/* ---- what each event does: one function a kind, in the file of its family ---- */
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                     \
  void trace_on_##name(struct trace_replay *r, struct rep_m *m, const struct trace_event *e);
#include "events.def"
#undef EVENT

/* A record's P and G against what its M holds and runs. */
void trace_check_record(struct trace_replay *r, struct rep_m *m, const struct trace_event *e);
/* A record of m against what m must do next. */
void trace_check_next(struct trace_replay *r, struct rep_m *m, const struct trace_event *e);
/* Who stops the world neither parks nor takes an idle P before it starts again. */
void trace_check_may_leave(struct trace_replay *r, const struct rep_m *m);
/* m has this G in its hand, and does next what is due. */
void trace_hand_due(struct trace_replay *r, struct rep_m *m, uint32_t goid, enum hand_due due);
/* The same for what the deferred calls and panics of g make it do next, where g stops or ends. */
void trace_check_panic_rest(struct trace_replay *r, const struct rep_g *g);
/* The program ends on m. */
void trace_check_panic_end(struct trace_replay *r, const struct rep_m *m, uint32_t exit_code);
/* A record of m that is not the part that must come next. */
void trace_string_cut(struct trace_replay *r, struct rep_m *m);
void trace_blob_unref(struct trace_text_blob *blob);
struct trace_text_blob *trace_blob_ref(struct trace_text_blob *blob);
const char *trace_blob_text(const struct trace_text_blob *blob, size_t *length);
void trace_finish_runq(struct trace_replay *r);
