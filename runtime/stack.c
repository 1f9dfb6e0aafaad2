/* SPDX-License-Identifier: MIT */
/* stack.c - stacks of Gs: where they come from and what guards their end.
 *
 * Address space is reserved a slab at a time, without commitment; a stack is a slot of it, and costs the
 * pages that were touched. It is reserved before a G is made that may need it (stack_promise, from g.c), so that
 * it is rt_go that fails when there is no more, with nothing started, and not the G when it first runs. Not done:
 * letting such a G wait until another one ends: who would wait, if those others wait for it?
 * Each P may keep some free stacks from the others, so there are that many slots more than Gs.
 * A dead G's stack goes to the P's cache, last in first out, because its top page
 * is warm; a full cache gives half to the central list. Slabs are never returned: a G that was dropped
 * inside a system call may still stand on its stack.
 *
 * One run's stacks are of one size, a power of two, so that there are few sizes; each has slabs and a list of its own,
 * which wait for the next run that asks for it. At the end of a run all stacks go back there (stack_leave,
 * stack_empty_cache), but for those that a G in the kernel still stands on.
 *
 * The lowest pages of a slot are its guard: by MADV_GUARD_INSTALL where the kernel has it (6.13), which does
 * not split the mapping; else by mprotect, while it costs no more than half of the mappings that the
 * kernel allows; beyond that it is a canary, the lowest word of the stack, which is looked at when the G ends: an
 * overflow is then found late, or not at all if it jumped over the word, but seldom missed.
 *
 * What is compiled with -fstack-clash-protection, as our .pc file asks for, touches each page of a large frame in turn, so it
 * cannot miss the guard. Other code can jump over it: a libc's frames seldom do, so the guard is larger than a page (it
 * costs a G 24 bytes of page tables); and where such a jump ends in front of the slab, or is followed by a fault
 * anywhere while the stack pointer is out of the G's stack, it is told as well (stack_is_overflowed).
 *
 * A free stack holds its own link at its top, in the page that is warm.
 *
 * Not done: stacks that grow by copying, as Go's do. C code keeps pointers into them.
 * Cost: from the cache 3 ns; a fresh one a page fault (2 us) and its guard (1 us).
 */
#include "os.h"
#include "proc.h"
#include "switch.h"

#define SLAB_STACKS   1024u /* or, where there is no room for so many, down to the next */
#define LEAST_STACKS  16u
#define MAX_SLABS     4096u
#define CACHE_MAX     64u
#define CANARY        0x5ca1ab1e0ddba115ull
#define DEFAULT_STACK ((size_t)64 << 10)
#define LEAST_SHIFT   14u /* 16 KiB */
#define MOST_SHIFT    30u /* 1 GiB, as rt.h says */
#define GUARD_PAGES   4u
#define FRONT         (16u << 20) /* bytes in front of a slab that nobody may touch */
/* Reads what another thread may be writing, in a process that is about to die. */
#define PEEKS __attribute__((no_sanitize("thread")))

struct free_stack { /* at the top of a stack without a G */
  struct free_stack *next;
  struct stack stack;
};

struct slab {
  char *front, *base, *end;
  struct slots *of;
  uint32_t n_slots;
};

struct slots { /* all of one size */
  size_t size; /* guard and stack */
  struct free_stack *central;
  uint32_t carving; /* the slab that slots are handed out of, or the next of this size behind it */
  uint32_t used;    /* slots handed out of that one */
  _Atomic uint32_t n_slots; /* of all slabs, handed out or not */
};

static struct {
  struct mutex lock;                                /* guards all below */
  struct slots sizes[MOST_SHIFT - LEAST_SHIFT + 1]; /* by the power of two */
  struct slots *now;                                /* this run's */
  size_t page;
  size_t guard_size;
  enum stack_guard guard;
  size_t guards_left; /* mprotects that the mappings allow */
  uint32_t n_slabs;
  struct slab slabs[MAX_SLABS];
} stacks;

static enum stack_guard probe_guard(void)
{
  void *page = os_reserve(stacks.page);
  if (!page)
    return GUARD_MPROTECT;
  enum stack_guard kind = os_guard(page, stacks.page, true) == 0 ? GUARD_LIGHT : GUARD_MPROTECT;
  os_release(page, stacks.page);
  return kind;
}

/* Those of size bytes with the page of their guard that is in it: at least so many, a power of two. lock held. */
static struct slots *slots_of(size_t size)
{
  uint32_t shift = LEAST_SHIFT;
  while (shift < MOST_SHIFT && (size_t)1 << shift < size)
    shift++;
  struct slots *of = &stacks.sizes[shift - LEAST_SHIFT];
  of->size = ((size_t)1 << shift) - stacks.page + stacks.guard_size;
  return of;
}

void stack_init(size_t size)
{
  lock2(&stacks.lock);
  if (stacks.page == 0) {
    stacks.page = os_page_size();
    stacks.guard_size = GUARD_PAGES * stacks.page;
    stacks.guard = probe_guard();
    stacks.guards_left = os_max_map_count() / 4; /* a guard makes two mappings */
  }
  stacks.now = slots_of(size ? size : DEFAULT_STACK);
  unlock2(&stacks.lock);
}

/* There is room for as much again. */
static bool is_room_for(size_t bytes)
{
  void *probe = os_reserve(bytes);
  if (probe)
    os_release(probe, bytes);
  return probe;
}

/* lock held. With what nobody may touch in front of it, unless there is no room for that. All but the smallest leave as
 * much room as they take: threads and malloc need some, too. */
static bool reserve_slab(uint32_t n, size_t front)
{
  struct slots *of = stacks.now;
  size_t bytes = front + of->size * n;
  char *at = os_reserve(bytes);
  if (!at)
    return false;
  if (n > LEAST_STACKS && !is_room_for(bytes)) {
    os_release(at, bytes);
    return false;
  }
  if (front)
    os_guard(at, front, false);
  char *base = at + front;
  stacks.slabs[stacks.n_slabs++] = (struct slab){ at, base, base + of->size * n, of, n };
  atomic_fetch_add_explicit(&of->n_slots, n, memory_order_relaxed);
  return true;
}

/* lock held */
static bool new_slab(void)
{
  for (uint32_t n = SLAB_STACKS; stacks.n_slabs < MAX_SLABS && n >= LEAST_STACKS; n /= 2)
    if (reserve_slab(n, FRONT) || reserve_slab(n, 0))
      return true;
  return false;
}

bool stack_promise(uint32_t n_gs)
{
  uint32_t n = n_gs + (uint32_t)sched.gomaxprocs * (CACHE_MAX + 1);
  const _Atomic uint32_t *n_slots = &stacks.now->n_slots;
  if (likely(n <= atomic_load_explicit(n_slots, memory_order_relaxed)))
    return true;
  lock2(&stacks.lock);
  while (n > atomic_load_explicit(n_slots, memory_order_relaxed) && new_slab())
    ;
  bool kept = n <= atomic_load_explicit(n_slots, memory_order_relaxed);
  unlock2(&stacks.lock);
  return kept;
}

/* True: by pages that cannot be touched. */
static bool guard_by_page(char *slot)
{
  if (stacks.guard == GUARD_LIGHT && os_guard(slot, stacks.guard_size, true) == 0)
    return true;
  if (stacks.guards_left == 0 || os_guard(slot, stacks.guard_size, false) != 0)
    return false;
  stacks.guards_left--;
  return true;
}

void stack_guard_by(enum stack_guard kind)
{
  lock2(&stacks.lock);
  stacks.guard = kind;
  if (kind == GUARD_CANARY)
    stacks.guards_left = 0;
  unlock2(&stacks.lock);
}

void stack_check_canary(const struct stack *s)
{
  if (*(const uint64_t *)s->lo != CANARY)
    fatal("stack overflow: this goroutine has written over the end of its stack; give more by "
          "rt_options.stack_size");
}

/* lock held: the next slot that no G has had, or NULL. */
static char *fresh_slot(struct slots *of)
{
  for (; of->carving < stacks.n_slabs; of->carving++, of->used = 0) {
    const struct slab *slab = &stacks.slabs[of->carving];
    if (slab->of == of && of->used < slab->n_slots)
      return slab->base + of->used++ * of->size;
  }
  return new_slab() ? fresh_slot(of) : NULL;
}

/* lock held */
static bool carve(struct stack *s)
{
  struct slots *of = stacks.now;
  char *slot = fresh_slot(of);
  if (!slot)
    return false;
  *s = (struct stack){ .lo = slot + stacks.guard_size, .hi = slot + of->size };
  s->canary = !guard_by_page(slot);
  if (s->canary)
    *(uint64_t *)s->lo = CANARY;
  stack_made(s);
  return true;
}

static void push(struct free_stack **list, struct stack s)
{
  stack_fresh(&s);
  struct free_stack *top = (struct free_stack *)(s.hi - sizeof *top);
  top->stack = s;
  top->next = *list;
  *list = top;
}

static struct stack pop(struct free_stack **list)
{
  struct free_stack *top = *list;
  *list = top->next;
  return top->stack;
}

static RARELY bool alloc_from_all(struct stack *s)
{
  bool have = true;
  lock2(&stacks.lock);
  if (stacks.now->central)
    *s = pop(&stacks.now->central);
  else
    have = carve(s);
  unlock2(&stacks.lock);
  return have;
}

bool stackalloc(struct p *pp, struct stack *s)
{
  if (unlikely(!pp->stack_cache))
    return alloc_from_all(s);
  *s = pop((struct free_stack **)&pp->stack_cache);
  pp->n_stacks--;
  return true;
}

static RARELY void spill(struct p *pp)
{
  lock2(&stacks.lock);
  while (pp->n_stacks > CACHE_MAX / 2) {
    push(&stacks.now->central, pop((struct free_stack **)&pp->stack_cache));
    pp->n_stacks--;
  }
  unlock2(&stacks.lock);
}

void stackfree(struct p *pp, struct stack *s)
{
  push((struct free_stack **)&pp->stack_cache, *s);
  if (unlikely(++pp->n_stacks > CACHE_MAX))
    spill(pp);
}

void stack_leave(struct g *gp)
{
  gp->sp = NULL;
  if (!gp->stack.lo)
    return;
  stack_dead(&gp->stack);
  lock2(&stacks.lock);
  push(&slots_of((size_t)(gp->stack.hi - gp->stack.lo) + stacks.page)->central, gp->stack);
  unlock2(&stacks.lock);
  gp->stack = (struct stack){ 0 };
}

void stack_empty_cache(struct p *pp)
{
  lock2(&stacks.lock);
  while (pp->stack_cache)
    push(&stacks.now->central, pop((struct free_stack **)&pp->stack_cache));
  pp->n_stacks = 0;
  unlock2(&stacks.lock);
}

/* No lock: a fault may have happened anywhere. Slabs are only added. */
static PEEKS bool is_in_slab(const char *at)
{
  for (uint32_t i = 0; i < stacks.n_slabs; i++)
    if (at >= stacks.slabs[i].front && at < stacks.slabs[i].end)
      return true;
  return false;
}

static PEEKS bool is_in_guard(const struct g *gp, const char *at)
{
  return at < gp->stack.lo && at >= gp->stack.lo - stacks.guard_size;
}

bool stack_is_overflowed(const struct g *gp, const void *address, const void *sp)
{
  return is_in_guard(gp, address) || ((const char *)sp < gp->stack.lo && is_in_slab(sp));
}

PEEKS bool stack_is_left(const struct g *gp, const void *address, const void *sp)
{
  const char *at = sp;
  bool stands_there = at >= gp->stack.lo && at < gp->stack.hi;
  return gp->stack.lo && is_in_guard(gp, address) && (stands_there || is_in_guard(gp, at));
}
