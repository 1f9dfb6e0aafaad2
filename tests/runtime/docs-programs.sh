#!/bin/sh
# SPDX-License-Identifier: MIT
# docs-programs.sh - compiles the programs of docs/runtime.md and README.md as a user would, against an installed copy,
# and compares what they print with the page; then looks at what was installed. A program is a ```c block with a main;
# the ```text block behind it is its output. Prints TAP.
set -u
. "$GMPSCOPE_SOURCE/tests/runtime/installed.sh"

# programs_of PAGE PREFIX: its programs become PREFIX1.c and so on, what they print PREFIX1.expected.
programs_of() {
  awk -v prefix="$folder/$2" '
    /^```c$/    { block = "c"; text = ""; next }
    /^```text$/ { block = "text"; text = ""; next }
    /^```$/ {
      if (block == "c" && text ~ /\nint main\(/) printf "%s", text > (prefix (++n) ".c")
      if (block == "text" && n) printf "%s", text > (prefix (n) ".expected")
      block = ""
      next
    }
    block { text = text $0 "\n" }
  ' "$GMPSCOPE_SOURCE/$1"
}
programs_of docs/runtime.md runtime
programs_of README.md readme
echo 42 >"$folder/readme1.expected" # the page tells it in passing

for source in "$folder"/*.c; do
  program=${source%.c}
  # shellcheck disable=SC2046
  cc -Wall -Wextra -Werror -O2 -o "$program" "$source" $(pkg-config --cflags --libs gmpscope-rt) 2>"$folder/cc.log" &&
    timeout 30 "$program" >"$program.out" && cmp -s "$program.out" "$program.expected"
  ended=$?
  verdict "$ended" "${program##*/}.c prints what the page says"
  [ "$ended" = 0 ] || {
    sed 's/^/# /' "$folder/cc.log"
    diff "$program.expected" "$program.out" 2>&1 | sed 's/^/# /'
  }
done

[ -f "$folder/runtime3.c" ] && [ -f "$folder/readme1.c" ]
verdict $? "docs/runtime.md has three programs, README.md one"

others=$(nm -D --defined-only "$LD_LIBRARY_PATH/libgmpscope-rt.so" | awk '{ print $3 }' | grep -v '^rt_')
[ -z "$others" ]
verdict $? "the library exports nothing but rt_*"
[ -z "$others" ] || echo "$others" | sed 's/^/# /'

# What the headers promise is there, and nothing is there that they do not tell of.
promised=$(cat "$GMPSCOPE_SOURCE"/runtime/rt.h "$GMPSCOPE_SOURCE"/runtime/rt-defer.h "$GMPSCOPE_SOURCE"/runtime/rt-preempt.h |
  tr '\n' ' ' | grep -o 'RT_API[^;]*;' | sed 's/ __attribute__.*//' | grep -o 'rt_[a-z0-9_]*(' | tr -d '(' | sort -u)
exported=$(nm -D --defined-only "$LD_LIBRARY_PATH/libgmpscope-rt.so" | awk '{ print $3 }' | sort -u)
missing=$(echo "$promised" | grep -vxF "$exported" | grep -vxF rt_mark)
untold=$(echo "$exported" | grep -vxF "$promised" | grep -vxF -e rt_mark)
[ -z "$missing$untold" ]
verdict $? "the library exports what the headers tell of"
[ -z "$missing$untold" ] || echo "# missing: $missing untold: $untold"

for header in rt.h rt-defer.h rt-preempt.h; do
  echo "#include <gmpscope/$header>" | cc -Wall -Wextra -Werror -std=c11 -pedantic -fsyntax-only -x c \
    $(pkg-config --cflags gmpscope-rt) - 2>"$folder/cc.log"
  verdict $? "<gmpscope/$header> compiles alone, as C11"
  sed 's/^/# /' "$folder/cc.log"
done
echo "1..$n"
