#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# monitor.sh BUILD_DIR [TARGETS [INTERVAL_MS [SECONDS [ROUNDS]]]]: CPU time per ping of the monitor and of HAProxy's health checks, interleaved, against
# one peer on as many addresses of 127.0.0.0/8; medians. KINDS="tcp http kept": which.
set -euo pipefail
build=$(cd "$1" && pwd)
targets=${2:-10000} interval=${3:-1000} seconds=${4:-10} rounds=${5:-9}
work=$(mktemp -d)
peer=
rival=
cleanup() {
  for pid in $rival $peer; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
ulimit -n "$(ulimit -Hn)"
port=${PORT:-18080}

"$build/tests/benchmarks/bench_responder" "$port" &
peer=$!
for _ in $(seq 100); do (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break; sleep 0.05; done

config() { # KIND
  echo 'global
    maxconn 1000
    nbthread 1
defaults
    mode http
    timeout connect 5s
    timeout client 5s
    timeout server 5s
    timeout check 5s
frontend none
    bind 127.0.0.1:'"$((port + 1))"'
    default_backend all
backend all'
  [ "$1" = http ] && echo '    option httpchk GET /'
  awk -v n="$targets" -v port="$port" -v inter="$interval" 'BEGIN {
    for (i = 0; i < n; ++i)
      printf "    server t%d 127.%d.%d.%d:%d check inter %dms fall 2 rise 1\n", i, 1 + int(i / 62500), int(i / 250) % 250, 1 + i % 250, port, inter }'
}
ticks() { awk '{print $14 + $15}' "/proc/$1/stat"; }
peer_count() {
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /count HTTP/1.1\r\nHost: x\r\n\r\n' >&3
  while IFS= read -r -u 3 line; do [ "$line" = $'\r' ] && break; done
  read -r -u 3 -t 1 -d '' line || true
  exec 3>&-
  echo "${line%% *}"
}

haproxy_once() { # KIND: prints microseconds of CPU per check, and bytes per target
  config "$1" >"$work/haproxy.cfg"
  haproxy -db -f "$work/haproxy.cfg" >/dev/null 2>&1 &
  rival=$!
  sleep "$(awk -v i="$interval" 'BEGIN {print 3 + 2 * i / 1000}')"
  local before after t0 t1 hz memory
  hz=$(getconf CLK_TCK)
  before=$(peer_count) t0=$(ticks "$rival")
  sleep "$seconds"
  t1=$(ticks "$rival") after=$(peer_count)
  memory=$(awk '/^RssAnon/ {print $2}' "/proc/$rival/status")
  kill "$rival"
  wait "$rival" 2>/dev/null || true
  rival=
  # A bare TCP check ends before the peer has accepted it, so there the checks that were due are counted.
  awk -v t="$((t1 - t0))" -v hz="$hz" -v n="$((after - before))" -v kind="$1" -v due="$(awk -v n="$targets" -v s="$seconds" -v i="$interval" 'BEGIN {print n * s * 1000 / i}')" \
      -v m="$memory" -v targets="$targets" 'BEGIN {
    if (kind == "tcp") n = due
    printf "%.2f %.0f %.1f\n", t * 1e6 / hz / n, m * 1024 / targets, 100 * n / due }'
}
ours_once() { # KIND
  "$build/tests/benchmarks/bench_monitor_10k" "$1" "$port" "$targets" "$interval" "$seconds" |
    sed -E 's/.*"done_percent": ([0-9.]+), "cpu_us_per_ping": ([0-9.]+),.*"monitor_bytes_per_target": (-?[0-9]+).*/\2 \3 \1/'
}
median() { sort -n "$1" | awk -v f="$2" '{v[NR] = $f} END {print v[int((NR + 1) / 2)]}'; }

for round in $(seq "$rounds"); do
  for kind in ${KINDS:-tcp http kept}; do
    [ "$kind" = kept ] || haproxy_once "$kind" >>"$work/haproxy-$kind"
    ours_once "$kind" >>"$work/ours-$kind"
  done
done
echo "$targets targets every $interval ms, $seconds s a run, medians of $rounds: CPU us per ping | bytes per target | % of the due pings done"
for file in haproxy-tcp ours-tcp haproxy-http ours-http ours-kept; do
  [ -e "$work/$file" ] || continue
  printf '%-13s %8s %8s %8s\n' "$file" "$(median "$work/$file" 1)" "$(sort -n -k2,2 "$work/$file" | awk '{v[NR] = $2} END {print v[int((NR + 1) / 2)]}')" \
    "$(sort -n -k3,3 "$work/$file" | awk '{v[NR] = $3} END {print v[int((NR + 1) / 2)]}')"
done
