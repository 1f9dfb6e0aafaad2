/* SPDX-License-Identifier: MIT */
/* symtab.c - finding the function of an address in the symbol table of its ELF file.
 *
 * dladdr knows exported functions only, and most are static; and it waits for whoever is in dlopen, perhaps in a
 * constructor that waits for us. So the loaded objects are walked (dl_iterate_phdr's lock is only held while their list
 * changes), and the module's file is mapped for the moment and its .symtab (or .dynsym, when it is stripped) searched
 * from end to end.
 *
 * Used when the program dies or is asked for a dump: no malloc, no state.  The file is our own program or a
 * library of it; all the same every offset is checked, since it may have been replaced under us.
 * Cost: one pass over the symbols a frame, some 10 us; nobody waits for it but who reads the dump.
 */
#include "symtab.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct image {
  const char *bytes;
  size_t size;
};

static struct image map_file(const char *path)
{
  struct image image = { NULL, 0 };
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return image;
  struct stat st;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(ElfW(Ehdr))) {
    void *bytes = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes != MAP_FAILED)
      image = (struct image){ bytes, (size_t)st.st_size };
  }
  close(fd);
  return image;
}

/* n bytes at offset, or NULL if they are not all in the file or not aligned. */
static const void *at(const struct image *image, uint64_t offset, uint64_t n)
{
  if (offset > image->size || n > image->size - offset || offset % 8 != 0)
    return NULL;
  return image->bytes + offset;
}

static const ElfW(Shdr) *
    section_of_type(const struct image *image, const ElfW(Shdr) * sections, size_t n, uint32_t type)
{
  for (size_t i = 0; i < n; i++)
    if (sections[i].sh_type == type && at(image, sections[i].sh_offset, sections[i].sh_size))
      return &sections[i];
  return NULL;
}

/* As it is written in the source: without what the compiler appends to a copy it made (".constprop.0"). */
static size_t length_of_name(const char *text, size_t n)
{
  size_t length = strnlen(text, n);
  const char *dot = length > 1 ? memchr(text + 1, '.', length - 1) : NULL;
  return dot ? (size_t)(dot - text) : length;
}

static void copy_name(const struct image *image, const ElfW(Shdr) * strings, uint32_t name,
                      char *out, size_t n)
{
  if (strings->sh_offset > image->size || strings->sh_size > image->size - strings->sh_offset ||
      name >= strings->sh_size)
    return;
  const char *text = image->bytes + strings->sh_offset + name;
  size_t length = length_of_name(text, strings->sh_size - name);
  if (length >= n)
    length = n - 1;
  memcpy(out, text, length);
  out[length] = '\0';
}

/* The function that holds address, which is the file's own (not relocated). */
static void search(const struct image *image, uint64_t address, struct symbol *out)
{
  const ElfW(Ehdr) *header = at(image, 0, sizeof *header);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0 ||
      header->e_shentsize != sizeof(ElfW(Shdr)))
    return;
  const ElfW(Shdr) *sections = at(image, header->e_shoff, header->e_shnum * sizeof *sections);
  if (!sections)
    return;
  const ElfW(Shdr) *table = section_of_type(image, sections, header->e_shnum, SHT_SYMTAB);
  if (!table)
    table = section_of_type(image, sections, header->e_shnum, SHT_DYNSYM);
  if (!table || table->sh_link >= header->e_shnum)
    return;
  const ElfW(Sym) *symbols = at(image, table->sh_offset, table->sh_size);
  for (size_t i = 0; i < table->sh_size / sizeof *symbols; i++) {
    const ElfW(Sym) *s = &symbols[i];
    if (ELF64_ST_TYPE(s->st_info) != STT_FUNC || address < s->st_value ||
        address - s->st_value >= s->st_size)
      continue;
    copy_name(image, &sections[table->sh_link], s->st_name, out->name, sizeof out->name);
    out->offset = address - s->st_value;
    return;
  }
}

/* ---- which file ---- */

static bool is_in(const struct dl_phdr_info *object, uint64_t address)
{
  uint64_t offset = address - object->dlpi_addr;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *part = &object->dlpi_phdr[i];
    if (part->p_type == PT_LOAD && offset - part->p_vaddr < part->p_memsz)
      return true;
  }
  return false;
}

struct wish {
  uint64_t pc;
  struct symbol *out;
  bool past_first;
};

/* The name of an object is its own only here, so the file is searched here, too. */
static int look_into(struct dl_phdr_info *object, size_t size, void *arg)
{
  (void)size;
  struct wish *wish = arg;
  bool is_program = !wish->past_first;
  wish->past_first = true;
  if (!is_in(object, wish->pc))
    return 0;
  struct symbol *out = wish->out;
  out->module_offset = wish->pc - object->dlpi_addr;
  out->in_runtime = !is_program && is_in(object, (uint64_t)(uintptr_t)symbol_of);
  const char *path = is_program ? program_invocation_name : object->dlpi_name;
  const char *slash = strrchr(path, '/');
  snprintf(out->module, sizeof out->module, "%s", slash ? slash + 1 : path);
  struct image image = map_file(is_program ? "/proc/self/exe" : path);
  if (image.bytes) {
    search(&image, out->module_offset, out);
    munmap((void *)(uintptr_t)image.bytes, image.size);
  }
  return 1;
}

void symbol_of(uint64_t pc, struct symbol *out)
{
  *out = (struct symbol){ .name = "?", .module = "?", .module_offset = pc };
  struct wish wish = { .pc = pc, .out = out };
  dl_iterate_phdr(look_into, &wish);
}
