/* SPDX-License-Identifier: MIT */
/* symbols.h - names of functions, and file and line, for addresses of code in a program that may be gone. */
#pragma once
#include "tracefile.h"

struct symbols;

/* Reads the ELF file of the program that ran with its executable mapped from load_base on. NULL: it cannot be
 * read (the trace then has addresses only). */
struct symbols *symbols_open(const char *executable, uint64_t load_base);
/* A library that was mapped from base on. */
void symbols_add_library(struct symbols *s, const char *path, uint64_t base);
/* What stands at an address; borrowed until the next call. is_return: the address is one behind a call. False:
 * unknown. */
bool symbols_find(struct symbols *s, uint64_t pc, bool is_return, struct tracefile_frame *out);
void symbols_free(struct symbols *s); /* NULL is fine */
