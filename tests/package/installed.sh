#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# installed.sh SOURCE_DIR WORK_DIR: builds, installs and consumes the static and the shared library; the shared one exports nothing of others.
. "$(dirname "$0")/lib.sh"
source_dir=$1 work=$2
for shared in OFF ON; do
  prefix=$work/prefix-$shared
  rm -rf "$prefix" "$work/use-$shared"
  mkdir -p "$work/use-$shared"
  cmake -S "$source_dir" -B "$work/build" -G Ninja -DBUILD_SHARED_LIBS=$shared -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 \
    -DCMAKE_UNITY_BUILD=ON -DCMAKE_POSITION_INDEPENDENT_CODE=ON -DQCONN_BUILD_TESTS=OFF -DQCONN_BUILD_EXAMPLES=OFF
  cmake --build "$work/build"
  cmake --install "$work/build" --prefix "$prefix" >/dev/null
  consume "$prefix" "$work/use-$shared"
  for page in man/man1/qconn.1 bash-completion/completions/qconn zsh/site-functions/_qconn fish/vendor_completions.d/qconn.fish; do
    [ -s "$prefix/share/$page" ] || { echo "$page is not installed"; exit 1; }
  done
  LD_LIBRARY_PATH=$(dirname "$(find "$prefix" -name 'libqconn.*' | head -n 1)") "$prefix/bin/qconn" --version
done
# boost:: and the like must stay inside: a consumer with another version of them would clash.
leaked=$(nm -DC --defined-only "$(find "$work/prefix-ON" -name libqconn.so)" | awk '$2 ~ /^[TDBR]$/' | grep -E ' (boost|YAML|pugi|nlohmann)::' || true)
if [ -n "$leaked" ]; then
  printf 'third-party symbols are exported:\n%s\n' "$leaked"
  exit 1
fi
