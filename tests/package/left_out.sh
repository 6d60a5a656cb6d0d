#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# left_out.sh SOURCE_DIR COMPILER: checks each source file that asks whether a family is left out as a build without all of them compiles it.
# (That such a build links is shown by subdirectory.sh, which takes minutes.)
set -euo pipefail
source_dir=$1 compiler=$2
flags=(-std=c++20 -Wall -Wextra -Werror -I"$source_dir/include" -I"$source_dir/src" '-DQCONN_VERSION="0"' -fsyntax-only)
while read -r name; do flags+=("-D$name"); done < <(grep -rhoE 'QCONN_WITHOUT_[A-Z]+' "$source_dir/src" | sort -u)
grep -rlE 'QCONN_WITHOUT_' "$source_dir/src" --include='*.cpp' | tr '\n' '\0' | xargs -0 -P "$(nproc)" -I{} "$compiler" "${flags[@]}" {}
