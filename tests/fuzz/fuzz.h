/* SPDX-License-Identifier: MIT */
/* fuzz.h - what every fuzz target is.
 *
 * With clang and -fsanitize=fuzzer a target's file alone is a fuzzer:
 *
 *   clang -fsanitize=fuzzer,address,undefined -DFUZZING -Irecorder/trace -Itests/fuzz tests/fuzz/fuzz-text.c recorder/trace/trace-*.c
 *
 * In the test suite the same file is an ordinary program: fuzz-main.c feeds it each file of a corpus, cut and
 * mutated in ways that are the same in every run, so that the targets cannot rot and no fuzzer is needed. */
#pragma once
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
