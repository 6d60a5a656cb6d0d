#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Dovecot: POP3 with STLS on PORT, POP3S on PORT2. TEST_USER/TEST_PASS by USER/PASS, APOP, SASL PLAIN, LOGIN, CRAM-MD5. Each further user of POP3_USERS
# (parted by blanks) has the same password and a mailbox of its own. A mailbox is the Maildir DIR/mail/USER: a file in new/ is a message, named as
# it likes, readable by all; what is deleted is gone from new/ and cur/ after QUIT. Standard error: its log.
# POP3_TLS=require: no log-in before TLS, also from this machine. POP3_LOCK=yes: one session at a time to a mailbox. POP3_CERT: expired, wrong, self:
# another certificate than the good one. POP3_OAUTH=HOST:PORT: XOAUTH2 as well, with tokens that the server there (oauth.sh) calls good for TEST_USER
. "$(dirname "$0")/lib.sh"

packages='apt dovecot-pop3d
apt openssl'
programs='dovecot openssl'
PATH=$PATH:/usr/sbin

start() {
  tls
  local certificate=server key=server secured=no plain=no name
  case ${POP3_CERT:-} in
    expired | wrong) certificate=$POP3_CERT ;;
    self) certificate=self key=self ;;
  esac
  # A peer of the same address counts as secured: on this machine only mechanisms tell the two apart.
  if [ "${POP3_TLS:-}" = require ]; then secured=required plain=yes; fi
  mkdir -p "$dir/run"
  : >"$dir/users"
  for name in "$user" ${POP3_USERS:-}; do
    mkdir -p "$dir/mail/$name/new" "$dir/mail/$name/cur" "$dir/mail/$name/tmp"
    printf '%s:{PLAIN}%s\n' "$name" "$pass" >>"$dir/users"
  done
  chown -R nobody:nogroup "$dir/mail"
  chmod 644 "$dir/users" # read by the auth process, which is dovecot
  local mechanisms='plain login apop cram-md5' tokens=
  if [ -n "${POP3_OAUTH:-}" ]; then
    mechanisms+=' xoauth2'
    tokens="passdb {
  driver = oauth2
  mechanisms = xoauth2
  args = $dir/oauth2.conf
}"
    printf '%s\n' "introspection_url = http://$user:$pass@$POP3_OAUTH/token/introspection" 'introspection_mode = post' 'username_attribute = client_id' \
      'active_attribute = active' 'active_value = true' >"$dir/oauth2.conf"
    chmod 644 "$dir/oauth2.conf"
  fi
  cat >"$dir/dovecot.conf" <<CONF
base_dir = $dir/run
state_dir = $dir/run
instance_name = test
log_path = /dev/stderr
protocols = pop3
listen = 127.0.0.1
auth_mechanisms = $mechanisms
disable_plaintext_auth = $plain
login_trusted_networks =
ssl = $([ "$secured" = required ] && echo required || echo yes)
ssl_cert = <$tls/$certificate.crt
ssl_key = <$tls/$key.key
ssl_dh =
auth_failure_delay = 0
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:$dir/mail/%u
mail_uid = nobody
mail_gid = nogroup
mail_fsync = never
mail_max_userip_connections = 0
pop3_lock_session = ${POP3_LOCK:-no}
$tokens
passdb {
  driver = passwd-file
  args = scheme=PLAIN $dir/users
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=$dir
}
service pop3-login {
  inet_listener pop3 {
    port = $port
  }
  inet_listener pop3s {
    port = $port2
    ssl = yes
  }
}
# Without this it answers later and later whoever was refused.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  unix_listener stats-writer {
    mode = 0666
  }
}
CONF
  exec dovecot -F -c "$dir/dovecot.conf"
}

# Its processes for log-ins come up after its ports.
ready() {
  local line=
  { exec 3<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return 1
  read -r -t 2 line <&3 || return 1
  [[ $line == +OK* ]] && accepts "$port2"
}

main "$@"
