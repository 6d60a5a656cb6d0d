#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# AMQP 1.0 broker by Qpid Proton's Python: amqp on PORT, amqps on PORT2. Any address is a queue, with or without a leading slash, but for these:
#   for senders    reject release modify  that outcome, with all its fields    silent  never settled    second  accepted, and settled by the client
#   for receivers  settled/...  sent settled    large/BYTES/COUNT  that many binary bodies of that size    numbered/COUNT  "0", "1"... as strings
#                  types  one message whose amqp-value is a map with a value of every type
#   for both       refused  a null terminus, and a detach with amqp:not-found    dynamic nodes
# Environment: AMQP_SASL (anonymous,external: all that Debian's Proton can as a server; none: no SASL layer needed), AMQP_MAX_FRAME_SIZE,
# AMQP_CHANNEL_MAX, AMQP_IDLE_TIMEOUT (ms; half of it is on the wire), AMQP_CREDIT (100), AMQP_CERT=expired|wrong|other|self for another certificate,
# AMQP_CLIENT_CERT=1: one of tls.sh's authority is asked for and must be there; that is when EXTERNAL works. PN_TRACE_FRM=1: every frame, on standard error.
# JSON lines on its output: {"event":"open|attach|message|outcome|..."}; a message's values as [TYPE, VALUE], as amqpraw.sh writes them.
. "$(dirname "$0")/lib.sh"
packages='apt python3-qpid-proton
apt openssl'
programs='/usr/bin/python3 openssl'

start() {
  tls
  exec /usr/bin/python3 -u "$here/protonpeer.py" "$port" "$port2" "$tls"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
