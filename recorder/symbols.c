/* SPDX-License-Identifier: MIT */
/* symbols.c - addresses to names by elfutils, offline: from the ELF files alone, never from the process.
 *
 * The program may be gone when its trace is made final, and must not be stopped while it runs; its executable
 * is a file. Position-independent executables are mapped anywhere: the program itself tells where
 * (control->load_base), the ELF file tells its first segment's address, and the difference is the bias.
 *
 * Not done: our own reader of DWARF. It is a format with seven versions, and libdw reads them all.
 */
#include "symbols.h"

#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct symbols {
  Dwfl *dwfl;
};

static const Dwfl_Callbacks callbacks = {
  .find_elf = dwfl_build_id_find_elf,
  .find_debuginfo = dwfl_standard_find_debuginfo,
  .section_address = dwfl_offline_section_address,
};

/* What is to be added to the file's addresses. False: it is no ELF file that can run. */
static bool find_bias(int fd, uint64_t load_base, uint64_t *bias)
{
  Elf *elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
  GElf_Ehdr header;
  bool ok = elf && gelf_getehdr(elf, &header);
  *bias = 0;
  if (ok && header.e_type == ET_DYN) {
    *bias = load_base;
    for (int i = 0; i < header.e_phnum; i++) {
      GElf_Phdr segment;
      if (gelf_getphdr(elf, i, &segment) && segment.p_type == PT_LOAD) {
        *bias = load_base - (segment.p_vaddr & ~(uint64_t)4095);
        break;
      }
    }
  }
  elf_end(elf);
  return ok;
}

static bool report(struct symbols *s, const char *path, uint64_t base)
{
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  uint64_t bias;
  if (fd < 0 || !find_bias(fd, base, &bias)) {
    if (fd >= 0)
      close(fd);
    return false;
  }
  const char *slash = strrchr(path, '/');
  /* takes fd if it succeeds */
  Dwfl_Module *module = dwfl_report_elf(s->dwfl, slash ? slash + 1 : path, path, fd, bias, true);
  if (!module)
    close(fd);
  return module != NULL;
}

struct symbols *symbols_open(const char *executable, uint64_t load_base)
{
  struct symbols *s = calloc(1, sizeof *s);
  if (!s)
    return NULL;
  elf_version(EV_CURRENT);
  s->dwfl = dwfl_begin(&callbacks);
  if (s->dwfl) {
    dwfl_report_begin(s->dwfl);
    if (report(s, executable, load_base) && dwfl_report_end(s->dwfl, NULL, NULL) == 0)
      return s;
  }
  symbols_free(s);
  return NULL;
}

void symbols_add_library(struct symbols *s, const char *path, uint64_t base)
{
  dwfl_report_begin_add(s->dwfl);
  report(s, path, base);
  dwfl_report_end(s->dwfl, NULL, NULL);
}

bool symbols_find(struct symbols *s, uint64_t pc, bool is_return, struct tracefile_frame *out)
{
  *out = (struct tracefile_frame){ 0 };
  Dwarf_Addr address = is_return && pc > 0 ? pc - 1 : pc;
  Dwfl_Module *module = dwfl_addrmodule(s->dwfl, address);
  if (!module)
    return false;
  out->function = dwfl_module_addrname(module, address);
  Dwfl_Line *line = dwfl_module_getsrc(module, address);
  if (line)
    out->file = dwfl_lineinfo(line, NULL, &out->line, NULL, NULL, NULL);
  return out->function || out->file;
}

void symbols_free(struct symbols *s)
{
  if (!s)
    return;
  if (s->dwfl)
    dwfl_end(s->dwfl);
  free(s);
}
