#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ftp.sh BENCH_FTP [ROUNDS] [MIB] [FILES]: bench_ftp beside curl (one large file each way) and lftp (many small ones over one session), against ProFTPD of
# this machine; taken in turn, the middle of the rounds: wall time and processor time of the client in seconds.
set -euo pipefail
bench=$1 rounds=${2:-7} size=${3:-512} files=${4:-1000}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
port=$((20000 + RANDOM % 20000))
user=qconntest pass=Passw0rd-1
setsid "$here/../servers/proftpd.sh" start "$dir" "$port" >"$dir.log" 2>&1 </dev/null &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -rf "$dir" "$dir.log"' EXIT
until "$here/../servers/proftpd.sh" ready "$dir" "$port"; do sleep 0.1; done
mkdir -p "$dir/home/small" "$dir/local"
head -c "${size}M" /dev/zero >"$dir/home/large"
head -c 1024 /dev/zero | tr '\0' x >"$dir/one"
for ((i = 0; i < files; ++i)); do cp "$dir/one" "$dir/home/small/f$i"; done
chown -R nobody:nogroup "$dir/home"

# timed NAME COMMAND...: appends "wall cpu" to NAME's list
timed() {
  local name=$1
  shift
  /usr/bin/env python3 - "$dir/$name" "$@" <<'PY'
import resource, subprocess, sys, time
begun = time.monotonic()
subprocess.run(sys.argv[2:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
wall = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
open(sys.argv[1], 'a').write(f"{wall:.4f} {used.ru_utime + used.ru_stime:.4f}\n")
PY
}
ours() { timed "ours-$1-$2" "$bench" "$1" 127.0.0.1 "$port" "$user" "$pass" "$2" "$3"; }

for ((round = 0; round < rounds; ++round)); do
  for tls in none explicit; do
    secure=() lftp_secure='set ftp:ssl-allow no'
    if [ "$tls" = explicit ]; then
      secure=(--ssl-reqd -k)
      lftp_secure='set ftp:ssl-force yes; set ftp:ssl-protect-data yes; set ssl:verify-certificate no'
    fi
    ours get "$tls" "$size"
    timed "curl-get-$tls" curl -s "${secure[@]}" --user "$user:$pass" -o /dev/null "ftp://127.0.0.1:$port/large"
    ours put "$tls" "$size"
    timed "curl-put-$tls" curl -s "${secure[@]}" --user "$user:$pass" -T "$dir/home/large" "ftp://127.0.0.1:$port/up"
    ours fetch "$tls" "$files"
    rm -rf "$dir/local"
    timed "lftp-fetch-$tls" lftp -u "$user,$pass" -e "$lftp_secure; mirror small $dir/local; quit" "127.0.0.1:$port"
    ours small "$tls" "$files"
    rm -rf "$dir/home/mirrored"
    timed "lftp-small-$tls" lftp -u "$user,$pass" -e "$lftp_secure; mirror -R $dir/local mirrored; quit" "127.0.0.1:$port"
  done
done
for list in "$dir"/ours-* "$dir"/curl-* "$dir"/lftp-*; do
  python3 - "$list" <<'PY'
import os, statistics, sys
rows = [list(map(float, line.split())) for line in open(sys.argv[1])]
print(f"{os.path.basename(sys.argv[1]):22} wall {statistics.median(r[0] for r in rows):.3f}  cpu {statistics.median(r[1] for r in rows):.3f}")
PY
done
