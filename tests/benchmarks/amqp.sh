#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# amqp.sh BENCH_AMQP|- [ROUNDS [MESSAGES]]: bench_amqp, Qpid Proton's C++ and the limit (see rivals/) in turn against one peer; seconds of CPU per million
# messages: the middle of the rounds, the least and the most. "-": without bench_amqp. Wants a quiet machine, libqpid-proton-cpp12-dev and g++.
# Both ways with a credit of AMQP_CREDIT (1000): there Proton is at its best; at 10000 its messages cost twice as much, at 10 three times.
set -euo pipefail
ours=$1 rounds=${2:-9} messages=${3:-500000}
here=$(cd "$(dirname "$0")" && pwd)
dir=$(mktemp -d)
peer=
trap '[ -z "$peer" ] || kill "$peer" 2>/dev/null; rm -rf "$dir"' EXIT
for name in peer limit proton; do
  g++ -std=c++17 -O2 -DNDEBUG -Wall -Wextra -o "$dir/$name" "$here/rivals/amqp_$name.cpp" $([ "$name" != proton ] || echo -lqpid-proton-cpp)
done
port=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
credit=${AMQP_CREDIT:-1000}
"$dir/peer" "$port" "$credit" &
peer=$!
until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done

clients=(proton limit)
if [ "$ours" != - ]; then
  ln -s "$(realpath "$ours")" "$dir/ours"
  clients=(ours "${clients[@]}")
fi
cases=(send/100/string/1 send/100/string/0 recv/100/string/1 recv/100/string/0 send/1024/binary/0 recv/1024/binary/0)
for ((round = 0; round < rounds; ++round)); do
  for one in "${cases[@]}"; do
    IFS=/ read -r what size kind settled <<<"$one"
    address=sink
    [ "$what" = send ] || address=source/$messages/$size/$kind
    for client in "${clients[@]}"; do
      printf '%s %s %s\n' "$one" "$client" "$("$dir/$client" "$what" "$port" "$address" "$messages" "$size" "$kind" "$settled" "$credit" | grep '^RESULT')" >>"$dir/results"
    done
  done
done
printf 'seconds of CPU per million messages (least to most of %s rounds of %s messages); in brackets: messages a second by the clock\n' "$rounds" "$messages"
python3 - "$dir/results" "$messages" <<'PY'
import collections, re, statistics, sys
cpu, wall = collections.defaultdict(list), collections.defaultdict(list)
for line in open(sys.argv[1]):
    case, client, *_ = line.split()
    n, seconds, used = (float(v) for v in re.search(r"n=(\d+) wall=([0-9.]+) cpu=([0-9.]+)", line).groups())
    if n != int(sys.argv[2]):
        sys.exit(f"{client} has done {n:.0f} messages in {case}")
    cpu[case, client].append(used / n * 1e6)
    wall[case, client].append(n / seconds)
clients = [c for c in ("ours", "proton", "limit") if any(key[1] == c for key in cpu)]
print(f"{'':28}" + "".join(f"{c:>34}" for c in clients) + ("   ours/proton" if "ours" in clients else ""))
for case in dict.fromkeys(key[0] for key in cpu):
    what, size, kind, settled = case.split("/")
    cells = []
    for c in clients:
        v = cpu[case, c]
        cells.append(f"{statistics.median(v):7.3f} ({min(v):.3f} to {max(v):.3f}) [{statistics.median(wall[case, c]) / 1000:5.0f}k]")
    ratio = f"{statistics.median(cpu[case, 'ours']) / statistics.median(cpu[case, 'proton']):14.2f}" if "ours" in clients else ""
    print(f"{what} {size} {kind} {'settled' if settled == '1' else 'unsettled':10}".ljust(28) + "".join(f"{c:>34}" for c in cells) + ratio)
PY
