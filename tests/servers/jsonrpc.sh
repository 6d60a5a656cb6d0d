#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# JSON-RPC 1.0 and 2.0 (jsonrpclib-pelix) on / and /JSON: batches, notifications, named parameters; /auth wants basic authentication. Methods: add(a, b),
# echo(...), named(**), fail(code, text), crash(), sleep(s), note(text), notes(), types(), system.listMethods.
. "$(dirname "$0")/lib.sh"
packages='apt python3-jsonrpclib-pelix'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 "$here/rpc.py" json "$port" "$user" "$pass"; }

ready() { accepts "$port"; }

main "$@"
