/* SPDX-License-Identifier: MIT */
/* trace-args.h - an event's words by the names that events.def gives them; private to this folder.
 *
 *   struct trace_args_go_start a = trace_args_go_start(e);   a.run_g, a.g_seq, a.inherit
 *
 * so that no reader counts words by hand, and an argument that moves in the table moves here by itself.
 */
#pragma once
#include "trace-event.h"

#include <string.h>

/* clang-format off */
#define TRACE_FIELD0_ARG(type, name)  uint32_t name;
#define TRACE_FIELD1_ARG(type, name)  uint32_t name;
#define TRACE_FIELD2_ARG(type, name)  uint32_t name;
#define TRACE_FIELD3_ARG(type, name)  uint32_t name;
#define TRACE_FIELD0_WIDE(type, name) uint64_t name;
#define TRACE_FIELD2_WIDE(type, name) uint64_t name;
#define TRACE_FIELD1_HIGH
#define TRACE_FIELD3_HIGH
#define TRACE_FIELD0_NONE             uint32_t none0;
#define TRACE_FIELD1_NONE             uint32_t none1;
#define TRACE_FIELD2_NONE             uint32_t none2;
#define TRACE_FIELD3_NONE             uint32_t none3;
#define EVENT(number, NAME, name, family, w0, w1, w2, w3, doc)                                        \
  struct trace_args_##name {                                                                         \
    TRACE_FIELD0_##w0 TRACE_FIELD1_##w1 TRACE_FIELD2_##w2 TRACE_FIELD3_##w3                          \
  };                                                                                                 \
  static_assert(sizeof(struct trace_args_##name) == 16, "four words");                               \
  static inline struct trace_args_##name trace_args_##name(const struct trace_event *e)              \
  {                                                                                                  \
    struct trace_args_##name args;                                                                   \
    memcpy(&args, e->w, sizeof args);                                                                \
    return args;                                                                                     \
  }
#include "events.def"
#undef EVENT
/* clang-format on */
