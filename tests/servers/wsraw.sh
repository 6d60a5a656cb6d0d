#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A WebSocket server without any library, which sends exact bytes and judges what comes back.
#   GET /cases         names of its cases, one a line; a client connects to /case/NAME, sends back each message as it came, and lives until it is closed
#   GET /verdict/NAME  "OK", or what was wrong
#   /hs/KIND           a handshake that is not as it should be (see wsraw.py)
#   /do/WHAT           a good handshake, and what follows is not: silent, reset, half, slow, pings … (see wsraw.py)
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='python3'

start() { exec python3 "$here/wsraw.py" "$port"; }

ready() { accepts "$port"; }

main "$@"
