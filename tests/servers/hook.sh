#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# HTTP server that keeps what is posted to it, and refuses it as it is told; see hook.py.
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 "$here/hook.py" "$port" "$dir"; }

ready() { accepts "$port"; }

main "$@"
