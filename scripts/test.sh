#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# test.sh: installs what the tests need, builds everything under AddressSanitizer and UBSan and runs all tests, then builds the programs with
# threads under ThreadSanitizer and runs those. The last line says how many tests passed and failed.
set -uo pipefail
cd "$(dirname "$0")/.."
# The tests of packages build the library several times, in folders of their own; the tests of programs have a precompiled header.
export CMAKE_CXX_COMPILER_LAUNCHER=ccache CCACHE_NOHASHDIR=1 CCACHE_SLOPPINESS=pch_defines,time_macros
export CTEST_PARALLEL_LEVEL=${CTEST_PARALLEL_LEVEL:-3}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1:handle_sigill=1:quarantine_size_mb=16:malloc_context_size=8} UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1:suppressions=$PWD/tests/tsan.supp}
passed=0 failed=0
report=build/report.txt
mkdir -p build && : >"$report"

# step NAME: the step before has ended; how long each took is told at the end.
step() {
  [ -z "${at:-}" ] || echo "$at: $((SECONDS - since)) s" >>"$report"
  at=$1 since=$SECONDS
}
step "dependencies"
scripts/install_dependencies.sh test || exit 1

# run PRESET CTEST_ARGUMENT...: builds what that preset has and counts its tests.
# A test with threads or servers shares the machine with other tests, and may miss its moment on a busy one. A few that failed are tried once more, one
# at a time: what is broken fails again. Those that passed only then are named at the end.
run() {
  local preset=$1 log total bad again
  shift
  log=build/$preset/test.log
  ctest --test-dir "build/$preset" --output-on-failure "$@" 2>&1 | tee "$log"
  read -r bad total < <(count "$log")
  if [ -z "${total:-}" ]; then
    echo "ctest gave no count for $preset" | tee -a "$report"
    bad=1 total=1
  fi
  passed=$((passed + $(cases "$preset")))
  again=build/$preset/Testing/Temporary/LastTestsFailed.log
  if [ "$bad" -gt 0 ] && [ "$bad" -le 8 ] && [ -s "$again" ]; then
    sed "s/^[0-9]*:/$preset, failed at first: /" "$again" >>"$report"
    ctest --test-dir "build/$preset" --output-on-failure --rerun-failed -j1 2>&1 | tee "$log.again"
    read -r bad _ < <(count "$log.again")
    bad=${bad:-1}
  fi
  if [ "$bad" -gt 0 ]; then sed "s/^[0-9]*:/$preset, FAILED: /" "$again" >>"$report"; fi
  passed=$((passed + total - bad)) failed=$((failed + bad))
}

# How many test cases passed in programs that are one test each, without the one that ctest has counted.
cases() {
  sed -nE 's/^All tests passed \(.* in ([0-9]+) test cases?\)$/\1 1/p; s/^test cases: .* ([0-9]+) passed .*$/\1 0/p' "build/$1/Testing/Temporary/LastTest.log" |
    awk '{ sum += $1 - $2 } END { print sum + 0 }'
}
count() { sed -nE 's/^[0-9]+% tests passed, ([0-9]+) tests? failed out of ([0-9]+)$/\1 \2/p' "$1" | tail -n 1; }

# Files are compiled several at a time: half the time from nothing. (.ci/full compiles each alone.)
step "asan, build"
cmake --preset asan -DCMAKE_UNITY_BUILD=ON -DQCONN_TEST_PROGRAMS=ON >/dev/null && cmake --build --preset asan || exit 1
step "asan, tests"
run asan -LE 'package|slow'
step "asan, packages"
run asan -L package
step "tsan, build"
cmake --preset tsan -DCMAKE_UNITY_BUILD=ON -DQCONN_TEST_PROGRAMS=ON >/dev/null && cmake --build --preset tsan --target threaded_tests || exit 1
step "tsan, tests"
run tsan -L threads
step end
cat "$report"
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
