#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# module.sh INSTALLED WORK: builds examples/module against the packages that installed.sh has left in INSTALLED, puts it where modules are found,
# and uses it with the installed tool and with a program, against a real Redis server.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
installed=$1 work=$2
servers=$here/../servers
source_dir=$here/../../examples/module
rm -rf "$work"
mkdir -p "$work/server" "$work/definitions"
server=
trap '[ -z "$server" ] || { kill "$server"; wait "$server" || true; }' EXIT

fail() {
  printf 'FAILED: %s\n' "$1" >&2
  exit 1
}
# says TEXT COMMAND...: the command succeeds and its output holds the text
says() {
  local text=$1 out
  shift
  out=$("$@" 2>&1) || fail "$* ended with $?: $out"
  [[ $out == *"$text"* ]] || fail "$* does not say '$text' but: $out"
}
# refuses CODE TEXT COMMAND...: it ends with that code, and its output holds the text
refuses() {
  local code=$1 text=$2 out ended=0
  shift 2
  out=$("$@" 2>&1) || ended=$?
  [ "$ended" = "$code" ] || fail "$* ended with $ended: $out"
  [[ $out == *"$text"* ]] || fail "$* does not say '$text' but: $out"
}

# build KIND: the module and the program against the static (OFF) or the shared (ON) package, installed with it
build() {
  cmake -S "$source_dir" -B "$work/build-$1" -G Ninja -DCMAKE_PREFIX_PATH="$installed/prefix-$1" -DCMAKE_BUILD_TYPE=Debug \
    -DCMAKE_CXX_FLAGS='-Wall -Wextra -Werror'
  cmake --build "$work/build-$1"
  cmake --install "$work/build-$1" >/dev/null
}
build ON
build OFF
shared=$installed/prefix-ON
modules=$(dirname "$(find "$shared" -name redis.so)")
[[ $modules == */qconn/modules ]] || fail "the module was installed into $modules"
export LD_LIBRARY_PATH=${modules%/qconn/modules}

# By hand as well: linked with the shared library, and wrongly with the static one, which it then carries.
for source in module client connection ping resp; do
  c++ -std=c++20 -fPIC -fvisibility=hidden -I"$shared/include" -c "$source_dir/$source.cpp" -o "$work/$source.o"
done
for kind in ON OFF; do
  PKG_CONFIG_PATH=$(dirname "$(find "$installed/prefix-$kind" -name qconn.pc)")
  export PKG_CONFIG_PATH
  # shellcheck disable=SC2046
  c++ -shared "$work"/{module,client,connection,ping,resp}.o -o "$work/by-hand-$kind.so" $(pkg-config --libs qconn)
  [ "$(realpath "$(pkg-config --variable=moduledir qconn)")" = "$(realpath "$(dirname "$(find "$installed/prefix-$kind" -name redis.so)")")" ] ||
    fail "pkg-config tells $(pkg-config --variable=moduledir qconn) for the directory of modules"
done

for _ in $(seq 20); do  # a port that is free
  port=$((20000 + RANDOM % 20000))
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
done
"$servers/redis.sh" start "$work/server" "$port" &
server=$!
for _ in $(seq 200); do
  if "$servers/redis.sh" ready "$work/server" "$port"; then break; fi
  kill -0 "$server" 2>/dev/null || fail "redis-server ended: $(cat "$work/server/log")"
  sleep 0.1
done
define() {
  printf 'type: connection\nname: %s\ndesc: a cache\nurl: redis://%s127.0.0.1:%s\noptions:\n  timeout: 20000\n%s' "$1" "$2" "$3" "${4:-}" \
    >"$work/definitions/$1.qconn.yaml"
}
# shellcheck disable=SC2016
define cache '' "$port" '  password: ${env:CACHE_PASSWORD}
'
define named 'qconntest:Passw0rd-1@' "$port" '  database: 3
'
define wrong ':wr0ng@' "$port"
define gone '' 1
export CACHE_PASSWORD=Passw0rd-1
cd "$work/definitions"

# The tool finds it by its name beside the library, by its path, and by the environment.
qconn=$shared/bin/qconn
says 'redis 1.0.0' "$qconn" --module redis schemes
says "module redis 1.0.0, $modules/redis.so" "$qconn" --module "$modules/redis.so" schemes redis
says '4 ok, 0 errors, 0 warnings' env QCONN_MODULES=redis "$qconn" check
says 'options-redis' "$qconn" --module redis schema
says 'Longest silence of the server' "$qconn" --module redis docs redis
says 'get KEY' "$qconn" --module redis show cache
says '2 up' "$qconn" --module redis ping cache named
says 'Redis 7.' "$qconn" --module redis explain named --depth full
says 'null' "$qconn" --module redis call cache set greeting 'hello there'
says '"hello there"' env QCONN_MODULES=redis "$qconn" call cache get greeting
says 'null' "$qconn" --module redis call named get greeting
refuses 1 'WRONGPASS' "$qconn" --module redis ping wrong
refuses 1 'WRONGPASS' "$qconn" --module redis call wrong get greeting
refuses 1 'refused' "$qconn" --module redis ping gone
refuses 1 'refused' "$qconn" --module redis call gone get greeting
"$qconn" --module redis monitor --json --for 60s --interval 500ms | grep -q -m 1 '"name":"cache","state":"up"' || fail "the monitor did not see it up"

says 'redis 1.0.0' "$qconn" --module "$work/by-hand-ON.so" schemes
refuses 1 " in $work/by-hand-OFF.so, and this program the one in " "$qconn" --module "$work/by-hand-OFF.so" check

# One that fails is told, and the rest works.
refuses 1 "there is no file redsi.so in $modules; did you mean 'redis'?" "$qconn" --module redsi --module redis check
says '2 up' "$qconn" --module redsi --module redis ping cache named

# A program has its typed client without being linked with the module.
says 'good morning' "$work/build-ON/remember" . named greeting 'good morning'
refuses 1 'REDIS-ERROR' "$work/build-ON/remember" . wrong greeting x

# The static library: the tool exports what modules need, and a module for it has no library of its own.
static=$installed/prefix-OFF
static_pc=$(dirname "$(find "$static" -name qconn.pc)")
QCONN_MODULE_PATH=$(dirname "$(find "$static" -name redis.so)")
export QCONN_MODULE_PATH
says '2 up' "$static/bin/qconn" --module redis ping cache named
says '"hello there"' "$static/bin/qconn" --module redis call cache get greeting
says 'good night' "$work/build-OFF/remember" . named greeting 'good night'
# A module that brings the shared library, and a program that does not export: both are told, neither is let in.
refuses 1 'link the program with that shared library' "$static/bin/qconn" --module "$modules/redis.so" check
# shellcheck disable=SC2046
c++ -std=c++20 "$source_dir/remember.cpp" -o "$work/exports-nothing" $(PKG_CONFIG_PATH=$static_pc pkg-config --cflags --libs qconn)
refuses 1 'this program holds qconn as a static library and does not export this' "$work/exports-nothing" . named greeting x
refuses 1 'undefined symbol: ' "$work/exports-nothing" . named greeting x
