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
