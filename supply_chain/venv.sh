#!/bin/sh
# Makes the virtual environment $1 with the Python $2. While its owner installs into it, it holds the file .making;
# at the end the owner renames that to .ready. What was interrupted (Ctrl-C, a full disk) is made anew: half an
# installation looks whole to pip and uv.
set -eu
if [ -e "$1/.making" ] || { [ -d "$1" ] && ! "$1/bin/python" -m pip --version > /dev/null 2>&1; }; then
  echo "set-up: $1 is unfinished or broken: making it anew"
  rm -rf "$1"
fi
mkdir -p "$1"
: > "$1/.making"
rm -f "$1/.ready"
test -x "$1/bin/python" || "$2" -m venv "$1"
