/* SPDX-License-Identifier: MIT */
/* user.h - what the runtime tells the trace about the program's own things. */
#pragma once
#include "runtime.h"

/* An object on which Gs can wait was made. capacity: of a channel, or initial count; else 0. From anywhere. */
void object_new(const void *object, uint32_t objkind, size_t capacity);
/* The number of the armed timer that a program knows as object, an rt_timer or an rt_ticker; 0: it is none. Needs a P. */
uint32_t timer_id_of(const void *object);
