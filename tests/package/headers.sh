#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# headers.sh SOURCE_DIR COMPILER: compiles each public header as a file of its own.
set -euo pipefail
source_dir=$1 compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$source_dir/include"
status=0
while IFS= read -r header; do
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" >"$work/one.cpp"
  "$compiler" -std=c++20 -Wall -Wextra -Werror -I. -fsyntax-only "$work/one.cpp" || { echo "$header does not compile alone"; status=1; }
done < <(find qconn -name '*.hpp' | sort)
exit $status
