/* SPDX-License-Identifier: MIT */
/* case.h - what a conformance case is, and the few words that cases are written in.
 *
 * A case is one program: its function runs as the main G on a runtime of its own, in a process of its own.
 * Beside it stand the rule of Go that it checks and what the process must leave: standard output, exit code,
 * and the head of standard error.  The same case, by the same name, is written in Go in go/; both must leave
 * the same, so an expectation that is not Go's cannot stay.
 *
 * I1  The order of what a case writes is made by channels, or by there being one P; never by luck.
 * I2  A case runs once a process, so the cases of a file share its globals, zero at the beginning.
 * I3  Cases free nothing, as in Go: the process ends.
 *
 * The cases register themselves through a linker section, so each is written down once.  Not done: one table
 * at the end of each file; it would name every case a second time.
 */
#pragma once
#include "rt.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct conformance_case {
  const char *name, *rule; /* the rule: where it stands, and what it says in a few words */
  void (*run)(void);
  int procs;          /* RT_MAXPROCS and GOMAXPROCS; 0: 1 */
  int code;           /* exit code */
  const char *out;    /* standard output; NULL: nothing */
  const char *err;    /* head of standard error, as outcome.h cuts it; NULL: nothing */
  const char *not_go; /* why there is no such case in Go, or NULL */
  const char *known;  /* why it fails today, or NULL */
};

extern const struct conformance_case *const __start_conformance_cases[];
extern const struct conformance_case *const __stop_conformance_cases[];

/* clang-format off */
/* CASE(name, rule, PRINTS("...")) { what main does } */
#define CASE(id, rule_, ...)                                                                       \
  static void id(void);                                                                            \
  static const struct conformance_case id##_case = { .name = #id, .rule = (rule_), .run = id, __VA_ARGS__ }; \
  static const struct conformance_case *const id##_entry                                           \
      __attribute__((section("conformance_cases"), used)) = &id##_case;                            \
  static void id(void)
/* clang-format on */

#define PRINTS(text)       .out = (text)
#define PROCS(n)           .procs = (n)
#define EXITS(n)           .code = (n)
#define NOT_GO(why)        .not_go = (why)
#define KNOWN_FAILING(why) .known = (why)
/* Dies of a panic of the main G; text is what follows "panic: ". */
#define PANICS(text)     .code = 2, .err = "panic: " text "\n\ngoroutine 1 [running]:\n"
#define PANICS_ERR(text) .code = 2, .err = text "\n\ngoroutine 1 [running]:\n"
/* Dies of a panic of another G. */
#define PANICS_IN_G(text)     PANICS_ERR_IN_G("panic: " text)
#define PANICS_ERR_IN_G(text) .code = 2, .err = text "\n\ngoroutine N [running]:\n"
/* Dies of a fatal error; state is that of the first G in the dump. */
#define FATAL(text, state) .code = 2, .err = "fatal error: " text "\n\ngoroutine 1 [" state "]:\n"
#define DEADLOCK(state)    FATAL("all goroutines are asleep - deadlock!", state)

#define MS            ((int64_t)1000000)
#define NUM(n)        ((void *)(intptr_t)(n))
#define N_ELEM(array) (sizeof(array) / sizeof(array)[0])
#define say(...)      printf(__VA_ARGS__)
/* A function to start or to defer; its argument is arg, num(arg) if it was NUM(n). */
#define FN(name) static void name(void *arg __attribute__((unused)))
static inline int num(const void *arg)
{
  return (int)(intptr_t)arg;
}

/* Channels of int. */
struct rt_chan *ints(size_t capacity);
void put(struct rt_chan *c, int value);
int take(struct rt_chan *c);
/* Receives, and says the value and whether the channel was open: "7 true ". */
void say_take(struct rt_chan *c);
/* Starts a G; aborts if it cannot. */
void go(void (*fn)(void *), void *arg);
/* Lets the others run until each waits or is done. For one P. */
void settle(void);
/* Deferred: says "recovered: VALUE ", or "nothing " if there is no panic to recover. */
void recover_say(void *unused);
/* Deferred or called: says the text and a space. */
void say_word(void *text);
/* Calls fn(arg) and says whether it returned or what it panicked with: "ok " or "recovered: VALUE ". */
void catch_panic(void (*fn)(void *), void *arg);
