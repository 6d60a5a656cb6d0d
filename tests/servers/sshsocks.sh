#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH as a SOCKS4, SOCKS4a and SOCKS5 proxy without a log-in: ssh -D over an sshd of its own, to which it talks through a pipe, so that there is no
# second port. The account that runs it logs in with a key made for this.
. "$(dirname "$0")/lib.sh"
packages='apt openssh-server
apt openssh-client'
programs='sshd ssh ssh-keygen'

start() {
  [ "$EUID" -ne 0 ] || mkdir -p /run/sshd
  cd "$dir"
  [ -e key ] || ssh-keygen -q -t ed25519 -N '' -f key
  [ -e host ] || ssh-keygen -q -t ed25519 -N '' -f host
  cat >sshd_config <<CONF
HostKey $dir/host
AuthorizedKeysFile $dir/key.pub
StrictModes no
UsePAM no
PermitRootLogin prohibit-password
CONF
  exec ssh -F none -N -D "127.0.0.1:$port" -i key -o IdentitiesOnly=yes -o BatchMode=yes \
    -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ExitOnForwardFailure=yes -o LogLevel=ERROR \
    -o ProxyCommand="$(command -v sshd) -i -e -f $dir/sshd_config 2>$dir/sshd.log" "$(id -un)@pipe"
}

ready() { accepts "$port"; }

main "$@"
