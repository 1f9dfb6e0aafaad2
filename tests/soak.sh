#!/bin/sh
# SPDX-License-Identifier: MIT
# soak.sh BUILD - the long versions of the tests: every demo 50 times on 1, 2, 4 and 8 Ps, each recording checked, dumped,
# loaded and dumped again; then the runtime's suites over and over.  GMPSCOPE_REPEAT changes the number of times.
set -eu
build=$1
repeat=${GMPSCOPE_REPEAT:-50}
GMPSCOPE_REPEAT=$repeat meson test -C "$build" --timeout-multiplier 0 --verbose test-demos-check
meson test -C "$build" --suite runtime --repeat "$repeat" --quiet
