#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# httpbin under gunicorn: HTTP/1.1 on PORT; answers with what it was sent, as JSON. /anything /headers /post /deflate /gzip /brotli
# /basic-auth/USER/PASS /bearer /digest-auth/auth/USER/PASS /delay/N /drip /stream/N /status/N /redirect/N /bytes/N
# HTTPBIN_TLS=1: TLS instead.
. "$(dirname "$0")/lib.sh"
packages='apt python3-httpbin
apt gunicorn'
programs='/usr/bin/gunicorn'

start() {
  local more=()
  if [ -n "${HTTPBIN_TLS:-}" ]; then
    tls
    more=(--certfile "$tls/server.crt" --keyfile "$tls/server.key")
  fi
  cd "$dir"
  exec /usr/bin/gunicorn --bind "127.0.0.1:$port" --worker-class gthread --threads 16 --worker-tmp-dir "$dir" --graceful-timeout 1 \
    "${more[@]}" httpbin:app
}

ready() { accepts "$port"; }

main "$@"
