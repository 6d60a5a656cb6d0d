#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# include_time.sh [COMPILER]: user seconds for a file that includes <qconn/qconn.hpp>, -O0; median, minimum and maximum of 11.
set -euo pipefail
cd "$(dirname "$0")/../.."
compiler=${1:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
printf '#include <qconn/qconn.hpp>\nint main() {}\n' >"$work/one.cpp"
TIMEFORMAT=%U
for _ in $(seq 11); do
  { time "$compiler" -std=c++20 -O0 -Iinclude -c "$work/one.cpp" -o "$work/one.o"; } 2>>"$work/times"
done
sort -n "$work/times" | awk '{t[NR] = $1} END {printf "include <qconn/qconn.hpp>: median %s s, min %s, max %s of %d\n", t[int((NR + 1) / 2)], t[1], t[NR], NR}'
