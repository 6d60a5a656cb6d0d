#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: installs what the tests need, builds everything under AddressSanitizer and UBSan and runs all tests, then builds the programs with
# threads under ThreadSanitizer and runs those. The last line says how many tests passed and failed.
set -uo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh test || exit 1
# The tests of packages build the library several times, in folders of their own; the tests of programs have a precompiled header.
export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-3}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp}
passed=0 failed=0

# run PRESET CTEST_ARGUMENT...: builds what that preset has and counts its tests
run() {
  local preset=$1 log total bad
  shift
  log=build/$preset/test.log
  ctest --test-dir "build/$preset" --output-on-failure "$@" 2>&1 | tee "$log"
  read -r bad total < <(sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$log" | tail -n 1)
  if [ -z "${total:-}" ]; then
    echo "ctest gave no count for $preset"
    bad=1 total=1
  fi
  passed=$((passed + total - bad)) failed=$((failed + bad))
}

# Files of the library are compiled several at a time: half the time from nothing. (The package tests compile each alone.)
cmake --preset asan -DCMAKE_UNITY_BUILD=ON >/dev/null && cmake --build --preset asan || exit 1
run asan
cmake --preset tsan -DCMAKE_UNITY_BUILD=ON >/dev/null && cmake --build --preset tsan --target threaded_tests || exit 1
run tsan -L threads
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
