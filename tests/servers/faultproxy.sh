#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TCP proxy whose network is broken on request: PORT leads to TARGET (HOST:PORT), PORT2 takes rules; see faultproxy.py.
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 "$here/faultproxy.py" "$port" "$port2" "${TARGET:?}"; }

ready() { accepts "$port2"; }

main "$@"
