# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: Apache-2.0
# What the starters of test servers share. A starter sets $packages and $programs, defines start() and ready(), and ends in: main "$@"
#   NAME.sh start DIR PORT   becomes the server (exec, so that its pid is the script's); everything it writes goes to DIR
#   NAME.sh ready DIR PORT   succeeds once the server takes connections
#   NAME.sh packages         what it needs, one "apt NAME" or "npm NAME" a line
#   NAME.sh signal           the signal that ends it at once
# Environment: TEST_USER and TEST_PASS (log-in, letters, digits and '-' only), TLS_DIR (made by tls.sh; made in DIR where it is not set),
# PORT2 (second port; default PORT+1), and what a starter's head names.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
user=${TEST_USER:-qconntest}
pass=${TEST_PASS:-Passw0rd-1}
programs=''

# Leaves the folder of certificates in $tls.
tls() {
  tls=${TLS_DIR:-$dir/tls}
  if [ ! -s "$tls/complete" ]; then "$here/tls.sh" "$tls"; fi
}

# accepts PORT [ADDRESS]
accepts() { (exec 3<>"/dev/tcp/${2:-127.0.0.1}/$1") 2>/dev/null; }

# A server that gives up root must still be able to read and write its files. Nothing to do for anybody but root.
give() {
  if [ "$EUID" -eq 0 ]; then chown "$@"; fi
}

# The folder that scripts/install_dependencies.sh has put the packages of npm/package-lock.json into; another list has another folder.
npm_folder() {
  echo "${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/qconn/npm-$(cksum <"$here/npm/package-lock.json" | cut -d' ' -f1)"
}

# Leaves that folder in $NPM_DIR; fails where one of these packages is not there.
npm_packages() {
  export NPM_DIR=${NPM_DIR:-$(npm_folder)}
  local package
  for package in "$@"; do
    if [ ! -d "$NPM_DIR/node_modules/$package" ]; then
      echo "$(basename "$0") cannot start: $NPM_DIR has no $package; run scripts/install_dependencies.sh test" >&2
      exit 127
    fi
  done
}

require_programs() {
  local program missing=
  for program in $programs; do
    command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
  done
  if [ -n "$missing" ]; then
    printf '%s cannot start: missing%s; install:%s\n' "$(basename "$0")" "$missing" \
      "$(printf '%s\n' "$packages" | sed -n 's/^apt / /p' | tr -d '\n')" >&2
    exit 127
  fi
}

main() {
  local verb=${1:-}
  PATH=$PATH:/usr/sbin:/sbin
  dir=${2:-} port=${3:-} port2=${PORT2:-$((${3:-0} + 1))}
  case $verb in
    start)
      : "${port:?usage: $0 start DIR PORT}"
      require_programs
      mkdir -p "$dir"
      chmod go+rx "$dir"
      start ;;
    ready) ready ;;
    packages) printf '%s\n' "$packages" ;;
    signal) echo "${signal:-TERM}" ;;
    *) echo "usage: $0 start|ready DIR PORT | packages | signal" >&2; exit 2 ;;
  esac
}
