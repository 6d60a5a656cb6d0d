#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# RabbitMQ 3.10 with its AMQP 1.0 plugin: amqp on PORT, amqps on PORT2; AMQP 0-9-1 too. Takes 10 s to start: give it a minute.
# PLAIN as TEST_USER or as alice with "secret"; ANONYMOUS is "guest", as is no SASL at all; EXTERNAL is the common name of a certificate of tls.sh's
# authority (its client.crt is qconntest). Addresses: NAME or /queue/NAME (made on attach; durable where the source or target says durable 1 or 2),
# /amq/queue/NAME (must be there; "durable" is), /exchange/NAME/KEY, /topic/KEY. Durable queues with their durable messages outlive it in DIR, a kill
# too; the others do not. Environment: AMQP_CLIENT_CERT=1: amqps wants a certificate; AMQP_CERT=expired|wrong|other|self for another one of its own.
. "$(dirname "$0")/lib.sh"
packages='apt rabbitmq-server
apt openssl
apt python3'
programs='openssl python3 epmd'

start() {
  local server epmd_port dist_port vhosts= name
  # What is in PATH changes the user; this one does not.
  server=$(ls -d /usr/lib/rabbitmq/bin/rabbitmq-server /usr/lib/rabbitmq/lib/rabbitmq_server-*/sbin/rabbitmq-server 2>/dev/null | tail -n 1)
  if [ -z "$server" ]; then
    echo 'rabbitmq.sh cannot start: there is no rabbitmq-server; install: rabbitmq-server' >&2
    exit 127
  fi
  tls
  cat >"$dir/definitions.json" <<JSON
{"users": [{"name": "guest", "password": "guest", "tags": ""}, {"name": "alice", "password": "secret", "tags": ""},
           {"name": "$user", "password": "$pass", "tags": "administrator"}],
 "vhosts": [{"name": "/"}],
 "queues": [{"name": "durable", "vhost": "/", "durable": true, "auto_delete": false, "arguments": {}}],
 "permissions": [$(for name in guest alice "$user"; do
   printf '%s{"user": "%s", "vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}' "${vhosts:+, }" "$name"
   vhosts=more
 done)]}
JSON
  cat >"$dir/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$port
listeners.ssl.1 = 127.0.0.1:$port2
ssl_options.cacertfile = $tls/ca.crt
ssl_options.certfile = $tls/${AMQP_CERT:-server}.crt
ssl_options.keyfile = $tls/$([ "${AMQP_CERT:-}" = self ] && echo self || echo server).key
ssl_options.verify = verify_peer
ssl_options.fail_if_no_peer_cert = $([ "${AMQP_CLIENT_CERT:-}" = 1 ] && echo true || echo false)
auth_mechanisms.1 = PLAIN
auth_mechanisms.2 = ANONYMOUS
auth_mechanisms.3 = EXTERNAL
ssl_cert_login_from = common_name
amqp1_0.default_user = guest
load_definitions = $dir/definitions.json
disk_free_limit.absolute = 1MB
log.file = false
log.console.level = error
CONF
  echo '[rabbitmq_amqp1_0,rabbitmq_auth_mechanism_ssl].' >"$dir/plugins"
  read -r epmd_port dist_port < <(python3 -c '
import socket
held = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[s.getsockname()[1] for s in held])')
  export HOME=$dir RABBITMQ_NODENAME=qconn$port@localhost RABBITMQ_MNESIA_BASE=$dir/mnesia RABBITMQ_LOG_BASE=$dir/log RABBITMQ_PID_FILE=$dir/pid
  export RABBITMQ_ENABLED_PLUGINS_FILE=$dir/plugins RABBITMQ_CONFIG_FILE=$dir/rabbitmq.conf RABBITMQ_CONF_ENV_FILE=/dev/null
  export RABBITMQ_DIST_PORT=$dist_port ERL_EPMD_PORT=$epmd_port ERL_EPMD_ADDRESS=127.0.0.1
  export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1}'
  # Erlang's name service would become a daemon in a process group of its own, and outlive us. This one ends with its parent, and with its group.
  epmd -port "$epmd_port" -address 127.0.0.1 &
  local epmd=$! own=$$
  (
    trap '' TERM
    while kill -0 "$own" 2>/dev/null; do sleep 0.5; done
    kill "$epmd" 2>/dev/null
  ) &
  until accepts "$epmd_port"; do sleep 0.02; done
  exec "$server"
}

# It accepts a while before it serves.
ready() {
  accepts "$port" && accepts "$port2" && PYTHONDONTWRITEBYTECODE=1 python3 "$here/amqpraw.py" --probe "$port" PLAIN "$user" "$pass" 2>/dev/null
}

main "$@"
