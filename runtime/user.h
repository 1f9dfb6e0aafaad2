/* SPDX-License-Identifier: MIT */
/* user.h - what the runtime tells the trace about the program's own things. */
#pragma once
#include "runtime.h"

/* An object on which Gs can wait was made. capacity: of a channel, or initial count; else 0. From anywhere. */
void object_new(const void *object, uint32_t objkind, size_t capacity);
