/* SPDX-License-Identifier: MIT */
/* synthetic.h - long traces made up by a seed: a scheduler of SYNTHETIC_MS Ms and a global queue.
 *
 * A valid trace breaks no rule of the replay. A wild one is any events whatever, as an enemy would write them.
 */
#pragma once
#include "vw-build.h"

#define SYNTHETIC_MS 4u
#define SYNTHETIC_GS 200u

/* A trace of about n events. NULL: out of memory. */
struct vw_trace *synthetic_valid(uint64_t seed, uint64_t n);
struct vw_trace *synthetic_wild(uint64_t seed, uint64_t n);
