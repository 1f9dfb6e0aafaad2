#!/bin/sh
# SPDX-License-Identifier: MIT
# user-builds.sh - what a program's own compiler and flags must not change: the header is compiled with them, and the
# library was not. The programs of user-builds/ are built against an installed copy by each compiler that is here.
# Prints TAP.
set -u
. "$GMPSCOPE_SOURCE/tests/runtime/installed.sh"
sources=$GMPSCOPE_SOURCE/tests/runtime/user-builds
cflags="-Wall -Wextra -Werror -g $(pkg-config --cflags gmpscope-rt)"
libs=$(pkg-config --libs gmpscope-rt)
gmpscope=$GMPSCOPE_BUILD/recorder/gmpscope
last_flag=
compilers=
for compiler in gcc clang-14 clang; do
  command -v "$compiler" >/dev/null 2>&1 && compilers="$compilers $compiler"
done

compile() {
  # shellcheck disable=SC2086
  "$@" $cflags $last_flag 2>>"$folder/log" || sed 's/^/# /' "$folder/log"
}

# prints TEXT PROGRAM...: it ends well and prints just this.
prints() {
  text=$1
  shift
  timeout 60 "$@" >"$folder/out" 2>"$folder/err" && [ "$(cat "$folder/out")" = "$text" ] && return
  echo "# $* ended with $?, and wanted \"$text\"; it said:"
  head -n 20 "$folder/out" "$folder/err" | sed 's/^/# /'
  return 1
}

# Frames to go back to, with and without CET: gcc lays out what __builtin_setjmp saves in two ways.
objects=
for compiler in $compilers; do
  for cet in none branch return full; do
    for level in 0 2; do
      object=$folder/descent-$compiler-$cet-$level
      compile "$compiler" -O$level -fcf-protection=$cet -c -o "$object.o" "$sources/descent.c"
      compile "$compiler" -O$level -fcf-protection=$cet -o "$object" "$sources/descents.c" "$object.o" $libs
      prints "1 of 1" "$object"
      verdict $? "$compiler -O$level -fcf-protection=$cet: a recovery goes back to the frame"
      objects="$objects $object.o"
    done
  done
done
# shellcheck disable=SC2086
compile gcc -O2 -o "$folder/descents" "$sources/descents.c" $objects $libs
set -- $objects
prints "$# of $#" "$folder/descents"
verdict $? "objects that were built in either way call one another ($#)"

# errno, as compilers see it.
for compiler in $compilers; do
  for level in 2 3; do
    for order in ERRNO_FIRST ERRNO_LAST ERRNO_NOWHERE; do
      program=$folder/errno-$compiler-$level-$order
      compile "$compiler" -D_GNU_SOURCE -O$level -D$order -o "$program" "$sources/errno.c" $libs
      prints "0 wrong" env RT_MAXPROCS=4 "$program"
      verdict $? "$compiler -O$level -D$order: errno is the G's own on whatever thread"
    done
  done
done

# ends CODE TEXT PROGRAM...: it ends with that and prints just this.
ends() {
  code=$1 text=$2
  shift 2
  timeout 60 "$@" >"$folder/out" 2>"$folder/err"
  ended=$?
  [ $ended = "$code" ] && [ "$(cat "$folder/out")" = "$text" ] && return
  echo "# $* ended with $ended, and wanted $code and \"$text\"; it said:"
  head -n 20 "$folder/out" "$folder/err" | sed 's/^/# /'
  return 1
}

# keeps_rules PROGRAM...: it is recorded, ends well, and its trace keeps every rule.
keeps_rules() {
  "$gmpscope" record -q -o "$folder/t.db" -- "$@" >"$folder/out" 2>"$folder/err" &&
    "$gmpscope" check "$folder/t.db" >"$folder/out" 2>"$folder/err" && return
  echo "# $*:"
  head -n 20 "$folder/out" "$folder/err" | sed 's/^/# /'
  return 1
}

# C++, by each of its compilers that is here: its exceptions, and what it may mark.
for compiler in g++ clang++-14 clang++; do
  command -v "$compiler" >/dev/null 2>&1 || continue
  for level in 0 2; do
    program=$folder/marked-$compiler-$level
    compile "$compiler" -O$level -o "$program" "$sources/marked.cc" $libs
    prints "7 of 7" "$program"
    verdict $? "$compiler -O$level: what rt-preempt.h lets C++ mark is in the marked section"
    program=$folder/exceptions-$compiler-$level
    compile "$compiler" -O$level -o "$program" -x c "$sources/frame-of-c.c" -x c++ "$sources/exceptions.cc" $libs
    for procs in 1 4; do
      prints "0 wrong" env RT_MAXPROCS=$procs "$program"
      verdict $? "$compiler -O$level, $procs Ps: exceptions are the G's own on whatever thread"
    done
    prints "0 wrong" env RT_DEBUG=sim=$((level + 7)) "$program"
    verdict $? "$compiler -O$level: exceptions are the G's own in the simulation"
    program=$folder/deferred-$compiler-$level
    compile "$compiler" -O$level -o "$program" "$sources/deferred.cc" $libs
    for way in throws throws-in-panic; do
      ends 3 terminated env RT_MAXPROCS=1 "$program" $way
      verdict $? "$compiler -O$level: an exception that leaves a deferred function is std::terminate ($way)"
    done
    ends 0 "caught 7 returned" env RT_MAXPROCS=1 "$program" catches
    verdict $? "$compiler -O$level: one that a deferred function catches is its own"
    for way in yields panics; do
      keeps_rules env RT_MAXPROCS=2 "$program" $way
      verdict $? "$compiler -O$level: a destructor that a recovery runs and that $way leaves a trace that holds"
    done
  done
done

# The thread sanitizer makes the header another one: with the library as it is, the program does not link, and the name that
# is missing says why.
for compiler in $compilers; do
  # shellcheck disable=SC2086
  "$compiler" $cflags -fsanitize=thread -c -o "$folder/sanitized.o" "$sources/descent.c" 2>"$folder/err" || continue
  # shellcheck disable=SC2086
  ! "$compiler" $cflags -fsanitize=thread -o "$folder/sanitized" "$sources/descents.c" "$folder/sanitized.o" $libs \
    2>"$folder/err" && grep -q rt_frame_exit_of_library_with_fsanitize_thread "$folder/err"
  verdict $? "$compiler -fsanitize=thread: does not link with a library built without, and says why"
done

# overflows PROGRAM WAY: it is told, with the dump of the G that did it first, and the process ends as Go's does.
overflows() {
  RT_MAXPROCS=1 timeout 60 "$@" >"$folder/out" 2>"$folder/err"
  [ $? = 2 ] && [ ! -s "$folder/out" ] && grep -qx "fatal error: stack overflow" "$folder/err" &&
    grep '^goroutine ' "$folder/err" | head -n 1 | grep -q 'running labels:{"name": "culprit"}' && return
  echo "# $* said:"
  head -n 20 "$folder/out" "$folder/err" | sed 's/^/# /'
  return 1
}

# Frames larger than the guard. The .pc file asks for the flag that makes them touch it; without it the kernel shows us
# those that end where there is nothing.
for compiler in $compilers; do
  for level in 0 2; do
    program=$folder/overflow-$compiler-$level
    compile "$compiler" -O$level -o "$program" "$sources/overflow.c" $libs
    for way in recursion array 70000 1048576; do
      overflows "$program" "$way"
      verdict $? "$compiler -O$level with the flags of pkg-config: a stack overflow by $way is told"
    done
    last_flag=-fno-stack-clash-protection
    compile "$compiler" -O$level -o "$program" "$sources/overflow.c" $libs
    for way in recursion array 1048576; do
      overflows "$program" "$way"
      verdict $? "$compiler -O$level without stack clash protection: a stack overflow by $way is told"
    done
    last_flag=
  done
done

echo "1..$n"
