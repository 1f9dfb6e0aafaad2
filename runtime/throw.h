/* SPDX-License-Identifier: MIT */
/* throw.h - how a process ends that cannot go on, and who says so (throw.c, fork.c). */
#pragma once
#include <stdbool.h>

/* Our bug: prints "fatal error: msg", dumps every G, ends the trace, exits with 2. */
_Noreturn void throw(const char *msg);
/* The user's: the same without the runtime's own frames, and of as many Gs as RT_TRACEBACK says. */
_Noreturn void fatal(const char *msg);
/* A panic that nobody recovered, the newest of its G: the same with the panics' words. */
struct rt_panic;
_Noreturn void fatalpanic(struct rt_panic *p);
/* Somebody says them, and the process ends behind. */
bool somebody_dies(void);
/* What the signals come to. */
bool on_fault(void *address, void *pc, void *fp, void *sp);
void on_quit(void *pc, void *fp, int sigcode, const void *context);
/* The user called what only a G may call: throws, after saying so. what: the function, or NULL. */
_Noreturn void not_on_a_g(const char *what);
/* A status is not as it must be here, mostly because the program called where it must not: says so, if that is it,
 * else throws otherwise. gp: whose status, or NULL. */
struct g;
_Noreturn void misplaced(const struct g *gp, const char *otherwise);
/* Fatal: a program's mistake, which in_this_run found. */
_Noreturn void waited_in_another_run(void);
/* fork.c: from now on a child of fork() is told of; ends the process, in words, if this is one. */
void fork_watch(void);
void check_forked(void);
/* Ends the trace and the process. */
_Noreturn void rt_exit(int code);
