#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TELNET: telnetd of GNU inetutils under tcpserver, with the system's /bin/login. Log-in: TELNET_USER (default qconntelnet) with TEST_PASS; that account is
# made, marked as ours, and stays, as sessions may outlive the test that made them. Needs root. Its prompt is that of bash, its home is /.
. "$(dirname "$0")/lib.sh"
packages='apt inetutils-telnetd
apt ucspi-tcp
apt login'
programs='telnetd tcpserver login'
user=${TELNET_USER:-qconntelnet}

mark='throwaway test account'

account() {
  local found
  if found=$(getent passwd "$user"); then
    case $found in
      *"$mark"*) ;;
      *) echo "the account $user was not made by this script" >&2; exit 1 ;;
    esac
  else
    useradd -M -d / -s /bin/bash -c "$mark" "$user" 2>/dev/null || getent passwd "$user" >/dev/null
  fi
  echo "$user:$pass" | chpasswd
}

start() {
  account
  cd "$dir"
  exec tcpserver -v -H -R -l 0 -c 100 127.0.0.1 "$port" "$(command -v telnetd)" --no-hostinfo
}

ready() { accepts "$port"; }

main "$@"
