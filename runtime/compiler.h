/* SPDX-License-Identifier: MIT */
/* compiler.h - what we tell the compiler, and what C has no word for. Above everything else of the runtime. */
#pragma once

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* For what is on the way of every switch: gcc would rather call it, and save six registers for that. */
#define ALWAYS_INLINE inline __attribute__((always_inline))
/* For what is beside the way, so that it costs the way neither registers nor room. */
#define RARELY     __attribute__((noinline, cold))
#define nelem(a)   (sizeof(a) / sizeof((a)[0]))
#define CACHE_LINE 64 /* bytes */
