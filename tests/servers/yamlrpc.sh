#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# YAML-RPC (PyYAML) on /YAML and YAML; /auth wants basic authentication. See yamlrpc.py for its methods.
. "$(dirname "$0")/lib.sh"
packages='apt python3-yaml'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 "$here/yamlrpc.py" "$port" "$user" "$pass"; }

ready() { accepts "$port"; }

main "$@"
