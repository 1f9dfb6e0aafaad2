/* SPDX-License-Identifier: MIT */
/* sim-aside.c - the memory that tracing takes lies aside, so that a simulation goes the same way with and without it.
 *
 * What a program makes depend on addresses would otherwise be different as soon as somebody records it, and what was seen
 * without the recorder could not be recorded with the same seed. So rings are moved to where nobody maps anything of
 * himself, which gives their place back as if they had never been there, and the door's own bytes come from there and not
 * from the program's heap.
 * Never given back: it is little (a writer an M, a name an address), and the process is a simulation.
 */
#include "os.h"
#include "sim.h"

#include <stdint.h>
#include <sys/mman.h>

#define ASIDE 0x200000000000u /* neither the kernel's choice, nor a sanitizer's */
#define ROOM  (1u << 20)      /* taken at once */
#define ALIGN 16u

void *sim_put_aside(void *mapped, size_t n)
{
  static uintptr_t next = ASIDE;
  if (!mapped)
    return NULL;
  void *there = mremap(mapped, n, n, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)next);
  if (there == MAP_FAILED)
    return mapped;
  size_t page = os_page_size();
  next += (n + page - 1) / page * page;
  return there;
}

void *sim_alloc(size_t n)
{
  static char *room;
  static size_t left;
  n = (n + ALIGN - 1) / ALIGN * ALIGN;
  if (n > left) {
    left = n > ROOM ? n : ROOM;
    room = sim_put_aside(os_reserve(left), left);
    if (!room)
      left = 0;
  }
  if (!room)
    return NULL;
  left -= n;
  room += n;
  return room - n;
}
