#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# AMQP 1.0 broker by npm's rhea: amqp on PORT, amqps on PORT2. Any address is a queue, with or without a leading slash, but for these:
#   for senders     reject release modify  that outcome, with all its fields   silent  never settled   second  accepted, and settled by the client
#                   echo  the message goes to its reply-to, with its message-id as correlation-id
#                   close-connection end-session detach  an error at that level with the first message
#   for receivers   settled/...  sent settled   large/BYTES/COUNT  that many binary bodies of that size   numbered/COUNT  "0", "1"... as strings
#   for both        refused  redirect  refused at the attach, with amqp:not-found and amqp:link:redirect; dynamic nodes
# A hostname "redirect.example" or "forbidden.example" in the client's open is answered by a close with amqp:connection:redirect, amqp:unauthorized-access.
# Environment: AMQP_SASL (anonymous,plain,external,none; default anonymous,plain,external; none: no SASL layer needed, with anonymous or alone),
# xoauth2 besides, for tokens that the URL OAUTH_RESOURCE takes; AMQP_MAX_FRAME_SIZE, AMQP_CHANNEL_MAX, AMQP_IDLE_TIMEOUT (ms), AMQP_CREDIT (100), AMQP_CERT=expired|wrong|other|self for another certificate,
# AMQP_CLIENT_CERT=1: one of tls.sh's authority is asked for and must be there; EXTERNAL is offered to those that have one. Users: TEST_USER, and alice
# with "secret". JSON lines on its output: {"event":"open|attach|message|outcome|..."}.
. "$(dirname "$0")/lib.sh"
packages='apt nodejs
apt openssl
npm rhea'
programs='node openssl'

start() {
  tls
  npm_packages rhea
  exec node --no-warnings "$here/rhea.mjs" "$port" "$port2" "$tls" "$user" "$pass"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
