#!/bin/sh
# SPDX-License-Identifier: MIT
# soak.sh BUILD TSAN-BUILD [PART…] - the long versions of the tests. Without PART: all of them, in this order.
#
#   million    a million Gs parked at once
#   messages   10^9 channel operations
#   idle       10,000 sleeping Gs for a minute: less than 0.5 % of a CPU
#   demos      every demo 50 times on 1, 2, 4 and 8 Ps; each recording checked, dumped, loaded and dumped again
#   suites     the runtime's tests over and over
#   sim        a million simulated seeds, from a random one on
#   nest       twenty-five times as many random nestings of panics beside Go, where there is Go
#   tsan       the stress program under clang's thread sanitizer
#   stress     the stress program with random seeds; now and then a piece of it is recorded and checked
#
# GMPSCOPE_SOAK_MINUTES: of stress (60); tsan takes a quarter of it. GMPSCOPE_REPEAT: of demos and suites (50).
# A part that fails is told with the end of its output, the rest goes on; the summary and the exit code tell of all.
set -u
build=$1
tsan=$2
shift 2
minutes=${GMPSCOPE_SOAK_MINUTES:-60}
repeat=${GMPSCOPE_REPEAT:-50}
parts=${*:-million messages idle demos suites sim nest tsan stress}
# Seeds below 2^52, and none of those of the tests.
first=${GMPSCOPE_SIM_FIRST:-$(($(od -An -N6 -tu8 /dev/urandom | tr -d ' ') / 16 + 1000000))}
export GMPSCOPE_SIM_FIRST="$first"
export GMPSCOPE_REPEAT="$repeat" GMPSCOPE_SIM_SEEDS="${GMPSCOPE_SIM_SEEDS:-1000000}" \
  GMPSCOPE_NEST_SEEDS="${GMPSCOPE_NEST_SEEDS:-10000}"
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
failed=0
summary=

say() { printf '%s soak: %s\n' "$(date +%H:%M:%S)" "$*"; }

# part NAME COMMAND…: its output is followed while it runs, and what it said last stands in the summary.
part() {
  name=$1
  shift
  began=$(date +%s)
  say "$name begins"
  if { "$@" 2>&1; echo $? >"$folder/code"; } | tee "$folder/log" | sed -u "s/^/  $name: /" &&
    [ "$(cat "$folder/code")" = 0 ]; then
    verdict=ok
  else
    verdict=FAILED
    failed=1
    cp "$folder/log" "soak-$name.log"
    say "$name failed; its whole output is in soak-$name.log"
  fi
  took=$(($(date +%s) - began))
  line=$(printf '%-9s %-6s %5d s   %s' "$name" "$verdict" "$took" "$(grep -v '^ *$' "$folder/log" | tail -n 1)")
  summary="$summary$line
"
}

# One recorded piece: nothing may be dropped, and every rule must hold when it is replayed.
recorded() {
  seed=$1
  "$build/recorder/gmpscope" record --on-full=block --tables=none -o "$folder/piece.db" -- \
    "$build/tests/soak/stress" --seed "$seed" --rounds 1 >"$folder/piece.log" 2>&1 &&
    "$build/recorder/gmpscope" check "$folder/piece.db" >>"$folder/piece.log" 2>&1
  code=$?
  [ $code = 0 ] || { echo "recorded piece of seed $seed:"; tail -n 40 "$folder/piece.log"; }
  rm -f "$folder"/piece.db*
  return $code
}

stress() {
  end=$(($(date +%s) + $(awk "BEGIN { printf \"%d\", $minutes * 60 }")))
  pieces=0
  while :; do
    left=$(((end - $(date +%s)) / 60))
    [ "$left" -gt 0 ] || break
    "$build/tests/soak/stress" --minutes "$([ "$left" -gt 5 ] && echo 5 || echo "$left")" || return 1
    for i in 1 2 3 4 5; do
      recorded "$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')" || return 1
      pieces=$((pieces + 1))
    done
  done
  echo "stress: $minutes minutes, nothing broken; $pieces recorded pieces keep every rule"
}

tsan_stress() {
  TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:atexit_sleep_ms=0 \
    "$tsan/tests/soak/stress" --minutes "$(awk "BEGIN { print $minutes / 4 }")"
}

# suite [meson test arguments…], and in one line what came out.
suite() {
  meson test -C "$build" --timeout-multiplier 0 --no-rebuild --print-errorlogs "$@" >"$folder/suite.log" 2>&1
  code=$?
  [ $code = 0 ] || cat "$folder/suite.log"
  awk '/^Ok:/ { ok = $2 } /^Fail:/ { failed = $2 } /^Timeout:/ { late = $2 }
    END { printf "%d tests passed, %d failed, %d too late\n", ok, failed, late }' "$folder/suite.log"
  return $code
}

for each in $parts; do
  case $each in
    million) part million "$build/tests/soak/million" ;;
    messages) part messages "$build/tests/soak/messages" ;;
    idle) part idle "$build/tests/soak/idle" 10000 60 ;;
    demos) part demos suite test-demos-check ;;
    suites) part suites suite --suite runtime --repeat "$repeat" ;;
    sim) part sim suite test-sim-seeds ;;
    nest) part nest suite test-nest ;;
    tsan) part tsan tsan_stress ;;
    stress) part stress stress ;;
    *)
      echo "soak: there is no part '$each'; there are million messages idle demos suites sim nest tsan stress" >&2
      exit 2
      ;;
  esac
done
say "summary"
printf '%s' "$summary"
exit $failed
