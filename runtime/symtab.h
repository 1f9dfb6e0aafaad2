/* SPDX-License-Identifier: MIT */
/* symtab.h - names of functions, for the process's own dumps. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct symbol { /* of a code address */
  char name[96];
  char module[96];        /* file name of the program or library, without directories */
  uint64_t offset;        /* of the address in the function */
  uint64_t module_offset; /* of the address in the module: what addr2line takes */
  bool in_runtime;        /* in the runtime's own shared library */
};

/* Fills in what is known of a code address; name is "?" and offset 0 if nothing is. */
void symbol_of(uint64_t pc, struct symbol *out);
