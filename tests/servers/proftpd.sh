#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ProFTPD: FTP and explicit FTPS (AUTH TLS) on PORT, implicit FTPS on PORT2. Virtual user TEST_USER/TEST_PASS (no system account; files belong to
# nobody), who sees DIR/home as /. Standard error: commands.
# FTP_CERT: expired, wrong, self: another certificate than the good one
# FTP_TLS=off: none at all
# FTP_QUOTA=BYTES: what TEST_USER may have in all (mod_quotatab)
# FTP_OPTIONS: further lines for both ports, such as 'TLSRequired on'; FTP_IPV6=1: on ::1, not 127.0.0.1
. "$(dirname "$0")/lib.sh"

packages='apt proftpd-core
apt proftpd-mod-crypto
apt openssl'
programs='openssl proftpd'
PATH=$PATH:/usr/sbin

start() {
  tls
  mkdir -p "$dir/home"
  chown nobody:nogroup "$dir/home"
  printf '%s:%s:65534:65534::%s:/bin/sh\n' "$user" "$(openssl passwd -6 "$pass")" "$dir/home" >"$dir/passwd"
  chmod 600 "$dir/passwd"
  if [ -n "${FTP_QUOTA:-}" ]; then
    local table
    for table in limit tally; do
      rm -f "$dir/$table.tab"
      ftpquota --create-table --type="$table" --table-path="$dir/$table.tab"
    done
    ftpquota --add-record --type=limit --table-path="$dir/limit.tab" --name="$user" --quota-type=user --bytes-upload="$FTP_QUOTA" >/dev/null
  fi
  local certificate=server key=server address=127.0.0.1 six=off
  case ${FTP_CERT:-} in
    expired | wrong) certificate=$FTP_CERT ;;
    self) certificate=self key=self ;;
  esac
  if [ "${FTP_IPV6:-0}" = 1 ]; then address=::1 six=on; fi
  {
    if [ "${FTP_TLS:-on}" = on ]; then
      cat <<CONF
TLSEngine on
TLSLog $dir/tls.log
TLSProtocol TLSv1.2 TLSv1.3
TLSRSACertificateFile $tls/$certificate.crt
TLSRSACertificateKeyFile $tls/$key.key
TLSCACertificateFile $tls/ca.crt
CONF
    fi
    cat <<CONF
AllowStoreRestart on
AllowOverwrite on
DefaultRoot ~
RequireValidShell off
${FTP_OPTIONS:-}
CONF
    if [ -n "${FTP_QUOTA:-}" ]; then
      printf 'QuotaEngine on\nQuotaLimitTable file:%s/limit.tab\nQuotaTallyTable file:%s/tally.tab\nQuotaLock %s/quota.lock\n' "$dir" "$dir" "$dir"
    fi
  } >"$dir/common.conf"
  cat >"$dir/proftpd.conf" <<CONF
ModulePath /usr/lib/proftpd
LoadModule mod_tls.c
LoadModule mod_site_misc.c
LoadModule mod_quotatab.c
LoadModule mod_quotatab_file.c
ServerType standalone
ServerName test
DefaultAddress $address
SocketBindTight on
Port $port
User nobody
Group nogroup
UseIPv6 $six
UseReverseDNS off
AuthOrder mod_auth_file.c
AuthPAM off
AuthUserFile $dir/passwd
WtmpLog off
PidFile $dir/pid
ScoreboardFile $dir/scoreboard
DelayEngine off
TransferLog none
Include $dir/common.conf
CONF
  if [ "${FTP_TLS:-on}" = on ]; then
    cat >>"$dir/proftpd.conf" <<CONF
<VirtualHost $address>
  Port $port2
  AuthUserFile $dir/passwd
  Include $dir/common.conf
  TLSOptions UseImplicitSSL ${FTP_TLS_OPTIONS:-}
</VirtualHost>
CONF
  fi
  exec proftpd --nodaemon --quiet --config "$dir/proftpd.conf"
}

ready() { if [ "${FTP_IPV6:-0}" = 1 ]; then accepts "$port" ::1; else accepts "$port"; fi; }

main "$@"
