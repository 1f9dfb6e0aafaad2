/* SPDX-License-Identifier: MIT */
/* replay.h - what a simulated run recorded, held to the rules of every trace. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Makes trace memory that is recorded into by a program that finds it in its environment (TRACE_ENV_FD); ends the
 * process if the kernel has none. You own the descriptor. */
int replay_memory(void);
/* Replays what is in it, after the program ended. False: text says which rule the events break, or that some of
 * them are missing. */
bool replay_accepts(int memory, char *text, size_t n);
/* Prints the events, in the text form of traces. */
void replay_print(int memory, FILE *to);
