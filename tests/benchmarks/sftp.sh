#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# sftp.sh BENCH_SFTP [ROUNDS] [MIB] [FILES] [CIPHER] [NAMES]: bench_sftp beside OpenSSH's sftp, against OpenSSH's sshd of this machine; taken
# in turn, the middle of the rounds: wall time and processor time of the client in seconds. One file of MIB each way (get put), FILES of 1 KiB each way
# (get-small put-small); then through a proxy that adds 20 ms to each direction: 8 files of MIB / 8 (far-get far-put), and FILES / 20 small ones
# (far-get-small far-put-small).
set -euo pipefail
bench=$1 rounds=${2:-9} size=${3:-512} files=${4:-10000} cipher=${5:-aes128-gcm@openssh.com}
names=${6:-get put get-small put-small far-get far-put far-get-small far-put-small}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d -p /dev/shm)
chmod 755 "$dir"
port=$((20000 + RANDOM % 10000)) far=$((30000 + RANDOM % 2000))
user=qconnssh
setsid "$here/../servers/sshd.sh" start "$dir" "$port" >"$dir.log" 2>&1 </dev/null &
server=$!
"$here/delay.py" "$far" "$port" 20 &
proxy=$!
trap 'kill -- -$server 2>/dev/null; kill $proxy; rm -rf "$dir" "$dir.log"' EXIT
until "$here/../servers/sshd.sh" ready "$dir" "$port" 2>/dev/null; do sleep 0.1; done
by_proxy=$(sed "s/:$port /:$far /" "$dir/known_hosts")
echo "$by_proxy" >>"$dir/known_hosts"
some=$((files / 20)) eighth=$((size / 8))
mkdir -p "$dir"/local/{small,some,big} "$dir/times"
head -c "${size}M" /dev/urandom >"$dir/local/large"
for ((i = 0; i < files; ++i)); do head -c 1024 /dev/zero >"$dir/local/small/f$i"; done
for ((i = 0; i < some; ++i)); do cp "$dir/local/small/f$i" "$dir/local/some/"; done
for ((i = 0; i < 8; ++i)); do head -c "${eighth}M" "$dir/local/large" >"$dir/local/big/f$i"; done
cp -r "$dir"/local/* "$dir/home/"
chown -R "$user" "$dir/home"

# pair NAME PORT KIND FROM TO COMMAND: ours, and sftp with that command
pair() {
  local name=$1 to=$2 kind=$3
  [[ " $names " = *" $name "* ]] || return 0
  "$here/timed.py" run "$dir/times/$name.ours" "$bench" "$kind" "$to" "$user" "$dir/keys/ed25519" "$dir/known_hosts" "$cipher" "$4" "$5"
  clean
  printf '%s\n' "$6" >"$dir/batch"
  "$here/timed.py" run "$dir/times/$name.sftp" sftp -q -b "$dir/batch" -P "$to" -i "$dir/keys/ed25519" -o "UserKnownHostsFile=$dir/known_hosts" -o "Ciphers=$cipher" "$user@127.0.0.1"
  clean
}
clean() { rm -rf "$dir/got" "$dir/home/put"; }

for ((round = 0; round < rounds; ++round)); do
  pair get "$port" get large "$dir/got" "get large $dir/got"
  pair put "$port" put "$dir/local/large" put "put $dir/local/large put"
  pair get-small "$port" get-tree small "$dir/got" "get -R small $dir/got"
  pair put-small "$port" put-tree "$dir/local/small" put "put -R $dir/local/small put"
  pair far-get "$far" get-tree big "$dir/got" "get -R big $dir/got"
  pair far-put "$far" put-tree "$dir/local/big" put "put -R $dir/local/big put"
  pair far-get-small "$far" get-tree some "$dir/got" "get -R some $dir/got"
  pair far-put-small "$far" put-tree "$dir/local/some" put "put -R $dir/local/some put"
done
# shellcheck disable=SC2086
"$here/timed.py" report "$dir/times" $names
