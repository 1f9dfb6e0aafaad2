#!/bin/sh
# SPDX-License-Identifier: MIT
# validate.sh - every .ui file is what GTK expects.
for tool in gtk4-builder-tool xvfb-run; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
cd "$GMPSCOPE_SOURCE/ui" || exit 1
exec env GTK_A11Y=none xvfb-run -a sh -c '
status=0
for file in *.ui; do
  gtk4-builder-tool validate "$file" || { echo "$file is wrong"; status=1; }
done
exit $status'
