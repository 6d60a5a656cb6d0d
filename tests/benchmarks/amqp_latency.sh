#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# amqp_latency.sh BENCH_AMQP_LATENCY [ROUNDS [COUNT]]: requests one after the other, by qconn (blocking, and each from the callback of the one before) and by
# Qpid Proton's C++, in turn against rhea, whose echo answers them; microseconds a request, by the clock and of the client's CPU: the middle of the
# rounds, the least and the most. Wants a quiet machine, libqpid-proton-cpp12-dev and g++.
set -euo pipefail
ours=$1 rounds=${2:-9} count=${3:-2000}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
g++ -std=c++17 -O2 -DNDEBUG -Wall -Wextra -o "$dir/proton" "$here/rivals/amqp_proton_latency.cpp" -lqpid-proton-cpp
port=$((20000 + RANDOM % 20000))
mkdir "$dir/rhea"
AMQP_CREDIT=1000 setsid "$here/../servers/rhea.sh" start "$dir/rhea" "$port" "$((port + 1))" >/dev/null 2>&1 </dev/null &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -rf "$dir"' EXIT
until "$here/../servers/rhea.sh" ready "$dir/rhea" "$port" "$((port + 1))"; do sleep 0.1; done
for ((round = 0; round < rounds; ++round)); do
  for way in async blocking; do echo "qconn-$way $("$ours" "$way" "$port" echo "$count" | grep '^RESULT')" >>"$dir/results"; done
  echo "proton $("$dir/proton" "$port" echo "$count" | grep '^RESULT')" >>"$dir/results"
done
python3 - "$dir/results" <<'PY'
import collections, re, statistics, sys
wall, cpu = collections.defaultdict(list), collections.defaultdict(list)
for line in open(sys.argv[1]):
    n, seconds, used = (float(v) for v in re.search(r"n=(\d+) wall=([0-9.]+) cpu=([0-9.]+)", line).groups())
    wall[line.split()[0]].append(seconds / n * 1e6)
    cpu[line.split()[0]].append(used / n * 1e6)
for who in wall:
    print(f"{who:16}" + "  ".join(f"{what} {statistics.median(v):7.1f} us ({min(v):.1f} to {max(v):.1f})" for what, v in (("clock", wall[who]), ("cpu", cpu[who]))))
PY
