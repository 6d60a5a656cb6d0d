#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Stand-ins for the REST APIs of seven vendors, each on ports of its own, which DIR/vendors.json tells; PORT answers what is in that file. Every port
# takes plain HTTP and TLS. What is asked of them and how they are told to fail: the head of vendors/common.py; their rules: vendors/VENDOR.py.
. "$(dirname "$0")/lib.sh"
packages='apt python3
apt openssl'
programs='/usr/bin/python3 openssl'

start() {
  tls
  cd "$here"
  export PYTHONDONTWRITEBYTECODE=1
  exec /usr/bin/python3 -m vendors "$port" "$dir" "$tls"
}

ready() { accepts "$port"; }

main "$@"
