/* SPDX-License-Identifier: MIT */
/* order.h - time order is made an order of causes. */
#pragma once
#include "tracefile-private.h"

struct order_check;

/* Fed with all events in time order, finds effects that stand before their causes. NULL: out of memory. */
struct order_check *order_check_new(void);
bool order_check_add(struct order_check *check,
                     const struct trace_event *e); /* false: out of memory */
void order_check_free(struct order_check *check);
/* How many effects stood before their causes. */
size_t order_check_late(const struct order_check *check);

/* Moves those effects, and what follows them on their M, behind their causes, in the file: in the transaction that
 * is open. *moved: events whose time was changed. */
bool order_apply(struct order_check *check, struct tracefile *file, uint64_t *moved,
                 struct tracefile_error *error);
