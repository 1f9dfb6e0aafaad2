/* SPDX-License-Identifier: MIT */
/* spawn.h - starting the program that is recorded. */
#pragma once
#include "tracefile.h"

#include <sys/types.h>

/* The file that a program's name means, looked up in PATH as a shell does. Caller frees; NULL: error says
 * whether there is none, or it may not be run. */
char *spawn_find(const char *name, struct tracefile_error *error);
/* Starts it with the memfd inherited and named in the environment. Its pid, or -1 with error. The program has
 * the signal mask and dispositions that this process had before spawn_quiet_signals. */
pid_t spawn_program(const char *path, char *const *argv, int memfd, struct tracefile_error *error);

/* While a program is recorded: Ctrl-C and Ctrl-\ are its own business; SIGTERM and SIGHUP ask us to end (a
 * second one too: the file is being made final). */
void spawn_quiet_signals(void);
void spawn_restore_signals(void);
/* True after SIGTERM or SIGHUP. */
bool spawn_told_to_end(void);
