#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tinyproxy: HTTP proxy, GET and CONNECT, with basic authentication as TEST_USER; PROXY_AUTH=none: open to all. Log: DIR/log.
# Answers 407 to no password and 401 to a wrong one.
. "$(dirname "$0")/lib.sh"
packages='apt tinyproxy'
programs='tinyproxy'

start() {
  : >"$dir/log"
  give nobody "$dir/log"
  cat >"$dir/tinyproxy.conf" <<CONF
$([ "$EUID" -ne 0 ] || printf 'User nobody\nGroup nogroup\n')
Listen 127.0.0.1
Port $port
Timeout 60
LogFile "$dir/log"
LogLevel Connect
MaxClients 200
Allow 127.0.0.1
$([ "${PROXY_AUTH:-basic}" = none ] || echo "BasicAuth $user $pass")
CONF
  exec tinyproxy -d -c "$dir/tinyproxy.conf"
}

ready() { accepts "$port"; }

main "$@"
