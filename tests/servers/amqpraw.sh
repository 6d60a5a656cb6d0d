#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An AMQP 1.0 server over plain sockets, written from the specification: a strict checker of what the client sends, and some 350 roles, most of
# which break the rules. JSON lines on its output:
#   {"conn":1,"got":"attach",...}  each performative of the client (transfers and dispositions with AMQP_VERBOSE=1 only)
#   {"conn":1,"sent":"begin",...}  each one of the server
#   {"conn":1,"message":ADDRESS,"delivery":0,"settled":false,"frames":1,"size":20,"sections":[[NAME,[TYPE,VALUE]]...]}   {"disposition":[0,3],"state":...}
#   {"conn":1,"transaction":ID,"now":"declared"}  ...,"now":"committed","posted":3,"retired":1}  ...,"now":"rolled back",...,"why":null}  ID: in hexadecimal digits
#   {"conn":1,"upgrade":PATH}      a WebSocket's request              {"conn":1,"upgraded":true}  it was granted
#   {"conn":1,"breach":TEXT}       the client has broken the specification
#   {"conn":1,"end":TEXT,"opened":true,"closed":true,"owed":[],"breaches":0}  owed: what the client has not answered
# The role of a connection: AMQP_ROLE (broker), what PORT2 was told, or what the container-id or hostname of its open names; of a link: what the first part of
# its address names. `amqpraw.py --roles` names them all, and which are legal (a client must work with those). What the broker has at these addresses:
#   numbered/COUNT/SIZE  that many messages for a receiver, "0", "1"... as string, padded    types  one message with every type
#   settled/...          sent settled to receivers                                           any other: a queue; dynamic nodes too
# PORT2, control: one line a connection, answered: "role NAME" (of the connections from now on), "breaches", "log", "clear", "roles", "connections",
# "queue ADDRESS" (what a receiver would get now, a line {"sections":[...]} a message, in order), "queues" ({"queue":ADDRESS,"messages":3}),
# "transactions" ({"conn":1,"transaction":ID,"posted":2,"retired":0,"over":null}, those that are not discharged; over: how the server has ended it).
# Transactions: the broker has a coordinator, in every role: posting, retiring, transactional acquisition; each on its own connection. A message that is posted is
# in its queue with the commit, not before: another connection may look, or "queue". Rolled back: what was posted is nowhere; what was retired and settled by the
# client is in its queue again, at its old place; what it has not settled stays with it, as the specification has it; numbered messages do not come again.
# Ended control links, sessions and connections roll back. Roles of the coordinator are named txn-...; a link to a coordinator has no address, so they are roles
# of a connection. In all roles, those which answer a sender (reject, release, modify...) do so within the transaction.
#   txn-refused txn-not-implemented txn-unauthorized txn-target txn-attach-silent txn-attach-end   the link is not what it should be
#   txn-bare txn-local txn-capabilities       what the coordinator says that it can       txn-credit-none txn-credit-late txn-credit-one
#   txn-declare-...  rejected rejected-foreign rejected-bare accepted released modified no-state transactional no-id id-string id-33 silent late detach end close
#                    cut unsettled second twice                                           txn-id-long txn-id-empty txn-id-same
#   txn-post-...     plain no-state other-id no-outcome declared received nested silent rejected released fatal detach detach-link unsettled late after
#   txn-settle-early txn-settle-late txn-settle-never txn-rollback-releases               of retired deliveries     txn-acquire-refused txn-acquire-plain
#   txn-discharge-...  rejected timeout unknown rejected-foreign rejected-bare rejected-all silent late released modified declared no-state transactional twice
#                    unsettled reversed cut reset cut-before close end detach
#   txn-timeout txn-timeout-detach txn-detach txn-detach-plain txn-end txn-close txn-cut  200 ms after the declare
# WebSocket: with AMQP_WS_PORT, AMQP over ws is taken there, with AMQP_WS_TLS_PORT over wss (tls.sh's server.crt); subprotocol "amqp", any path. Every role is
# played there too. Its own are named ws-...: as the role of a connection, or as the path (/ws-bytes), which leaves the role to be named as well; any other
# role may be the path, too. Requests, masking, opcodes, lengths, fragments, pongs and close frames of the client are judged: breaches that begin with "WebSocket: ".
# The line "end" has "websocket":{"messages":9,"frames":9,"close":1000,"pongs owed":0}; close: null where the client has sent no close frame.
#   ws-http-STATUS (400 401 403 404 426 500 503 302 200) ws-subprotocol-refused ws-subprotocol-other ws-subprotocol-case ws-subprotocol-two ws-accept-wrong
#   ws-extension ws-silent ws-cut-upgrade ws-half-upgrade ws-amqp-upgrade ws-slow-upgrade                                    the handshake
#   ws-bytes ws-odd ws-joined ws-fragments ws-fragments-pings ws-empty ws-pings ws-pongs                                     legal
#   ws-text ws-text-between ws-masked ws-rsv ws-opcode ws-continued ws-huge ws-ping-long                                     not legal
#   ws-close-opened ws-close-begun ws-close-bare ws-close-code ws-cut ws-no-close ws-close-first                             the end
# Environment: AMQP_SASL (anonymous,plain,external; none allows connections without SASL), AMQP_MAX_FRAME_SIZE 65536, AMQP_CHANNEL_MAX 255,
# AMQP_HANDLE_MAX 255, AMQP_IDLE_TIMEOUT 0 (ms), AMQP_WINDOW 2048, AMQP_CREDIT 100, AMQP_MAX_MESSAGE_SIZE 0, AMQP_QUIET=1 (no messages, no dispositions),
# AMQP_SHOW 65536 (largest message that is shown), AMQP_TXN_TIMEOUT 0 (ms that a transaction may take), AMQP_WS_PORT, AMQP_WS_TLS_PORT. Users: TEST_USER, and alice with "secret".
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='python3'

start() {
  if [ -n "${AMQP_WS_TLS_PORT:-}" ]; then
    tls
    export TLS_DIR=$tls
  fi
  PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/amqpraw.py" "$port" "$port2"
}

ready() {
  accepts "$port" && accepts "$port2" &&
    { [ -z "${AMQP_WS_PORT:-}" ] || accepts "$AMQP_WS_PORT"; } && { [ -z "${AMQP_WS_TLS_PORT:-}" ] || accepts "$AMQP_WS_TLS_PORT"; }
}

main "$@"
