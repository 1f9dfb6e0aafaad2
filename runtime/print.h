/* SPDX-License-Identifier: MIT */
/* print.h - the runtime's voice on stderr (print.c), and dumps of Gs (dump.c): usable in a process that dies. */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct g;

/* After a fork: whoever held the print lock is not here. */
void print_reset(void);
/* Printing without malloc or stdio, to stderr or the fd of the dump; signal-safe. */
void printlock(void);
void printunlock(void);
/* The same for words to stderr behind which the process ends: they may cut off what this thread prints, to wherever. */
void printlock_for_last_words(void);
void print_to(int fd);
void print_str(const char *s);
void print_bytes(const char *s, size_t n);
void print_int(int64_t n);
void print_uint(uint64_t n);
void print_hex(uint64_t n);
/* From now on dumps are as detailed as at RT_TRACEBACK=system. */
void dump_internals(void);
/* "goroutine 7 [chan receive]:" and its frames. */
void goroutineheader(struct g *gp);
void tracebackg(struct g *gp);
/* For a signal handler: gp, the calling thread's, or NULL, was interrupted at pc, in the frame fp. */
void traceback_from(const struct g *gp, const void *pc, const void *fp);
/* All Gs, the running one first if me. */
void tracebackothers(struct g *me);
