#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# eftl.sh BENCH_EFTL [ROUNDS] [MESSAGES]: bench_eftl and eftl_rival.mjs in turn against the eFTL server of tests/servers; the middle of the rounds.
set -euo pipefail
bench=$1 rounds=${2:-5} messages=${3:-50000}
benchmarks=$(cd "$(dirname "$0")" && pwd)  # lib.sh has a name "here" of its own
dir=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
EFTL_MAX_SIZE=0 setsid "$benchmarks/../servers/eftl.sh" start "$dir" "$port" >"$dir.log" 2>&1 </dev/null &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -rf "$dir" "$dir.log"' EXIT
until "$benchmarks/../servers/eftl.sh" ready "$dir" "$port"; do sleep 0.1; done
. "$benchmarks/../servers/lib.sh"
npm_packages ws
arguments=("ws://127.0.0.1:$port/channel" "$((port + 1))" qconntest Passw0rd-1 "$messages")
for ((round = 0; round < rounds; ++round)); do
  "$bench" "${arguments[@]}" >>"$dir/ours"
  node "$benchmarks/eftl_rival.mjs" "${arguments[@]}" >>"$dir/rival"
done
python3 - "$dir" <<'PY'
import json, statistics, sys
middle = {}
for name in ("ours", "rival"):
    rows = [json.loads(line) for line in open(f"{sys.argv[1]}/{name}")]
    for half in ("publish", "receive"):
        middle[name, half] = statistics.median(row[half]["cpu_us"] for row in rows)
for half in ("publish", "receive"):
    ours, rival = middle["ours", half], middle["rival", half]
    print(f"eftl: {half}: {ours:.1f} us CPU a message, rival {rival:.1f} us, {ours / rival:.2f} of it (aim 0.25)")
PY
