#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# XML-RPC (Python's standard library) on / and /RPC2; /auth wants basic authentication. Methods: add(a, b), echo(...), fail(code, text), crash(),
# sleep(s), note(text), notes(), types() (every type, nil too), system.listMethods, system.methodHelp, system.multicall.
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 "$here/rpc.py" xml "$port" "$user" "$pass"; }

ready() { accepts "$port"; }

main "$@"
