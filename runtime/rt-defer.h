/* SPDX-License-Identifier: MIT */
/* rt-defer.h - defer, panic and recover. Include rt.h.
 *
 *   static int divide(int a, int b)
 *   {
 *     int result = 0;
 *     RT_FRAME(fr, { return result; });
 *     RT_DEFER(fr, on_exit, &result);
 *     if (b == 0)
 *       rt_panic("integer divide by zero");
 *     result = a / b;
 *     return result;
 *   }
 *
 * RT_FRAME is the first statement of a function that defers, once in it.  Its block is what the function
 * does after a recovery, when its other deferred calls have run: it must return.  Deferred calls run, last
 * deferred first, when the function returns, when a panic passes it, or when its G ends by rt_goexit().
 *
 * What differs from Go:
 *  - `return x;` evaluates x before the deferred calls run, so a deferred call can change what the function
 *    returns only on the way of a panic.
 *  - A recovery goes back to a place in the function: in C to the last RT_DEFER, in C++ to the last one whose block has
 *    not ended, else to RT_FRAME. Like setjmp's (C17 7.13.2.1), the recovery block sees old values of local variables that
 *    changed after that place, unless they are volatile or their address was deferred, as above.
 *  - C++: what was alive at that place is destroyed, once; what came into being later is not, nor what the functions have
 *    that the panic passes, as with longjmp. With clang, an object that changes after that place, and whose address nobody
 *    has, is destroyed as it was there. RT_DEFER is a declaration: no goto and no case goes past it, so put braces around.
 *    An exception that leaves a deferred function is std::terminate, as one that leaves a destructor; none may leave
 *    another function that rt.h calls.
 *  - In C there is nothing to know that a block has ended: a deferring call must not stand in one that ends before the
 *    function and has variables with a cleanup attribute.
 *  - longjmp must not leave a function that has deferred: nobody would take its deferred calls out of the chain.
 *  - What is deferred runs after the function's later variables went out of scope: arg must not point into a
 *    variable length array or an inner block.
 *
 * Cost: a deferred call is a record of 40 bytes.  The first RT_FRAME_RECORDS of a frame lie in the frame;
 * further ones, and all of RT_DEFER_LOOP, come from the P's pool, to a loop several at once.  In C++ a deferring call
 * also keeps the place before it while its block lasts: 6 to 7 ns more.
 */
#pragma once
#include "rt.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Values ---- */

enum rt_kind { /* how a value is printed */
  RT_KIND_OF_TYPE, /* as type says: "string" "error" "bool" "int" "int64" "uint" "uintptr" "float64" ... are
                    * printed plainly, anything else as (TYPE) 0xADDRESS of p */
  RT_KIND_BOOL, /* the others: a named type over this kind, printed as TYPE(value) */
  RT_KIND_INT,
  RT_KIND_UINT,
  RT_KIND_FLOAT,
  RT_KIND_STRING, /* TYPE("text") */
};

struct rt_value {   /* a panic's value; texts are borrowed until the panic is over */
  const char *type; /* Go's name of the type; NULL is the nil value */
  enum rt_kind kind;
  union {
    const char *s;
    int64_t i;
    uint64_t u;
    double f;
    const void *p;
    bool b;
  };
};

/* panic(message): runs the G's deferred calls, newest first, till one recovers; if none does, the process ends with Go's
 * words, a dump and exit code 2. message is borrowed until then. Fatal where there is no G. From a G. */
RT_API RT_NORETURN void rt_panic(const char *message);
/* The same with any value; nil becomes Go's *runtime.PanicNilError. From a G. */
RT_API RT_NORETURN void rt_panic_value(struct rt_value value);

/* rt_recover(struct rt_value *v): stops the panic and puts its value into *v (v may be NULL).  True only when
 * called by a deferred function itself while its G panics; false in a function that it calls, when nothing
 * panics, when the panic was recovered already, and during rt_goexit. The panic ends when the deferred
 * function returns. A macro: the function that uses it is not inlined, so that "itself" has a meaning. Not in a lambda of
 * C++: a function of the compiler's stands between it and who calls it. From anywhere. */

/* ---- Frames ---- */

#define RT_FRAME_RECORDS 8
#define RT_FRAME_SPARES  12

/* The thread sanitizer must see who leaves frames without returning: only longjmp tells it. */
#if defined(__SANITIZE_THREAD__)
#define RT_LIBC_JUMP 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define RT_LIBC_JUMP 1
#endif
#endif
#ifdef RT_LIBC_JUMP
#include <setjmp.h>
typedef jmp_buf rt_resume;
/* A program that is built so needs a library that is, too; with another one it does not link, by this name. */
#define rt_frame_exit rt_frame_exit_of_library_with_fsanitize_thread
#else
typedef void *rt_resume[8];
#endif

struct rt_frame;
struct rt_defer { /* private */
  struct rt_defer *link;
  void (*fn)(void *);
  void *arg;
  struct rt_frame *frame;
  bool pooled; /* for ever */
};
struct rt_frame { /* private */
  void *fp;
  uint32_t n_spares; /* records of the pool for the next turns of a loop */
  uint16_t n_records;
  bool of_cxx;             /* caught and uncaught are set */
  bool unused;             /* 0: so a frame begins with one store for these four */
  struct rt_defer **chain; /* the G's; valid while there is a spare */
  rt_resume resume;        /* where to go on after a recovery */
  struct rt_defer records[RT_FRAME_RECORDS];
  struct rt_defer *spares[RT_FRAME_SPARES];
  void *caught; /* C++'s exceptions at the place of resume: a recovery goes back to them */
  unsigned int uncaught;
};

/* C++: what a frame's resume, of_cxx, caught and uncaught were before a deferring call; while its block lasts. */
struct rt_scope { /* private */
  struct rt_frame *frame;
  rt_resume resume;
  void *caught;
  unsigned int uncaught;
  bool of_cxx;
};

/* What the macros are made of; not called by programs. */
RT_API void rt_frame_exit(struct rt_frame *frame);
RT_API void rt_frame_recovered(struct rt_frame *frame);
RT_API void rt_frame_of_cxx(struct rt_frame *frame);
RT_API RT_NORETURN void rt_frame_fell_through(void);
RT_API void rt_scope_begin(struct rt_scope *scope, struct rt_frame *frame);
RT_API void rt_scope_end(struct rt_scope *scope);
RT_API void rt_defer_in_frame(struct rt_frame *frame, void (*fn)(void *), void *arg);
RT_API void rt_defer_pooled(struct rt_frame *frame, void (*fn)(void *), void *arg);
RT_API void rt_nil_function(void *arg);

/* A nil function panics when it is run, as in Go, by being this one. Free of cost where it is a constant. */
static inline void (*rt_function_(void (*fn)(void *)))(void *)
{
  return fn ? fn : rt_nil_function;
}

/* A turn of a loop. Only what belongs to the G is touched here, never its P: a preemption may come in between. */
static inline void rt_defer_in_loop_(struct rt_frame *frame, void (*fn)(void *), void *arg)
{
  if (__builtin_expect(frame->n_spares == 0, 0)) {
    rt_defer_pooled(frame, fn, arg);
    return;
  }
  struct rt_defer **chain = frame->chain, *d = frame->spares[--frame->n_spares];
  d->link = *chain;
  d->fn = fn;
  d->arg = arg;
  d->frame = frame;
  __atomic_signal_fence(__ATOMIC_RELEASE); /* in the chain when it is complete */
  *chain = d;
}

/* gcc's __builtin_setjmp keeps variables right (abnormal edges) and forbids inlining of the function around
 * it.  clang's does neither, so there it is our own, declared to return twice.  All fill resume alike: where
 * CET's shadow stack is provided for (-fcf-protection=return and full, the default of some distributions), gcc puts
 * its pointer where the stack pointer is else, and that behind it; so it is moved back, and objects that were built
 * in either way may call one another. */
#if defined(__clang__)
RT_API int rt_mark(void **resume) __attribute__((returns_twice));
RT_API bool rt_recover_in(void *caller_fp, struct rt_value *value) __attribute__((returns_twice));
#define RT_MARK_OWN(resume) rt_mark(resume)
#define rt_recover(value)   rt_recover_in(__builtin_frame_address(0), (value))
#else
RT_API bool rt_recover_in(void *caller_fp, struct rt_value *value);
#if defined(__CET__) && (__CET__ & 2)
#define RT_MARK_OWN(resume) (__builtin_setjmp(resume) || ((resume)[2] = (resume)[3], 0))
#else
#define RT_MARK_OWN(resume) __builtin_setjmp(resume)
#endif
#define rt_recover(value)                                                                          \
  __extension__({                                                                                  \
    void *rt_not_inlined_[5];                                                                      \
    __builtin_setjmp(rt_not_inlined_) ? false                                                      \
                                      : rt_recover_in(__builtin_frame_address(0), (value));        \
  })
#endif

#ifdef RT_LIBC_JUMP
#define RT_MARK(resume) _setjmp(resume)
#else
#define RT_MARK(resume) RT_MARK_OWN(resume)
#endif

/* Defers, and marks the place where the function goes on after a recovery: the last one whose block has not ended, else
 * destructors of that would run a second time. In C, which has none, it is the last one of all. In C++ the block's end
 * finds the place before it again, and RT_FRAME marks the first. It is one declaration, all that an if has if need be. The
 * mark is the second thing that it declares, so that who goes back to it and leaves the block ends the first, too. */
#ifdef __cplusplus
static inline struct rt_scope rt_scope_of_(struct rt_frame *frame)
{
  struct rt_scope scope;
  rt_scope_begin(&scope, frame);
  return scope;
}
#define RT_FRAME_OF_CXX(frame) rt_frame_of_cxx(frame)
#define RT_FRAME_MARK_(fr)     RT_MARK((fr).resume)
#define RT_PASTE_(a, b)        a##b
#define RT_SCOPE_(n)           RT_PASTE_(rt_scope_, n)
/* clang-format off */
#define RT_DEFER_BY_(how, fr, fn, arg)                                                             \
  struct rt_scope RT_SCOPE_(__COUNTER__) __attribute__((cleanup(rt_scope_end), unused)) =          \
      (how(&(fr), rt_function_(fn), (arg)), rt_scope_of_(&(fr))),                                  \
  *RT_SCOPE_(__COUNTER__) __attribute__((unused)) = __extension__({                                \
    if (RT_MARK((fr).resume))                                                                      \
      goto fr##_recovered;                                                                         \
    static_cast<struct rt_scope *>(0);                                                             \
  })
/* clang-format on */
#else
#define RT_FRAME_OF_CXX(frame) (void)0
#define RT_FRAME_MARK_(fr)     0
#define RT_DEFER_BY_(how, fr, fn, arg)                                                             \
  do {                                                                                             \
    how(&(fr), rt_function_(fn), (arg));                                                           \
    if (RT_MARK((fr).resume))                                                                      \
      goto fr##_recovered;                                                                         \
  } while (0)
#endif

/* clang-format off */
#define RT_FRAME(fr, ...)                                                                          \
  struct rt_frame fr __attribute__((cleanup(rt_frame_exit)));                                      \
  fr.fp = __builtin_frame_address(0);                                                              \
  fr.n_spares = fr.n_records = fr.of_cxx = fr.unused = 0;                                          \
  RT_FRAME_OF_CXX(&fr);                                                                            \
  if (RT_FRAME_MARK_(fr)) {                                                                        \
  fr##_recovered: __attribute__((unused));                                                         \
    rt_frame_recovered(&fr);                                                                       \
    __VA_ARGS__                                                                                    \
    rt_frame_fell_through();                                                                       \
  }                                                                                                \
  (void)0
/* clang-format on */

/* defer fn(arg), not in a loop: a record in the frame, from the ninth on from the pool. A nil fn panics when it is run:
 * "runtime error: invalid memory address or nil pointer dereference". In the function of fr, from a G. */
#define RT_DEFER(fr, fn, arg) RT_DEFER_BY_(rt_defer_in_frame, fr, (fn), (arg))

/* defer fn(arg), also in a loop: a record from the P's pool; fatal without memory for one. A nil fn
 * as above. In the function of fr, from a G. */
#define RT_DEFER_LOOP(fr, fn, arg) RT_DEFER_BY_(rt_defer_in_loop_, fr, (fn), (arg))

#ifdef __cplusplus
}
#endif
