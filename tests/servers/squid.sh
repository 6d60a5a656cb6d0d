#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Squid: HTTP proxy, GET and CONNECT, on PORT and under TLS on PORT2. PROXY_AUTH: basic (default), digest or none, as TEST_USER.
# Caches nothing. DIR/access.log: client, status, method, URL, user of each request. Takes 2 s to end on TERM: signal is KILL.
. "$(dirname "$0")/lib.sh"
packages='apt squid
apt openssl'
programs='squid openssl'
signal=KILL  # TERM waits two seconds, and there is nothing to save

start() {
  tls
  local auth='' allow='http_access allow known'
  case ${PROXY_AUTH:-basic} in
    basic)
      printf '%s:%s\n' "$user" "$(openssl passwd -apr1 "$pass")" >"$dir/users"
      auth="auth_param basic program /usr/lib/squid/basic_ncsa_auth $dir/users
auth_param basic realm test
acl known proxy_auth REQUIRED" ;;
    digest)
      printf '%s:%s\n' "$user" "$pass" >"$dir/users"
      auth="auth_param digest program /usr/lib/squid/digest_file_auth $dir/users
auth_param digest realm test
acl known proxy_auth REQUIRED" ;;
    none) allow='http_access allow all' ;;
    *) echo "squid.sh: PROXY_AUTH is basic, digest or none" >&2; exit 2 ;;
  esac
  cat >"$dir/squid.conf" <<CONF
http_port 127.0.0.1:$port
https_port 127.0.0.1:$port2 tls-cert=$tls/server.crt tls-key=$tls/server.key
$auth
$allow
http_access deny all
cache deny all
cache_mem 8 MB
pid_filename none
coredump_dir $dir
cache_log $dir/cache.log
logfile_rotate 0
logformat short %>a %>Hs %rm %ru %[un
access_log stdio:$dir/access.log short
pinger_enable off
shutdown_lifetime 0 seconds
visible_hostname localhost
netdb_filename none
max_filedescriptors 4096
CONF
  give -R proxy: "$dir"
  exec squid -N -f "$dir/squid.conf"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
