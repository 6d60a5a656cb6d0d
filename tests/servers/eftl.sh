#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Strict eFTL server, which records every breach of the protocol: ws:// and wss:// on PORT, channels /channel and /map, log-in TEST_USER and TEST_PASS.
# PORT2: control over HTTP: breaches, state, messages, faults on demand; see the head of eftl.mjs.
# Environment: EFTL_PROTOCOL=0|1 (1), EFTL_HEARTBEAT (240) and EFTL_TIMEOUT (600) in seconds, EFTL_MAX_SIZE in bytes (8192; 0: no limit),
# EFTL_CERT=expired|wrong|other|self for another certificate, EFTL_CLIENT_CERT=1: one of tls.sh's authority is asked for.
. "$(dirname "$0")/lib.sh"
packages='apt nodejs
apt openssl'
programs='node openssl'

start() {
  tls
  # Messages live for a while: a larger nursery halves the time of the garbage collector.
  exec node --max-semi-space-size=64 "$here/eftl.mjs" "$port" "$port2" "$user" "$pass" "$tls"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
