#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# An AMQP 1.0 server over plain sockets, written from the specification: a strict checker of what the client sends, and some 200 roles, most of which
# break the rules. JSON lines on its output:
#   {"conn":1,"got":"attach",...}  each performative of the client (transfers and dispositions with AMQP_VERBOSE=1 only)
#   {"conn":1,"sent":"begin",...}  each one of the server
#   {"conn":1,"message":ADDRESS,"delivery":0,"settled":false,"frames":1,"size":20,"sections":[[NAME,[TYPE,VALUE]]...]}   {"disposition":[0,3],"state":...}
#   {"conn":1,"breach":TEXT}       the client has broken the specification
#   {"conn":1,"end":TEXT,"opened":true,"closed":true,"owed":[],"breaches":0}  owed: what the client has not answered
# The role of a connection: AMQP_ROLE (broker), what PORT2 was told, or what the container-id or hostname of its open names; of a link: what the first part of
# its address names. `amqpraw.py --roles` names them all, and which are legal (a client must work with those). What the broker has at these addresses:
#   numbered/COUNT/SIZE  that many messages for a receiver, "0", "1"... as string, padded    types  one message with every type
#   settled/...          sent settled to receivers                                           any other: a queue; dynamic nodes too
# PORT2, control: one line a connection, answered: "role NAME" (of the connections from now on), "breaches", "log", "clear", "roles", "connections".
# Environment: AMQP_SASL (anonymous,plain,external; none allows connections without SASL), AMQP_MAX_FRAME_SIZE 65536, AMQP_CHANNEL_MAX 255,
# AMQP_HANDLE_MAX 255, AMQP_IDLE_TIMEOUT 0 (ms), AMQP_WINDOW 2048, AMQP_CREDIT 100, AMQP_MAX_MESSAGE_SIZE 0, AMQP_QUIET=1 (no messages, no dispositions),
# AMQP_SHOW 65536 (largest message that is shown). Users: TEST_USER, and alice with "secret".
. "$(dirname "$0")/lib.sh"
packages='apt python3'
programs='python3'

start() { PYTHONDONTWRITEBYTECODE=1 exec python3 "$here/amqpraw.py" "$port" "$port2"; }

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
