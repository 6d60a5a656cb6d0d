#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# WebSocket by Python's websockets: ws on PORT, wss on PORT2; compression, subprotocols "one" and "two".
#   /             echo, text and binary          /close/C   closes with code C after the first message
#   /drop         ends TCP without a close frame /headers   sends the request's headers as JSON, then echoes
#   /send/N       one message of N bytes         /tick      sends "0", "1", ... fifty a second
#   /flood/N      N messages of 100 bytes        /fragments sends "hello world" in 3 frames
#   /mute         reads nothing after the handshake, pings included
#   /refuse/C     HTTP status C and the body "refused" instead of 101
#   /redirect/C/WHERE  status C to WHERE         /say/WORD  answers each message with WORD
#   /auth...      401 unless Basic TEST_USER/TEST_PASS, or Bearer TEST_PASS; else as without that
#   /sewio[/WORD] as Sewio RTLS Studio does: answers JSON requests that have TEST_PASS as their key (with their body, or WORD), and sends news of
#                 feeds that are subscribed to
# Each message received is logged. Environment: WS_PING: seconds between pings of the server. WS_DEFLATE=off. WS_CERT: expired, wrong, self.
. "$(dirname "$0")/lib.sh"
packages='apt python3-websockets
apt openssl'
programs='/usr/bin/python3'

start() {
  tls
  exec /usr/bin/python3 "$here/websocket.py" "$port" "$port2" "$user" "$pass" "$tls"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
