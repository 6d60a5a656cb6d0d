#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OpenSSH sshd with SFTP. Log-ins: SSHD_USER (default qconnssh; starters of other servers make and remove TEST_USER) with TEST_PASS, where this runs as
# root: that account is made, marked as ours, and stays. Else only the account that runs it, with keys. Keys of users, all authorized, in DIR/keys:
# {rsa,ecdsa,ed25519}[_pem|_pkcs8][_enc], pass-phrase "keypass"; ed25519 has no PEM form. DIR/keys/stranger is not authorized. Home of SFTP: DIR/home.
# DIR/known_hosts knows the server, by PORT.
#   SSHD_OPTIONS   further lines for sshd_config; they win
#   SSHD_HOST_KEYS types of its keys; default: "ed25519 rsa ecdsa"
#   SSHD_PAM       yes: keyboard-interactive by PAM, no password method
. "$(dirname "$0")/lib.sh"
packages='apt openssh-server
apt openssh-client
apt openssh-sftp-server'
programs='sshd ssh-keygen'
user=${SSHD_USER:-qconnssh}

mark='throwaway test account'

# The account is shared by all servers of a machine, and stays: tests run beside each other.
account() {
  local found
  if found=$(getent passwd "$user"); then
    case $found in
      *"$mark"*) return 0 ;;
      *) echo "the account $user was not made by this script" >&2; exit 1 ;;
    esac
  fi
  useradd -M -d / -s /bin/bash -c "$mark" "$user" 2>/dev/null || getent passwd "$user" >/dev/null
  echo "$user:$pass" | chpasswd
}

user_keys() {
  [ ! -e keys/complete ] || return 0
  mkdir -p keys
  local type form name
  for type in rsa ecdsa ed25519; do
    for form in '' _pem _pkcs8; do
      [ "$type$form" != ed25519_pem ] || continue
      for guard in '' _enc; do
        name=keys/$type$form$guard
        [ -e "keys/$type" ] || ssh-keygen -q -t "$type" $([ "$type" != rsa ] || echo '-b 2048') -N '' -f "keys/$type"
        if [ "$name" != "keys/$type" ]; then cp -p "keys/$type" "$name"; cp "keys/$type.pub" "$name.pub"; fi
        local phrase=
        [ -z "$guard" ] || phrase=keypass
        case $form in
          _pem) ssh-keygen -q -p -m PEM -P '' -N "$phrase" -f "$name" >/dev/null ;;
          _pkcs8)
            # ssh-keygen cannot write ed25519 in this form
            if [ "$type" = ed25519 ]; then
              openssl genpkey -algorithm ed25519 -out "$name.plain"
              python_public "$name"
              if [ -n "$phrase" ]; then openssl pkcs8 -topk8 -in "$name.plain" -out "$name" -passout "pass:$phrase"; else mv "$name.plain" "$name"; fi
              rm -f "$name.plain"
              chmod 600 "$name"
            else
              ssh-keygen -q -p -m PKCS8 -P '' -N "$phrase" -f "$name" >/dev/null
            fi ;;
          *) [ -z "$phrase" ] || ssh-keygen -q -p -P '' -N "$phrase" -f "$name" >/dev/null ;;
        esac
      done
    done
  done
  sort -u keys/*.pub >authorized_keys
  chmod 644 authorized_keys # read with the rights of the user who logs in
  ssh-keygen -q -t ed25519 -N '' -f keys/stranger
  : >keys/complete
}

# The public half of an ed25519 key in PKCS#8 form: its last 32 bytes, behind the name of the type.
python_public() {
  openssl pkey -in "$1.plain" -pubout -outform DER | tail -c 32 >"$1.raw"
  printf 'ssh-ed25519 %s test\n' "$( (printf '\0\0\0\013ssh-ed25519\0\0\0 '; cat "$1.raw") | base64 -w0)" >"$1.pub"
  rm -f "$1.raw"
}

start() {
  local who type
  if [ "$EUID" -eq 0 ]; then
    mkdir -p /run/sshd # sshd's compiled-in folder for privilege separation
    account
    who=$user
  else
    who=$(id -un)
  fi
  cd "$dir"
  mkdir -p home
  [ "$EUID" -ne 0 ] || chown "$user" home
  user_keys
  for type in ${SSHD_HOST_KEYS:-ed25519 rsa ecdsa}; do
    [ -e "host_$type" ] || ssh-keygen -q -t "$type" -N '' -f "host_$type"
    printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "host_$type.pub")"
  done >known_hosts
  {
    printf '%s\n' "${SSHD_OPTIONS:-}"
    for type in ${SSHD_HOST_KEYS:-ed25519 rsa ecdsa}; do echo "HostKey $dir/host_$type"; done
    if [ "${SSHD_PAM:-no}" = yes ]; then
      printf 'UsePAM yes\nPasswordAuthentication no\nKbdInteractiveAuthentication yes\n'
    else
      printf 'UsePAM no\nPasswordAuthentication yes\nKbdInteractiveAuthentication no\n'
    fi
    cat <<CONF
ListenAddress 127.0.0.1
Port $port
PidFile none
AuthorizedKeysFile $dir/authorized_keys
StrictModes no
PermitRootLogin no
AllowUsers $who
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 500
MaxSessions 20
AcceptEnv LANG LC_*
LogLevel VERBOSE
Subsystem sftp internal-sftp -d $dir/home -l INFO
CONF
  } >sshd_config
  exec "$(command -v sshd)" -D -e -f "$dir/sshd_config"
}

ready() {
  local line
  exec 3<>"/dev/tcp/127.0.0.1/$port" 2>/dev/null || return 1
  read -r -t 2 line <&3 && [[ $line == SSH-2.0* ]]
}

main "$@"
