#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# smtp.sh BENCH_SMTP [ROUNDS] [MESSAGES] [BYTES]: bench_smtp by qconn and by libcurl in turn, against aiosmtpd and Exim of this machine, which keep nothing;
# the middle of the rounds: wall time and processor time of the client in seconds.
set -euo pipefail
bench=$1 rounds=${2:-9} messages=${3:-1000} bytes=${4:-10240}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
chmod go+rx "$dir"
pids=()
trap 'for pid in "${pids[@]}"; do kill -- "-$pid" 2>/dev/null; done; rm -rf "$dir"' EXIT
export SMTP_KEEP=0 SMTP_OPEN=1 SMTP_DISCARD=1
port=$((20000 + RANDOM % 20000))
for server in aiosmtp exim; do
  mkdir "$dir/$server"
  setsid "$here/../servers/$server.sh" start "$dir/$server" "$port" >"$dir/$server.log" 2>&1 </dev/null &
  pids+=($!)
  until "$here/../servers/$server.sh" ready "$dir/$server" "$port"; do sleep 0.1; done
  echo "$port" >"$dir/$server.port"
  port=$((port + 10))
done
for ((round = 0; round < rounds; ++round)); do
  for server in aiosmtp exim; do
    for way in ours curl single many; do
      "$bench" "$way" 127.0.0.1 "$(cat "$dir/$server.port")" "$messages" "$bytes" >>"$dir/$server-$way"
    done
  done
done
for server in aiosmtp exim; do
  for way in ours single many curl; do
    python3 - "$dir/$server-$way" <<'PY'
import os, statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
print(f"{os.path.basename(sys.argv[1]):16} wall {statistics.median(r[0] for r in rows):.3f}  cpu {statistics.median(r[1] for r in rows):.3f}")
PY
  done
done
