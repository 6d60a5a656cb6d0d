#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subdirectory.sh SOURCE_DIR WORK_DIR: a project that takes qconn in whole. Without HTTP, SSH, TELNET and WebSocket, which shows that families can be left out.
. "$(dirname "$0")/lib.sh"
source_dir=$1 work=$2
cmake -S "$here/add_subdirectory" -B "$work" -G Ninja -DQCONN_SOURCE_DIR="$source_dir" -DQCONN_WITH_HTTP=OFF -DQCONN_WITH_SSH=OFF -DQCONN_WITH_TELNET=OFF -DQCONN_WITH_WEBSOCKET=OFF -DCMAKE_UNITY_BUILD=ON \
  -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0
cmake --build "$work" --target consumer consumer_test
run "$work/consumer"
"$work/consumer_test"
grep -q 'qconn_core\.dir/.*\.o' "$work/build.ninja"  # that is how objects are named
if grep -qE 'qconn_(http|ssh|telnet|websocket)\.dir/.*\.o' "$work/build.ninja"; then
  echo "a family was built though it is switched off"
  exit 1
fi
