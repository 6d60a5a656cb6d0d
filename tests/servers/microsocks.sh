#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# MicroSocks: SOCKS5 with user name and password, as TEST_USER; SOCKS_AUTH=0: without. It looks names up. Its output has "connected to NAME:PORT", by
# which a name that was sent is told from an address. Needs no root.
. "$(dirname "$0")/lib.sh"
packages='apt microsocks'
programs='microsocks'

start() {
  local login=(-u "$user" -P "$pass")
  [ "${SOCKS_AUTH:-1}" = 1 ] || login=()
  exec microsocks -i 127.0.0.1 -p "$port" "${login[@]}"
}

ready() { accepts "$port"; }

main "$@"
