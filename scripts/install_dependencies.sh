#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# install_dependencies.sh [build|test|full]: Debian 12 packages for building (default), for the tests as well, for every check as well.
# Test servers that npm has go to a folder of this user's cache; nothing is done for what is there already.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
packages=(g++ cmake ninja-build ccache pkg-config libboost1.81-dev libssl-dev libyaml-dev nlohmann-json3-dev libcurl4-openssl-dev
  libpugixml-dev zlib1g-dev libbrotli-dev libzstd-dev libbz2-dev libpcre2-dev libssh-dev libtelnet-dev libcli11-dev)
if [ "$what" != build ]; then
  packages+=(catch2 mold git python3 python3-jsonschema openssl curl procps util-linux iproute2 nftables nginx-light libnginx-mod-http-echo squid tinyproxy
    python3-jsonrpclib-pelix python3-yaml python3-botocore python3-fastapi python3-websockets uvicorn redis-server python3-httpbin gunicorn dante-server microsocks openssh-server
    openssh-client proftpd-core proftpd-mod-crypto zsh fish graphviz groff-base mandoc bsdextrautils prometheus openssh-sftp-server
    rabbitmq-server python3-qpid-proton exim4-daemon-light python3-aiosmtpd dovecot-pop3d inetutils-telnetd ucspi-tcp login)
fi
if [ "$what" = full ]; then
  packages+=(clang-16 libclang-rt-16-dev llvm-16 clang-format-14 clang-tidy-14 libyaml-cpp-dev haproxy gcovr
    libxmlrpc-core-c3-dev lftp libqpid-proton-cpp12-dev libgmime-3.0-dev)
fi
if [ "$what" != build ]; then
  # Both may be there from elsewhere, in one package.
  command -v node >/dev/null || packages+=(nodejs)
  command -v npm >/dev/null || packages+=(npm)
fi

install_debian() {
  local package missing=()
  for package in "${packages[@]}"; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0

  local sudo= made_policy=
  [ "$(id -u)" = 0 ] || sudo=sudo
  # The packages of servers would start them; the tests start their own.
  if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\nexit 101\n' | $sudo tee /usr/sbin/policy-rc.d >/dev/null
    $sudo chmod +x /usr/sbin/policy-rc.d
    made_policy=yes
  fi
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  [ -z "$made_policy" ] || $sudo rm -f /usr/sbin/policy-rc.d
}

# vsftpd excludes proftpd: it is unpacked into the cache and never installed.
install_vsftpd() {
  local folder=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/qconn/vsftpd half
  [ ! -x "$folder/usr/sbin/vsftpd" ] || return 0
  mkdir -p "$(dirname "$folder")"
  half=$(mktemp -d "$folder.XXXXXX")
  (cd "$half" && apt-get download -qq vsftpd 2>/dev/null && dpkg -x vsftpd_*.deb . && rm vsftpd_*.deb)
  mv -T "$half" "$folder"
}

# Into a folder beside, which takes its name once it is whole, so that neither a second run nor one that was cut off does harm.
install_npm() {
  local folder half
  folder=$(. tests/servers/lib.sh && npm_folder)
  [ ! -d "$folder" ] || return 0
  mkdir -p "$(dirname "$folder")"
  half=$(mktemp -d "$folder.XXXXXX")
  cp tests/servers/npm/package.json tests/servers/npm/package-lock.json "$half"
  if ! npm ci --prefix "$half" --ignore-scripts --no-audit --no-fund --loglevel=error >"$half/install.log" 2>&1; then
    cat "$half/install.log" >&2
    rm -rf "$half"
    return 1
  fi
  mv -T "$half" "$folder" 2>/dev/null || rm -rf "$half" # somebody else was faster
}

install_debian
if [ "$what" != build ]; then
  install_npm
  install_vsftpd
fi
