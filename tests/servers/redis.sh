#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Redis on PORT, in memory only. The default user needs TEST_PASS; TEST_USER has it too. REDIS_AUTH=none: open to all. Log: DIR/log.
. "$(dirname "$0")/lib.sh"
packages='apt redis-server'
programs='redis-server'

start() {
  cat >"$dir/redis.conf" <<CONF
bind 127.0.0.1
port $port
dir "$dir"
logfile "$dir/log"
save ""
appendonly no
daemonize no
$([ "${REDIS_AUTH:-password}" = none ] || printf 'requirepass %s\nuser %s on >%s ~* +@all\n' "$pass" "$user" "$pass")
CONF
  exec redis-server "$dir/redis.conf"
}

ready() { accepts "$port"; }

main "$@"
