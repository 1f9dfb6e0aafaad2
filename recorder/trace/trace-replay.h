/* SPDX-License-Identifier: MIT */
/* trace-replay.h - the scheduler's whole state, rebuilt from events; and the validator, which is the same.
 *
 * Applying an event checks that the state it leaves is the one that it must leave, then makes the new
 * one.  So "is this trace right?" (gmpscope check), "what was the state at t?" (gmpscope state, the viewer's
 * panels) and stepping are one piece of code, and a picture can never disagree with the check.
 *
 * Rules have short stable names ("g.start", "runq.get", "timer.order"): tests and fixtures cite them; the
 * list, with a sentence each, is TRACE_RULES in this header.
 *
 * A trace may begin anywhere: status events (go_status, proc_status, ...) make things exist.  With
 * from_start = 0 a thing never told of is adopted at its first mention, silently, until trace_status_done.
 * From the first loss on (event.seq jumps, or a `lost` record) no family of any M can be trusted: what the others did
 * depends on what was lost.  The replay goes on, a contradiction re-synchronises, and no rule is judged any more, to
 * the end; trace_replay_losses() says that there was one.
 *
 * Independent of the runtime on purpose: it includes nothing of it and shares no algorithm with it, so
 * that a wrong heap sift or queue there cannot hide here.
 *
 * Timer heaps, exactly (Go's time.go is the model). A heap is an array of (key, timer); the children of i are
 * 4i+1 ... 4i+4; "least" is the leftmost of the least; an entry moves only if it is strictly less.
 *   sift up i     while i > 0 and key(i) < key((i-1)/4): exchange with the parent
 *   sift down i   while the least child c of i has key(c) < key(i): exchange with c
 *   add           append with key = when, sift up the last
 *   modify, stop  the entry stays where it is with its old key; the timer has another time, or is a zombie
 *   wait          likewise: nobody waits on its channel: it is a zombie; waited for again: it is none, its key is right
 *   update ROOT   key(0) = the timer's time, sift down 0             (a modified timer came to the root)
 *   update SCAN   key(place) = the timer's time, no sift              (adjust; heapify follows)
 *   update FIRED  as ROOT, of a periodic timer: fire, modify with its next time, update FIRED
 *   remove ROOT   the last entry replaces entry 0, sift down 0       (a zombie came to the root)
 *   remove FIRED  as ROOT, of a one-shot timer: fire, remove FIRED
 *   fire, no heap a channel timer in no heap, or a zombie: nothing moves
 *   remove SCAN   the last entry replaces entry `place`, no sift      (adjust; heapify follows)
 *   remove TAIL   the last entry is cut off                           (cleanHead)
 *   heapify       for i = parent of the last entry down to 0: sift down i; n is the number of entries
 *   move          all entries, as they are, appended in array order to the other heap, which is heapified
 *   check         n, and FNV-1a 64 over the timers' ids, each as 4 bytes little-endian, in array order
 * After a SCAN step nothing but SCAN steps may happen to the heap before its heapify.
 *
 * Stamps. What a transition takes (from a queue, a P by stealing) is stamped after it was taken, what it gives
 * is stamped before it can be seen; queues under sched.lock, heaps under their lock.  Only two pairs of
 * events of different Ms may then stand in the wrong order, and are understood (trace-replay-state.h).
 *
 * Cost: O(1) per event (hash look-ups), O(log n) for heaps; memory: live Gs, queued Gs, timers, defers.
 */
#pragma once
#include "trace-event.h"

/* X(NAME, "name", "what must hold") */
/* clang-format off */
#define TRACE_RULES(X)                                                                                  \
  X(RECORD, "record", "a record's kind exists and its words are in range")                              \
  X(TIME, "time", "time never goes back within an M, nor in the whole trace")                           \
  X(G_CREATE, "g.create", "a new G is dead or unknown before, and its id is not 0")                     \
  X(G_START, "g.start", "a G that starts is runnable, in this M's hand, and the M has a P and no G")    \
  X(G_SEQ, "g.seq", "a G's sequence number is the next one")                                            \
  X(G_RUNNING, "g.running", "who stops, parks, ends or enters a system call is the G this M runs")      \
  X(G_UNBLOCK, "g.unblock", "who is made ready is waiting")                                             \
  X(G_SYSCALL, "g.syscall", "who leaves a system call is in one, with or without its P as it says")     \
  X(G_END, "g.end", "a G that ends has no deferred call and no panic left")                             \
  X(M_CREATE, "m.create", "an M is created once, as the first event of its ring")                       \
  X(M_PARK, "m.park", "an M parks awake, with no P and no G, and wakes parked")                         \
  X(M_WAKE, "m.wake", "an M wakes because another one woke it, and takes the P that it was handed")     \
  X(M_SPIN, "m.spin", "an M begins spinning not spinning, and ends it spinning")                        \
  X(M_POLL, "m.poll", "only one M at a time is asleep in netpoll, and it has no G and no P")            \
  X(M_RECORD, "m.record", "a record's P and G are those that its M holds and runs")                     \
  X(P_START, "p.start", "a P that is acquired has no M, is not idle-listed, stopped or dead, and the M has none") \
  X(P_STOP, "p.stop", "a P is released by the M that holds it")                                         \
  X(P_STEAL, "p.steal", "a P is taken from an M whose G is in a system call")                           \
  X(P_HAND, "p.hand", "a P that no M holds is in one M's hand, idle or stopped, and in none when that M sleeps") \
  X(P_SEQ, "p.seq", "a P's sequence number is the next one")                                            \
  X(P_IDLE, "p.idle", "a P goes on the idle list when no M has it and its queue is empty, and off it when it is on it") \
  X(P_STOPPED, "p.stopped", "a P is stopped and restarted only while the world is stopping or stopped") \
  X(RUNQ_PUT, "runq.put", "a G that is queued is runnable and in this M's hand")                        \
  X(RUNQ_RING, "runq.ring", "ring indices are the next ones, and never more than 256 apart")            \
  X(RUNQ_GET, "runq.get", "a G that is taken was at just that place")                                   \
  X(RUNQ_ONCE, "runq.once", "a runnable G is on one queue or in one M's hand")                          \
  X(TIMER_OWNER, "timer.owner", "a timer is in at most one heap, and changes where it is")              \
  X(TIMER_ORDER, "timer.order", "no entry of a heap is earlier than its parent")                        \
  X(TIMER_FIRE, "timer.fire", "a timer fires from the root, not before its time, and not when stopped") \
  X(TIMER_CHECK, "timer.check", "the heap rebuilt from events equals the runtime's")                    \
  X(DEFER_POOL, "defer.pool", "a P's pool of defer records has as many as came and went")               \
  X(DEFER_CHAIN, "defer.chain", "deferred calls are popped newest first, each as it was pushed")        \
  X(DEFER_CALL, "defer.call", "a deferred call begins after its pop and ends once")                     \
  X(PANIC_ORDER, "panic.order", "a panic ends as it must: recovered once a call recovered, fatal once no call is left") \
  X(PANIC_DEPTH, "panic.depth", "panics nest: depth counts up by one and down as they end")             \
  X(PANIC_WALK, "panic.walk", "a panic walks outwards: frames never get deeper")                        \
  X(RECOVER, "panic.recover", "recover counts only in a deferred call run by an unrecovered panic")     \
  X(RECOVERED, "panic.recovered", "control returns only after a recover that counts")                   \
  X(STW, "stw", "the world stops once at a time, and is stopped when every P is")                       \
  X(NETPOLL, "netpoll", "who netpoll finds is made ready by the M that found him, all of them")         \
  X(PREEMPT, "preempt", "a G that obeys a request stops next")                                          \
  X(RETAKE, "sysmon.retake", "sysmon takes the P that it says it takes")                           \
  X(END, "trace.end", "the program ends once, and not in the middle of a transition")                   \
  X(TASK, "task", "tasks and regions end after they began")                                             \
  X(TABLE, "table", "strings and stacks are told whole and once")                                       \
  X(LOST, "lost", "a gap in sequence numbers equals the loss that is told")
/* clang-format on */

enum trace_rule {
  TRACE_RULE_NONE,
#define X(NAME, name, text) TRACE_RULE_##NAME,
  TRACE_RULES(X)
#undef X
  TRACE_RULE_LIMIT,
};
const char *trace_rule_name(enum trace_rule rule);
const char *trace_rule_text(enum trace_rule rule);

/* The first broken rule, or the one just broken. */
struct trace_breach {
  enum trace_rule rule;
  uint64_t event_no; /* number of the event in time order, from 1 */
  struct trace_event event;
  bool by_fault;      /* a fault switched on for demonstration did it, and said so */
  char sentence[240]; /* "G7 starts on M2, but it is waiting (sleep)" */
};

enum trace_place { /* where a runnable G is */
  TRACE_PLACE_NOWHERE,
  TRACE_PLACE_HAND, /* place_id: the M */
  TRACE_PLACE_RING, /* place_id: the P */
  TRACE_PLACE_NEXT, /* place_id: the P */
  TRACE_PLACE_GLOBAL,
};

struct trace_defer {
  uint64_t fn;
  uint32_t frame;
  uint32_t record; /* DEFERKIND */
};

struct trace_panic {
  uint32_t depth;
  uint32_t value;      /* string id */
  uint32_t frame;      /* that called panic */
  uint32_t walked_to;  /* frame that it looks at now */
  uint32_t supersedes; /* depth, 0 none */
  bool is_goexit;
  bool recovered;        /* a recover that counts was called */
  uint64_t recovered_by; /* the deferred call that it was called in, 0 unknown */
  uint8_t walked;        /* WALK of its last step, plus 1; 0 none yet */
};

struct trace_call { /* a deferred call that runs now */
  uint64_t fn;
  uint32_t frame;
  uint32_t because; /* CAUSE */
  uint32_t panic_depth;
};

struct trace_g {
  uint32_t goid;
  uint32_t status; /* GSTATUS */
  uint32_t why;    /* WAIT while waiting, STOP after go_stop */
  uint32_t parent;
  uint64_t obj; /* waited for */
  uint64_t fn;
  int64_t since; /* ts of the last change of status */
  int64_t created;
  uint32_t name; /* string id, 0 none */
  uint32_t seq;
  uint32_t m;        /* running or in a system call; else the last one, TRACE_NO_M if none */
  uint32_t p;        /* likewise, TRACE_NO_P if none */
  uint32_t locked_m; /* TRACE_NO_M if none */
  uint32_t waker;    /* goid that made it ready last, 0 none or g0 */
  uint64_t wake_no;  /* event number of that */
  enum trace_place place;
  uint32_t place_id;
  uint32_t n_defers, n_panics, n_calls;
  const struct trace_defer *defers; /* newest last; valid until the next apply */
  const struct trace_panic *panics; /* newest last */
  const struct trace_call *calls;   /* innermost last */
};
#define TRACE_NO_M UINT32_MAX

struct trace_m {
  uint32_t id;
  uint32_t tid;
  uint32_t status; /* MSTATUS */
  uint32_t g;      /* running, or in a system call; 0 none */
  uint32_t p;      /* TRACE_NO_P none */
  uint32_t locked_g;
  int64_t since;
  int64_t last_ts;
  uint64_t next_seq;
};

struct trace_p {
  uint32_t id;
  uint32_t status; /* PSTATUS; RUNNING also while its G is in a system call */
  uint32_t m;      /* TRACE_NO_M none */
  uint32_t seq;
  int64_t since;
  uint32_t runnext;  /* goid, 0 none */
  uint32_t n_ring;   /* Gs in the ring */
  uint32_t n_timers; /* entries of the heap, zombies too */
  uint32_t pool_len; /* defer records, when known */
};

struct trace_heap_entry {
  int64_t key; /* by which it is ordered */
  uint32_t timer;
  bool modified; /* another time is pending */
  bool zombie;   /* stopped, or nobody waits on its channel: trace_zombie_why */
  int64_t when;  /* pending time; 0: none */
};

struct trace_timer {
  uint32_t id;
  uint32_t what;  /* TIMERKIND */
  uint32_t owner; /* goid */
  uint32_t heap;  /* P, TRACE_NO_P if in none */
  int64_t when;   /* time it is armed for; 0 when not armed */
};

struct trace_world {
  int64_t ts; /* of the last event */
  uint64_t n_events;
  uint32_t n_procs;
  uint32_t n_gs, n_ms, n_ps, n_timers; /* live */
  uint32_t n_global;                   /* global run queue */
  uint32_t n_idle_ps, n_idle_ms, n_spinning;
  uint32_t polling_m; /* TRACE_NO_M none */
  bool stopping, stopped;
  uint32_t stopper;     /* the M that stops the world; TRACE_NO_M: unknown, or none does */
  uint32_t stop_why;    /* STWWHY */
  uint32_t stop_reason; /* string id: in the program's words; 0 none */
  uint32_t categories;
  uint32_t n_by_status[8];
};

struct trace_replay;

struct trace_replay *trace_replay_new(void); /* NULL: out of memory */
void trace_replay_free(struct trace_replay *r);
/* A deep copy, for checkpoints. NULL: out of memory. */
struct trace_replay *trace_replay_clone(const struct trace_replay *r);
/* Bytes that r takes, roughly: what a checkpoint of it costs. */
size_t trace_replay_size(const struct trace_replay *r);

/* Applies the next event in time order. False: a rule is broken; trace_replay_breach() tells which. The
 * event is applied all the same, as well as can be, so that a reader can go on. */
bool trace_replay_apply(struct trace_replay *r, const struct trace_event *e);
/* Says that a loss begins at ts, as the reader knows from the books of a ring before the `lost` record (if one
 * comes at all: not when the program ended with its ring full). The least ts said counts: from it on other Ms
 * speak of what was lost, so contradictions re-synchronise. Call it before the first event. */
void trace_replay_expect_loss(struct trace_replay *r, int64_t ts);
/* Says that only these families were recorded, all along. Rules that need another one are not checked. */
void trace_replay_expect_families(struct trace_replay *r, uint32_t mask);
/* At the end of the trace: rules that only the end can break. complete: the program said trace_end. */
bool trace_replay_finish(struct trace_replay *r, bool complete);
/* The breach found by the last apply or finish that returned false. */
const struct trace_breach *trace_replay_breach(const struct trace_replay *r);
uint64_t trace_replay_breaches(const struct trace_replay *r); /* how many in all */
uint64_t trace_replay_losses(const struct trace_replay *r);   /* events told lost */

/* Looking. Pointers are borrowed and valid until the next apply. NULL: no such thing. */
const struct trace_world *trace_replay_world(const struct trace_replay *r);
const struct trace_g *trace_replay_g(const struct trace_replay *r, uint32_t goid);
const struct trace_m *trace_replay_m(const struct trace_replay *r, uint32_t id);
const struct trace_p *trace_replay_p(const struct trace_replay *r, uint32_t id);
const struct trace_timer *trace_replay_timer(const struct trace_replay *r, uint32_t id);
/* Ids in increasing order, up to n, of all live Gs / Ms / Ps from `from` on; returns how many. */
size_t trace_replay_gs(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n);
size_t trace_replay_ms(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n);
size_t trace_replay_ps(const struct trace_replay *r, uint32_t from, uint32_t *ids, size_t n);
/* Goids in order, head first: a P's ring (at most 256), or the global queue. Returns how many. */
size_t trace_replay_ring(const struct trace_replay *r, uint32_t p, uint32_t *goids, size_t n);
size_t trace_replay_global(const struct trace_replay *r, uint32_t *goids, size_t n);
/* A P's heap as its array: entry i's children are 4i+1 ... 4i+4. Returns how many. */
size_t trace_replay_heap(const struct trace_replay *r, uint32_t p, struct trace_heap_entry *out,
                         size_t n);
/* What made a zombie one, in words. */
const char *trace_zombie_why(const struct trace_heap_entry *zombie);
/* Idle Ps, and idle Ms, most recently idled first. */
size_t trace_replay_idle_ps(const struct trace_replay *r, uint32_t *ids, size_t n);
size_t trace_replay_idle_ms(const struct trace_replay *r, uint32_t *ids, size_t n);
/* What an M does, in the words that `gmpscope state` and the window share. An M of which no event is known yet is a
 * thread that has not begun; that it is sysmon only its deeds tell, so the caller says that. */
const char *trace_m_does(const struct trace_m *m, bool is_sysmon);
/* Text of a string told so far, NUL-terminated, or NULL. */
const char *trace_replay_string(const struct trace_replay *r, uint32_t id, size_t *length);
/* Name given to an object (object_name), its kind (OBJKIND) and ordinal among its kind from 1; false: unknown. */
bool trace_replay_object(const struct trace_replay *r, uint64_t obj, uint32_t *what, uint32_t *name,
                         uint32_t *ordinal);

/* The words an event says in one sentence, from the state *before* it: "M3 (P1) took G17 from P0's queue:
 * 2 of 4 stolen because its own queue and the global one were empty." Always NUL-terminated; returns the
 * length it would have. */
size_t trace_sentence(const struct trace_replay *before, const struct trace_event *e, char *out,
                      size_t n);
