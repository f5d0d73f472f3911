#!/bin/bash
# Runs the executables below qemu.d/GUEST/OPERATION/SUB-OPERATION, as the hook of
# VFIO-Tools and its many descendants do.
set -e
tree="$(dirname "$0")/qemu.d/$1/$2/$3"
[ -d "$tree" ] || exit 0
while read -r hook; do
    [ -z "$hook" ] || "$hook" "$@"
done <<<"$(find -L "$tree" -maxdepth 1 -type f -executable | sort)"
