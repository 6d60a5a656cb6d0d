#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# pop3.sh BENCH_POP3 [ROUNDS] [MESSAGES]: a mailbox of messages of 10 KiB read by qconn and by libcurl, against Dovecot of this machine; taken in turn, the
# middle of the rounds: wall time and processor time of the client in seconds.
set -euo pipefail
bench=$1 rounds=${2:-9} messages=${3:-1000}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
user=qconntest pass=Passw0rd-1
mkdir -p "$dir/mail/$user/new"
{
  printf 'From: a@example.com\nSubject: a message of 10 KiB\n\n'
  for ((i = 0; i < 135; ++i)); do printf '%075d\n' "$i"; done
} >"$dir/one"
for ((i = 0; i < messages; ++i)); do cp "$dir/one" "$dir/mail/$user/new/1700000000.$i.test"; done
setsid "$here/../servers/dovecot.sh" start "$dir" "$port" >"$dir.log" 2>&1 </dev/null &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -rf "$dir" "$dir.log"' EXIT
until "$here/../servers/dovecot.sh" ready "$dir" "$port"; do sleep 0.1; done
"$bench" qconn 127.0.0.1 "$port" "$user" "$pass" none "$messages" >/dev/null # the server's index is made by the first
for ((round = 0; round < rounds; ++round)); do
  for tls in none tls; do
    where=$port
    if [ "$tls" = tls ]; then where=$((port + 1)); fi
    for who in qconn libcurl; do "$bench" "$who" 127.0.0.1 "$where" "$user" "$pass" "$tls" "$messages" >>"$dir/$who-$tls"; done
  done
done
for list in "$dir"/qconn-* "$dir"/libcurl-*; do
  python3 - "$list" <<'PY'
import os, statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
print(f"{os.path.basename(sys.argv[1]):14} wall {statistics.median(r[0] for r in rows):.4f}  cpu {statistics.median(r[1] for r in rows):.4f}  bytes {rows[0][2]:.0f}")
PY
done
