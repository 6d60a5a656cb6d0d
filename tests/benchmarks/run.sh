#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD_DIR: every measurement that docs/performance.md quotes, one after the other. Wants a quiet machine; takes some hours with all of files, half an hour without.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${1:?usage: run.sh BUILD_DIR}
grep -m 1 'model name' /proc/cpuinfo || true
printf 'cores: %s, load: %s\n' "$(nproc)" "$(cut -d ' ' -f 1-3 /proc/loadavg)"
"$here/include_time.sh"
for name in load many registry http_get json_get rpc codecs detection mail_parse; do
  printf '== %s\n' "$name"
  "$build/tests/benchmarks/bench_$name"
done
for name in sftp ftp smtp pop3 amqp amqp_latency; do
  printf '== %s\n' "$name"
  "$here/$name.sh" "$build/tests/benchmarks/bench_$name"
done
printf '== monitor\n'
"$here/monitor.sh" "$build"
