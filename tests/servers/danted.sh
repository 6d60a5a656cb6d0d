#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dante: SOCKS4 and SOCKS5, not SOCKS4a. DIR/log has the target of each connection. Targets on the port SOCKS_BLOCKED are not allowed.
. "$(dirname "$0")/lib.sh"
packages='apt dante-server'
programs='danted'
signal=KILL  # its children do not hear the end

start() {
  : >"$dir/log"
  give nobody "$dir/log"
  cat >"$dir/danted.conf" <<CONF
logoutput: $dir/log
internal: 127.0.0.1 port = $port
external: 127.0.0.1
$([ "$EUID" -ne 0 ] || printf 'user.privileged: root\nuser.unprivileged: nobody\n')
clientmethod: none
socksmethod: none
client pass { from: 127.0.0.0/8 to: 0.0.0.0/0 }
$([ -z "${SOCKS_BLOCKED:-}" ] || printf 'socks block { from: 127.0.0.0/8 to: 0.0.0.0/0 port = %s }\n' "$SOCKS_BLOCKED")
socks pass {
  from: 127.0.0.0/8 to: 0.0.0.0/0
  protocol: tcp
  proxyprotocol: socks_v4 socks_v5
  log: connect error
}
CONF
  exec danted -f "$dir/danted.conf" -p "$dir/pid"
}

ready() { accepts "$port"; }

main "$@"
