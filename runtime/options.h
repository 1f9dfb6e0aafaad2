/* SPDX-License-Identifier: MIT */
/* options.h - what the environment asks for: RT_MAXPROCS, RT_TRACEBACK, RT_DEBUG. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum traceback {
  TRACEBACK_NONE,
  TRACEBACK_SINGLE,
  TRACEBACK_ALL,
  TRACEBACK_SYSTEM,
  TRACEBACK_CRASH,
};

enum fault { /* what fault.c does */
  FAULT_NONE,
  FAULT_SLEEP_BLOCKS_M,
  FAULT_LOSE_DEFERS_ON_PREEMPT,
  FAULT_TIMER_DEFER_RACE,
};

struct options {
  int32_t maxprocs; /* 0: not said */
  enum traceback traceback;
  uint32_t schedtrace_ms; /* 0: off */
  bool scheddetail;
  bool asyncpreemptoff;
  uint64_t sim_seed; /* 0: no simulation */
  enum fault fault;
};
extern struct options options;

/* Reads the environment. False: something in it is wrong; why (n bytes) says what, and what to do. */
bool options_read(char *why, int n);
/* The level with this name; false: there is none. */
bool traceback_by_name(const char *name, enum traceback *level);
