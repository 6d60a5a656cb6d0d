#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# aiosmtpd: SMTP with STARTTLS on PORT, TLS from the first byte on PORT2. PLAIN, LOGIN and XOAUTH2 (the token is TEST_PASS) as TEST_USER/TEST_PASS; no
# log-in is needed. It keeps each message byte for byte in DIR/mail/N.eml, and its envelope in DIR/mail/N.json, before it answers.
# Recipients: reject@… gets 550, defer@… gets 451. SMTP_TLS=off: no STARTTLS; SMTP_SIZE: largest message in bytes; SMTP_KEEP=0: nothing is kept.
# OAUTH_RESOURCE=URL: tokens that it takes are good too.
# shellcheck disable=SC2154  # of lib.sh
. "$(dirname "$0")/lib.sh"

packages='apt python3-aiosmtpd
apt openssl'
programs='openssl /usr/bin/python3'

start() {
  tls
  mkdir -p "$dir/mail"
  exec /usr/bin/python3 "$here/aiosmtp.py" "$dir/mail" "$port" "$port2" "$user" "$pass" "$tls"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
