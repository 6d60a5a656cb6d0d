#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# nginx: HTTP/1.1 on PORT; TLS with HTTP/1.1 and HTTP/2 on PORT2. Serves DIR/www: GET, PUT, DELETE, MOVE, ranges.
#   /auth/FILE      basic authentication as TEST_USER             /gzip/FILE   compressed where the client takes gzip
#   /slow/FILE      1000 bytes a second                           /chunked     five chunks in 0.8 s, no Content-Length
#   /delay/N        answers after N = 1 2 5 30 seconds            /echo        the request as text: method, URI, headers, body
#   /redirect/N     N = 301 302 303 307 308, to /echo             /redirect/loop, /redirect/tls (to PORT2), /redirect/slow (to /delay/30)
#   /status/N       N = 204 400 401 403 404 409 429 500 502 503 504, with a JSON body
#   /token          200 only with "Authorization: Bearer TEST_PASS", else 401
#   /close          ends the connection instead of answering      /mtls/FILE   on PORT2, only with a client certificate
# DIR/access.log: one JSON object a request, with the number of its connection and of the request on it.
# Environment: NGINX_CERT=expired|wrong|other|self for another certificate; NGINX_SERVER: further lines of the server block;
# NGINX_LISTEN: options of both listen lines; NGINX_WORKERS: processes (2); NGINX_CONNECTIONS: of each (1000).
. "$(dirname "$0")/lib.sh"
packages='apt nginx-light
apt libnginx-mod-http-echo
apt openssl'
programs='nginx openssl'
module=/usr/lib/nginx/modules/ngx_http_echo_module.so

locations() {
  local n
  for n in 301 302 303 307 308; do echo "    location = /redirect/$n { return $n /echo; }"; done
  for n in 204 400 401 403 404 409 429 500 502 503 504; do
    echo "    location = /status/$n { default_type application/json; return $n '{\"status\":$n}'; }"
  done
  for n in 1 2 5 30; do echo "    location = /delay/$n { echo_sleep $n; echo waited; }"; done
}

start() {
  if [ ! -e "$module" ]; then echo "nginx.sh cannot start: $module is missing; install: libnginx-mod-http-echo" >&2; exit 127; fi
  tls
  local cert=${NGINX_CERT:-server} key=server
  if [ "$cert" = self ]; then key=self; fi
  mkdir -p "$dir/www" "$dir/tmp"
  give nobody "$dir/www"
  printf 'hello\n' >"$dir/www/hello.txt"
  seq 20000 >"$dir/www/numbers.txt"
  head -c 1024 /dev/zero | tr '\0' x >"$dir/www/1k.txt"
  printf '{"id": 17, "lines": [{"sku": "A-1", "count": 2}]}\n' >"$dir/www/order.json"
  printf '%s:%s\n' "$user" "$(openssl passwd -apr1 "$pass")" >"$dir/htpasswd"
  cat >"$dir/nginx.conf" <<CONF
load_module $module;
daemon off;
$([ "$EUID" -ne 0 ] || echo 'user nobody nogroup;')
worker_processes ${NGINX_WORKERS:-2};
pid $dir/pid;
error_log $dir/error.log info;
events { worker_connections ${NGINX_CONNECTIONS:-1000}; }
http {
  log_format json escape=json '{"method":"\$request_method","uri":"\$request_uri","status":\$status,"sent":\$body_bytes_sent,'
    '"user":"\$remote_user","version":"\$server_protocol","agent":"\$http_user_agent","connection":\$connection,'
    '"request":\$connection_requests,"client":"\$ssl_client_s_dn"}';
  access_log $dir/access.log json;
  client_body_temp_path $dir/tmp/body; proxy_temp_path $dir/tmp/proxy; fastcgi_temp_path $dir/tmp/fastcgi;
  uwsgi_temp_path $dir/tmp/uwsgi; scgi_temp_path $dir/tmp/scgi;
  client_max_body_size 0;
  default_type application/octet-stream;
  types { text/plain txt; application/json json; text/html html; application/xml xml; }
  map \$http_authorization \$token_ok { default 0; "Bearer $pass" 1; }
  server {
    listen 127.0.0.1:$port ${NGINX_LISTEN:-};
    listen 127.0.0.1:$port2 ssl http2 ${NGINX_LISTEN:-};
    ssl_certificate $tls/$cert.crt;
    ssl_certificate_key $tls/$key.key;
    ssl_client_certificate $tls/ca.crt;
    ssl_verify_client optional;
    root $dir/www;
    location / { dav_methods PUT DELETE MKCOL COPY MOVE; create_full_put_path on; }
    location /auth/ { alias $dir/www/; auth_basic test; auth_basic_user_file $dir/htpasswd; }
    location /gzip/ { alias $dir/www/; gzip on; gzip_min_length 1; gzip_types text/plain application/json; }
    location /slow/ { alias $dir/www/; limit_rate 1000; }
    location /mtls/ { if (\$ssl_client_verify != SUCCESS) { return 403; } alias $dir/www/; }
    location = /token { default_type text/plain; if (\$token_ok = 0) { return 401; } return 200 "let in\n"; }
    location = /echo { default_type text/plain; echo_read_request_body; echo -n \$echo_client_request_headers; echo;
      echo_request_body; }
    location = /chunked { default_type text/plain; echo_flush; echo one; echo_flush; echo_sleep 0.2; echo two;
      echo_flush; echo_sleep 0.2; echo three; echo_flush; echo_sleep 0.2; echo four; echo_flush; echo_sleep 0.2; echo five; }
    location = /close { return 444; }
    location = /redirect/loop { return 302 /redirect/loop; }
    location = /redirect/slow { return 302 /delay/30; }
    location = /redirect/tls { return 302 https://127.0.0.1:$port2/echo; }
$(locations)
    ${NGINX_SERVER:-}
  }
}
CONF
  exec nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
