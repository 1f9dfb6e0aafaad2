/* SPDX-License-Identifier: MIT */
/* trace-event.h - what an event is: the record in the ring, the event in memory, the specs of the table.
 *
 * Three shapes of one thing:
 *   struct trace_record   32 bytes, in a ring in shared memory; time is in clock ticks; M is the ring's.
 *   struct trace_event    in memory, in time order of the whole trace; time is in ns since its start.
 *   a chunk               in the file, columns of deltas (trace-chunk.h).
 * All are made from and read by the table events.def.  libc only; safe to include anywhere.
 */
#pragma once
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Kinds of events: TRACE_GO_CREATE = 1, ... */
enum trace_kind {
  TRACE_KIND_NONE = 0,
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc) TRACE_##NAME = number,
#include "events.def"
#undef EVENT
  TRACE_KIND_LIMIT = 192, /* all numbers are below */
};

/* The closed lists of words: TRACE_WAIT_SLEEP = 2, ... */
enum trace_word {
#define WORD(type, number, NAME, text) TRACE_##type##_##NAME = number,
#include "words.def"
#undef WORD
};

/* Families of events, as bits of the category mask. SCHED and META are always recorded. */
#define TRACE_FAMILIES(X)                                                                          \
  X(SCHED, 0, "sched", "G, M and P")                                                               \
  X(RUNQ, 1, "runq", "run queues")                                                                 \
  X(TIMER, 2, "timer", "timers and their heaps")                                                   \
  X(DEFER, 3, "defer", "deferred calls")                                                           \
  X(PANIC, 4, "panic", "panic, recover and Goexit")                                                \
  X(PREEMPT, 5, "preempt", "preemption")                                                           \
  X(SYSMON, 6, "sysmon", "sysmon")                                                                 \
  X(STW, 7, "stw", "stop-the-world")                                                               \
  X(NETPOLL, 8, "netpoll", "netpoll")                                                              \
  X(USER, 9, "user", "tasks, regions, logs and names")                                             \
  X(META, 10, "meta", "the trace itself")

enum trace_family {
#define X(NAME, bit, name, title) TRACE_FAMILY_##NAME = 1u << (bit),
  TRACE_FAMILIES(X)
#undef X
  TRACE_FAMILY_ALL = 0x7ff,
  TRACE_FAMILY_ALWAYS = TRACE_FAMILY_SCHED | TRACE_FAMILY_META,
};
#define TRACE_FAMILY_COUNT 11

/* What an argument means. A reader formats and links it by this alone.
 * 32 bits unless in the second list. WORD types are the closed lists of words.def. */
/* clang-format off */
#define TRACE_ARG_TYPES(X)                                                                         \
  X(NONE)                                                                                          \
  X(HIGH)                                                                                          \
  X(G)     /* a goid; 0 is none */                                                                 \
  X(M)     /* an M's id */                                                                         \
  X(P)     /* a P's id; TRACE_NO_P is none */                                                      \
  X(TID)   /* the kernel's thread id */                                                            \
  X(SEQ)   /* a g_seq or p_seq */                                                                  \
  X(INDEX) /* a place: in a ring (only grows, modulo 2^32), or in a heap's array */                \
  X(U32)                                                                                           \
  X(BOOL)                                                                                          \
  X(TIMER) /* a timer's id, never reused in a process; 0 is none */                                \
  X(FRAME) /* bytes between the top of the stack and a C frame: a deeper call has a larger one */  \
  X(FD)                                                                                            \
  X(STR)   /* a string's id; 0 is the empty string */                                              \
  X(STACK) /* a stack's id; 0 is none */                                                           \
  X(MASK)  /* a category mask */                                                                   \
  X(WAIT) X(STOP) X(GSTATUS) X(PSTATUS) X(MSTATUS) X(QUEUE) X(TIMERKIND) X(HEAPSTEP) X(DEFERKIND)  \
  X(CAUSE) X(WALK) X(VERDICT) X(PREEMPTWHY) X(REFUSAL) X(RETAKE) X(STWWHY) X(IOMODE) X(OBJKIND)    \
  X(CHOICE)
#define TRACE_ARG_WIDE_TYPES(X)                                                                    \
  X(OBJ)   /* address of a channel, mutex, ... or a timer's id; 0 is none */                       \
  X(FN)    /* address of a function */                                                             \
  X(PC)    /* address in code */                                                                   \
  X(WHEN)  /* a time: CLOCK_MONOTONIC ns in a ring, ns since the trace's start everywhere else */  \
  X(DUR)   /* ns, may be negative */                                                               \
  X(TICKS) /* a time: clock ticks in a ring, ns since the trace's start everywhere else */         \
  X(U64) X(HASH) X(TASK) X(BYTES)
/* clang-format on */

enum trace_arg {
#define X(TYPE) TRACE_ARG_##TYPE,
  TRACE_ARG_TYPES(X) TRACE_ARG_FIRST_WIDE,
  TRACE_ARG_LAST_NARROW = TRACE_ARG_FIRST_WIDE - 1,
  TRACE_ARG_WIDE_BASE = TRACE_ARG_FIRST_WIDE - 1,
  TRACE_ARG_WIDE_TYPES(X)
#undef X
  TRACE_ARG_LIMIT,
};

#define TRACE_NO_P UINT16_MAX /* record.p and event.p when the M holds no P */

/* One event in a ring. Little-endian, as the machines that we run on. */
struct trace_record {
  uint64_t ts;   /* clock ticks */
  uint16_t kind; /* enum trace_kind */
  uint16_t p;    /* P that the M held, or TRACE_NO_P */
  uint32_t g;    /* G that ran, 0 on g0 */
  union {
    uint32_t w[4];
    uint64_t d[2];
  };
};
static_assert(sizeof(struct trace_record) == 32, "a record is 32 bytes");

/* One event in memory. seq is its number in its M's ring, from 0, lost ones counted too: a gap is a loss. */
struct trace_event {
  int64_t ts; /* ns since the start of the trace */
  uint64_t seq;
  uint32_t m;
  uint32_t g;
  uint16_t p;
  uint16_t kind;
  uint32_t pad;
  union {
    uint32_t w[4];
    uint64_t d[2];
  };
};
static_assert(sizeof(struct trace_event) == 48, "an event is 48 bytes");

struct trace_arg_spec {
  enum trace_arg type;
  const char *name; /* NULL for NONE and HIGH */
};

struct trace_spec {
  const char *name; /* "go_block"; NULL where a number is not used */
  const char *doc;
  enum trace_family family;
  struct trace_arg_spec args[4]; /* by word */
};

extern const struct trace_spec trace_specs[TRACE_KIND_LIMIT];

/* The spec of a kind read from outside, or NULL if there is no such kind. */
const struct trace_spec *trace_spec_get(uint32_t kind);
/* The kind with this name, or TRACE_KIND_NONE. */
enum trace_kind trace_kind_by_name(const char *name, size_t length);

static inline bool trace_arg_is_wide(enum trace_arg type)
{
  return type >= TRACE_ARG_FIRST_WIDE;
}
/* True for the types whose values are words of words.def. */
bool trace_arg_is_word(enum trace_arg type);
/* "WAIT" ... the type's name. */
const char *trace_arg_type_name(enum trace_arg type);
/* The text of a word, or NULL if the number is not in the list. */
const char *trace_word_text(enum trace_arg type, uint32_t number);
/* The number of a word by its text; false if there is none. */
bool trace_word_by_text(enum trace_arg type, const char *text, size_t length, uint32_t *number);

/* "sched" ... of one family bit, or NULL. */
const char *trace_family_name(enum trace_family family);
/* Parses "sched,timer" or "all" into *mask, ALWAYS included; false on an unknown name. */
bool trace_family_parse(const char *text, uint32_t *mask);

/* Value of the argument at word i, whatever its width. */
static inline uint64_t trace_arg_value(const struct trace_event *e, const struct trace_spec *spec,
                                       int i)
{
  return trace_arg_is_wide(spec->args[i].type) ? e->d[i / 2] : e->w[i];
}

/* The value stands for "none of them": G 0 is no G. False for types that have no such value. */
static inline bool trace_arg_is_none(enum trace_arg type, uint64_t value)
{
  switch (type) {
  case TRACE_ARG_G:
  case TRACE_ARG_TIMER:
  case TRACE_ARG_STACK:
  case TRACE_ARG_OBJ:
  case TRACE_ARG_FN:
  case TRACE_ARG_STR:
    return value == 0;
  case TRACE_ARG_P:
    return value >= TRACE_NO_P;
  case TRACE_ARG_M:
    return value == UINT32_MAX;
  default:
    return false;
  }
}

/* The HASH of a heap's ids in array order, as timer_check tells it: start with TRACE_HASH_START and add each
 * id's bytes, low first (64-bit FNV-1a). */
#define TRACE_HASH_START 0xcbf29ce484222325ull
static inline uint64_t trace_hash_add(uint64_t hash, uint32_t id)
{
  for (int byte = 0; byte < 4; byte++)
    hash = (hash ^ (id >> byte * 8 & 0xff)) * 0x100000001b3ull;
  return hash;
}
