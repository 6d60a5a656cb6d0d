#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# quickstart.sh: installs what is needed, builds the tool, and uses it on the definitions in examples/connections.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/install_dependencies.sh build
export CMAKE_CXX_COMPILER_LAUNCHER=ccache
cmake --preset release -B build/quickstart -DQCONN_BUILD_TESTS=OFF -DQCONN_BUILD_EXAMPLES=OFF -DQCONN_BUILD_BENCHMARKS=OFF \
  -DCMAKE_UNITY_BUILD=ON >/dev/null
cmake --build build/quickstart --target qconn_cli
qconn=build/quickstart/src/cli/qconn
say() { printf '\n$ qconn %s\n' "$*"; }

say check examples/connections
$qconn check examples/connections
say --dir examples/connections list
$qconn --dir examples/connections list
say --dir examples/connections explain project-files
$qconn --dir examples/connections explain project-files
say --dir examples/connections call project-files stat README.md
$qconn --dir examples/connections call project-files stat README.md
printf '\nThe tool is %s. Next: docs/guide.md\n' "$qconn"
