/* SPDX-License-Identifier: MIT */
/* sim-libc.h - the C library's clocks, sleeps and random numbers in the simulation. */
#pragma once
#include <stdint.h>

/* On the main thread, before the program's own code. seed: what the environment asks for; 0: nothing. */
void sim_libc_begin(uint64_t seed);
