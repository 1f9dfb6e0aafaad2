#!/bin/sh
# SPDX-License-Identifier: MIT
# drive.sh - drive.py with a display and a session bus of its own.
for tool in xvfb-run dbus-run-session xdotool import; do
  command -v "$tool" >/dev/null || { echo "skipped: $tool is not installed"; exit 77; }
done
/usr/bin/python3 -c 'import gi; gi.require_version("Atspi", "2.0"); from gi.repository import Atspi' 2>/dev/null ||
  { echo 'skipped: /usr/bin/python3 has no gi with Atspi 2.0 (gir1.2-atspi-2.0)'; exit 77; }
exec xvfb-run -a -s '-screen 0 1280x800x24' dbus-run-session -- \
  /usr/bin/python3 -B "$GMPSCOPE_SOURCE/tests/ui/drive.py"
