#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ftp.sh BENCH_FTP [ROUNDS] [MIB] [FILES] [NAMES]: bench_ftp beside curl (one large file each way) and lftp's mirror (many small ones over one session),
# against ProFTPD of this machine; taken in turn, the middle of the rounds: time by the clock and of the processor, in seconds. NAMES of get put fetch
# small, each plain and with `-tls`; of `fetch-tls` and `small-tls` lftp is timed with its defaults too, which protect the control connection only.
set -euo pipefail
bench=$1 rounds=${2:-9} size=${3:-512} files=${4:-1000} names=${5:-get put fetch small get-tls put-tls fetch-tls small-tls}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d -p /dev/shm)
chmod 755 "$dir"
port=$((20000 + RANDOM % 20000))
user=qconntest pass=Passw0rd-1
setsid "$here/../servers/proftpd.sh" start "$dir" "$port" >"$dir.log" 2>&1 </dev/null &
server=$!
trap 'kill -- -$server 2>/dev/null; rm -rf "$dir" "$dir.log"' EXIT
until "$here/../servers/proftpd.sh" ready "$dir" "$port" 2>/dev/null; do sleep 0.1; done
mkdir -p "$dir/home/small" "$dir/local"
head -c "${size}M" /dev/zero >"$dir/home/large"
head -c 1024 /dev/zero | tr '\0' x >"$dir/one"
for ((i = 0; i < files; ++i)); do cp "$dir/one" "$dir/home/small/f$i"; done
cp -r "$dir/home/small" "$dir/local/"
chown -R nobody:nogroup "$dir/home"

timed() { "$here/timed.py" run "$dir/$1" "${@:2}"; }
mirror() { # NAME SETTINGS ARGUMENTS
  rm -rf "$dir/got" "$dir/home/mirrored"
  timed "$1" lftp -u "$user,$pass" -e "set ssl:verify-certificate no; $2; mirror $3; quit" "127.0.0.1:$port"
}

for ((round = 0; round < rounds; ++round)); do
  for name in $names; do
    what=${name%-tls} tls=none secure=() settings='set ftp:ssl-allow no'
    if [ "$what" != "$name" ]; then
      tls=explicit secure=(--ssl-reqd -k) settings='set ftp:ssl-force yes; set ftp:ssl-protect-data yes'
    fi
    count=$files
    case $what in get | put) count=$size ;; esac
    timed "$name.ours" "$bench" "$what" 127.0.0.1 "$port" "$user" "$pass" "$tls" "$count"
    case $what in
      get) timed "$name.curl" curl -s "${secure[@]}" --user "$user:$pass" -o /dev/null "ftp://127.0.0.1:$port/large" ;;
      put) timed "$name.curl" curl -s "${secure[@]}" --user "$user:$pass" -T "$dir/home/large" "ftp://127.0.0.1:$port/up" ;;
      fetch) arguments="small $dir/got" ;;&
      small) arguments="-R $dir/local/small mirrored" ;;&
      fetch | small)
        mirror "$name.lftp" "$settings" "$arguments"
        [ "$tls" = none ] || mirror "$name.lftp-defaults" '' "$arguments"
        ;;
    esac
  done
done
# shellcheck disable=SC2086
"$here/timed.py" report "$dir" $names
