#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Exim: SMTP with STARTTLS on PORT, TLS from the first byte on PORT2. PLAIN, LOGIN and CRAM-MD5 as TEST_USER/TEST_PASS; who is not logged in may send
# only with SMTP_OPEN=1. Each message lands in DIR/mail/new (Return-path: and Envelope-to: are its envelope). DIR/log/main tells what was done.
# Recipients: reject@… gets 550, defer@… gets 451. Senders: badsender@… gets 550.
# SMTP_DISCARD=1: nothing lands. SMTP_SIZE: largest message (default 100M). SMTP_TLS=off: no STARTTLS. SMTP_LOGINS: what is offered ("PLAIN", "LOGIN", "CRAM-MD5"; default: all)
# shellcheck disable=SC2154  # of lib.sh
. "$(dirname "$0")/lib.sh"

packages='apt exim4-daemon-light
apt openssl'
programs='openssl exim4'

offers() { case " ${SMTP_LOGINS:-PLAIN LOGIN CRAM-MD5} " in *" $1 "*) echo "$1" ;; *) echo "X-$1" ;; esac; }

start() {
  tls
  mkdir -p "$dir/spool" "$dir/mail" "$dir/log"
  give Debian-exim: "$dir/spool" "$dir/mail" "$dir/log"
  local advertise='*'
  [ "${SMTP_TLS:-on}" = on ] || advertise=
  cat >"$dir/exim.conf" <<CONF
primary_hostname = localhost
local_interfaces = 127.0.0.1
daemon_smtp_ports = $port : $port2
tls_on_connect_ports = $port2
tls_advertise_hosts = $advertise
tls_certificate = $tls/server.crt
tls_privatekey = $tls/server.key
spool_directory = $dir/spool
pid_file_path = $dir/pid
log_file_path = $dir/log/%s
log_selector = +received_recipients +received_sender +tls_cipher +smtp_connection +pipelining
message_size_limit = ${SMTP_SIZE:-100M}
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
smtp_accept_max = 200
smtp_accept_queue_per_connection = 0
host_lookup =
keep_environment =
rfc1413_hosts =
deliver_drop_privilege = true
never_users =
acl_smtp_mail = mail
acl_smtp_rcpt = rcpt
acl_smtp_data = $([ "${SMTP_DISCARD:-0}" = 1 ] && echo discard || echo accept)

begin acl
mail:
  deny  condition = \${if eq{\$sender_address_local_part}{badsender}}
        message = 5.7.1 not from you
  accept
rcpt:
  deny  local_parts = reject
        message = 5.1.1 mailbox unavailable
  defer local_parts = defer
        message = 4.7.1 try again later
  accept authenticated = *
  accept condition = ${SMTP_OPEN:-0}
  deny  message = 5.7.1 log in first

begin routers
all:
  driver = accept
  transport = mail

begin transports
mail:
  driver = appendfile
  directory = $dir/mail
  maildir_format
  create_directory
  return_path_add
  envelope_to_add
  user = Debian-exim
  batch_max = 100

begin authenticators
plain:
  driver = plaintext
  public_name = $(offers PLAIN)
  server_prompts = :
  server_condition = \${if and{{eq{\$auth2}{$user}}{eq{\$auth3}{$pass}}}}
  server_set_id = \$auth2
login:
  driver = plaintext
  public_name = $(offers LOGIN)
  server_prompts = Username:: : Password::
  server_condition = \${if and{{eq{\$auth1}{$user}}{eq{\$auth2}{$pass}}}}
  server_set_id = \$auth1
cram:
  driver = cram_md5
  public_name = $(offers CRAM-MD5)
  server_secret = \${if eq{\$auth1}{$user}{$pass}fail}
  server_set_id = \$auth1
CONF
  exec exim4 -bdf -C "$dir/exim.conf"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
