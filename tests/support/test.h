/* SPDX-License-Identifier: MIT */
/* test.h - cmocka and what it needs before it, in the order that it needs. */
#pragma once
/* clang-format off */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */
#include <signal.h>

/* Who is started in the background by a shell ignores these two, and so would the programs that a test starts. */
__attribute__((constructor)) static void heed_signals(void)
{
  signal(SIGINT, SIG_DFL);
  signal(SIGQUIT, SIG_DFL);
}

/* 1 under the thread sanitizer: it hides the interrupted registers, so nothing is preempted by signal; and it cannot
 * simulate. */
#if defined(__SANITIZE_THREAD__)
#define UNDER_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define UNDER_THREAD_SANITIZER 1
#endif
#endif
#ifndef UNDER_THREAD_SANITIZER
#define UNDER_THREAD_SANITIZER 0
#endif
