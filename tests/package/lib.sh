# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Shared by the package tests.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# run PROGRAM: the consumer, over a definition of its own
run() {
  local program=$1 data
  data=$(mktemp -d)
  mkdir "$data/inbox"
  printf 'type: connection\nname: inbox\ndesc: files of partners\nurl: file://%s/inbox\n' "$data" >"$data/inbox.qconn.yaml"
  "$program" "$data"
  rm -rf "$data"
}

# consume PREFIX WORK: builds the consumer against what is installed in PREFIX, by CMake and by pkg-config, and runs both
consume() {
  local prefix=$1 work=$2 libdir
  cmake -S "$here/find_package" -B "$work/cmake" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
  cmake --build "$work/cmake"
  libdir=$(dirname "$(find "$prefix" -name 'libqconn.*' | head -n 1)")
  LD_LIBRARY_PATH=$libdir run "$work/cmake/consumer"
  LD_LIBRARY_PATH=$libdir "$work/cmake/consumer_test"

  export PKG_CONFIG_PATH=$libdir/pkgconfig
  # shellcheck disable=SC2046
  c++ -std=c++20 "$here/consumer.cpp" -o "$work/by-pkg-config" $(pkg-config --cflags --libs qconn)
  LD_LIBRARY_PATH=$libdir run "$work/by-pkg-config"
  # shellcheck disable=SC2046
  c++ -std=c++20 "$here/consumer_test.cpp" -o "$work/test-by-pkg-config" $(pkg-config --cflags --libs qconn-testing)
  LD_LIBRARY_PATH=$libdir "$work/test-by-pkg-config"
}
