#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh SOURCE_DIR COMPILER: compiles each public header as a file of its own. One that a source file includes first is left out: that file's own
# compilation shows it (in .ci/full, where files are not joined).
set -euo pipefail
source_dir=$1 compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source_dir/include"
alone() {
  local file=$work/${2//\//_}.cpp
  printf '#include <%s>\n#include <%s>\n' "$2" "$2" >"$file"
  "$1" -std=c++20 -Wall -Wextra -Werror -I. -fsyntax-only "$file" || { echo "$2 does not compile alone"; return 1; }
}
export -f alone
export work
first=$(mktemp -p "$work")
find ../src -name '*.cpp' -exec awk 'FNR == 1 { seen = 0 } /^#include/ && !seen { gsub(/[<>"]/, "", $2); print $2; seen = 1 }' {} + | sort -u >"$first"
find qconn -name '*.hpp' | sort | grep -vxFf "$first" | tr '\n' '\0' | xargs -0 -P "$(nproc)" -I{} bash -c 'alone "$1" "$2"' alone "$compiler" {}
