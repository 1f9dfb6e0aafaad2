/* SPDX-License-Identifier: MIT */
/* recover.c - when recover counts: exactly Go's rule.
 *
 * It counts in the function that the newest panic runs as a deferred call, if that function calls it itself: not in a
 * function that it calls, not as `defer recover()`, not twice, and not for a Goexit, which is no panic.
 *
 * The frame tells: the caller of recover was called by calldefer (frame-amd64.S) for that panic. It does not tell all. A
 * compiler may turn the last call of a deferred function into a jump, and the function that it jumps to then has the very
 * same frame. So the code that calls recover is looked at, too: it must be of the deferred function, which the unwind
 * tables tell. They say where each function begins; the cold part of one, which a compiler may put elsewhere, has an entry
 * of its own that does not look like a beginning. Where there are no tables the frame alone decides.
 *
 * I1  Only what is known to be wrong is refused: a panic that should be recovered and is not ends a program.
 *
 * Cost: four compares; about 60 ns more where it is another deferred function than the M's last time.
 */
#include "panic.h"

#include "proc.h"
#include "sim.h"
#include "tracedoor.h"

#include <string.h>

/* The frame description entry of pc's function, and where that begins. Of libgcc and libunwind alike. */
struct dwarf_eh_bases {
  void *text, *data, *func;
};
/* NOLINTNEXTLINE(bugprone-reserved-identifier): the name is libgcc's */
const void *_Unwind_Find_FDE(void *pc, struct dwarf_eh_bases *bases);

/* A function begins with a return address and nothing else on its stack, so an entry's first instruction is to advance
 * (the top bits are 01, or 2 to 4), or there is none. */
static bool looks_like_a_beginning(uint8_t instruction)
{
  return instruction >> 6 == 1 || instruction == 0 || (instruction >= 2 && instruction <= 4);
}

/* The entry: its length, where its kind is described, where the function begins (relative to this field, or it is of a
 * form that is not known here), how long it is, the length of what is augmented, that, and the instructions. */
static bool is_a_beginning(const uint8_t *entry, const void *func)
{
  int32_t begin;
  memcpy(&begin, entry + 8, sizeof begin);
  return entry + 8 + begin == (const uint8_t *)func && entry[16] < 0x80 &&
         looks_like_a_beginning(entry[17 + entry[16]]);
}

/* Whether pc lies for certain in another function than fn. */
static bool is_elsewhere(const void *pc, void (*fn)(void *))
{
  struct dwarf_eh_bases of_pc, of_fn;
  void *start = (void *)(uintptr_t)fn;
  const uint8_t *entry = _Unwind_Find_FDE((void *)(uintptr_t)pc, &of_pc);
  if (!entry || of_pc.func == start || !is_a_beginning(entry, of_pc.func))
    return false;
  return _Unwind_Find_FDE(start, &of_fn) &&
         of_fn.func == start; /* else it is a stub that leads there */
}

/* pc: where its caller goes on, which is in the function that asks. */
static bool is_direct(struct m *mp, const struct rt_panic *p, void *const *caller_fp,
                      const char *pc)
{
  if (caller_fp[0] != p->call_fp || caller_fp[1] != (const void *)calldefer_return)
    return false;
  if (mp->recover_pc == pc && mp->recover_fn == p->call_fn)
    return true;
  if (pc != calldefer_return && is_elsewhere(pc - 1, p->call_fn))
    return false;
  mp->recover_pc = pc;
  mp->recover_fn = p->call_fn;
  return true;
}

static uint32_t verdict_of(struct m *mp, const struct rt_panic *p, void *const *caller_fp,
                           const char *pc)
{
  if (!p)
    return TRACE_VERDICT_NO_PANIC;
  if (MUTANT(20, false, p->goexit))
    return TRACE_VERDICT_GOEXIT;
  if (p->recovered)
    return TRACE_VERDICT_ALREADY;
  return is_direct(mp, p, caller_fp, pc) ? TRACE_VERDICT_VALID : TRACE_VERDICT_NOT_DIRECT;
}

bool rt_recover_in(void *caller_fp, struct rt_value *value)
{
  struct m *mp = getm();
  struct g *gp = mp ? mp->curg : NULL;
  if (!gp)
    return false;
  struct rt_panic *p = gp->_panic;
  uint32_t verdict = verdict_of(mp, p, caller_fp, __builtin_return_address(0));
  tr_stamp(mp);
  tr_panic_recover_call(mp, p ? p->depth : 0, verdict);
  if (verdict != TRACE_VERDICT_VALID)
    return false;
  p->recovered = true;
  if (value)
    *value = p->value;
  return true;
}
