#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# WebSocket by npm's ws: ws on PORT, wss on PORT2; echo. Compression unless WS_DEFLATE=off, from the first byte on; subprotocol: the first that is offered.
#   /close/C  closes with code C after the first message   /terminate  cuts the connection after it   /ping  sends a ping and says when the pong came
. "$(dirname "$0")/lib.sh"
packages='apt nodejs
apt openssl
npm ws'
programs='node'

start() {
  tls
  npm_packages ws
  exec node --no-warnings "$here/wsjs.mjs" "$port" "$port2" "$tls"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
