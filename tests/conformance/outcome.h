/* SPDX-License-Identifier: MIT */
/* outcome.h - runs a case as a process of its own, and tells what the process left. */
#pragma once
#include "case.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct outcome {
  const struct conformance_case *wanted;
  pid_t pid; /* of the process while it runs */
  int out_fd, err_fd;
  int64_t deadline; /* CLOCK_MONOTONIC ns; then it is killed */
  int code;         /* exit code, or 128 + signal; -1: could not be run */
  bool late;        /* killed at its deadline */
  char out[4096];   /* standard output, cut */
  char err
      [2048]; /* head of standard error: all up to the header of the first goroutine, with addresses
                     * as 0xADDR and goroutines but the first as N; or all of it if there is no header */
};

/* Runs each outcome's case by `program NAME`, several at a time, and fills the rest in. */
void outcomes_run(const char *program, struct outcome *outcomes, int n);
