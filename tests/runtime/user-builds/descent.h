/* SPDX-License-Identifier: MIT */
/* descent.h - functions that call one another in turn, each compiled with other flags (user-builds.sh). */
#pragma once

#define DEEPEST 23

/* Every object of descent.c has one, in this section. */
typedef int descent(int depth);
extern descent *const __start_descents[];
extern descent *const __stop_descents[];

/* The one whose turn it is at depth. */
int descend_on(int depth);
