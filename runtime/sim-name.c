/* SPDX-License-Identifier: MIT */
/* sim-name.c - addresses in a simulated trace, so that it is the same in every process.
 *
 * Where the kernel maps a program, and malloc an object, is no choice of the seed. Addresses in the main
 * executable are told as if it were mapped at SIM_BASE, where the recorder finds their names as always.
 * Every other address (objects on the heap and on stacks, functions of shared libraries) gets the
 * next number at its first appearance; an object that is made anew at an old address gets a new one. And where the
 * shipped runtime may decide by an address (select's locks), here the order in which things were made decides.
 *
 * Not done: telling the addresses as they are, though a simulated process is mapped alike each time (sim-exec.c): a
 * container may forbid that, and another build of the C library moves all of them.
 */
#include "os.h"
#include "sim-world.h"

#include <link.h>

#define SIM_BASE   0x555555554000u
#define SIM_HEAP   0xc000000000u /* where Go's heap begins, too */
#define SIM_ALIGN  16u
#define NO_ADDRESS 0x10000u /* what is smaller is a number: a timer's id */
#define BUCKETS    4096u

struct named {
  struct named *next;
  uint64_t address, name;
};

static struct {
  uint64_t base, end; /* of the main executable */
  uint64_t n;
  struct named *buckets[BUCKETS];
} names;

static int first_object(struct dl_phdr_info *info, size_t size, void *unused)
{
  (void)size, (void)unused;
  names.base = info->dlpi_addr;
  for (int i = 0; i < info->dlpi_phnum; i++) {
    uint64_t end = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;
    if (info->dlpi_phdr[i].p_type == PT_LOAD && end > names.end)
      names.end = end;
  }
  return 1; /* the main executable comes first */
}

uint64_t sim_load_base(void)
{
  return SIM_BASE;
}

uint64_t sim_order(const void *object)
{
  static uint64_t n;
  (void)object;
  return ++n;
}

static uint64_t name_of(uint64_t address, bool anew)
{
  struct named **bucket = &names.buckets[(address >> 4) % BUCKETS], *found = *bucket;
  while (found && found->address != address)
    found = found->next;
  if (!found) {
    found = sim_alloc(sizeof *found);
    if (!found)
      fatal("out of memory: no room for the simulation's names");
    *found = (struct named){ .next = *bucket, .address = address };
    *bucket = found;
    anew = true;
  }
  if (anew)
    found->name = SIM_HEAP + names.n++ * SIM_ALIGN;
  return found->name;
}

static void rename_one(enum trace_arg type, bool anew, uint64_t *word)
{
  if ((type != TRACE_ARG_OBJ && type != TRACE_ARG_FN && type != TRACE_ARG_PC) || *word < NO_ADDRESS)
    return;
  if (names.end == 0)
    dl_iterate_phdr(first_object, NULL);
  if (*word >= names.base && *word < names.end)
    *word += SIM_BASE - names.base;
  else
    *word = name_of(*word, anew);
}

void sim_name_addresses(uint32_t kind, uint64_t *lo, uint64_t *hi)
{
  const struct trace_spec *spec = trace_spec_get(kind);
  bool anew = kind == TRACE_OBJECT_NEW;
  rename_one(spec->args[0].type, anew, lo);
  rename_one(spec->args[2].type, anew, hi);
}
