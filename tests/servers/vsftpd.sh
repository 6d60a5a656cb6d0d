#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# vsftpd: FTP and explicit FTPS (AUTH TLS) on PORT; FTP_IMPLICIT=1: implicit FTPS there. Anonymous only, so that no account is needed: DIR/home is /,
# and /pub can be written to. It has neither MLSD nor MLST. Its package excludes that of proftpd: scripts/install_dependencies.sh unpacks it aside.
# FTP_OPTIONS: further lines, such as 'port_enable=NO' or 'require_ssl_reuse=YES'
. "$(dirname "$0")/lib.sh"
packages='apt openssl'
PATH=$PATH:${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/qconn/vsftpd/usr/sbin
programs='vsftpd'

start() {
  tls
  mkdir -p "$dir/home/pub" "$dir/empty"
  give daemon "$dir/home/pub"
  cat >"$dir/vsftpd.conf" <<CONF
listen=YES
listen_address=127.0.0.1
listen_port=$port
background=NO
local_enable=NO
anonymous_enable=YES
no_anon_password=NO
ftp_username=daemon
anon_root=$dir/home
write_enable=YES
anon_upload_enable=YES
anon_mkdir_write_enable=YES
anon_other_write_enable=YES
anon_world_readable_only=NO
anon_umask=022
secure_chroot_dir=$dir/empty
pasv_address=10.255.255.1
connect_from_port_20=NO
vsftpd_log_file=$dir/vsftpd.log
log_ftp_protocol=YES
ssl_enable=YES
allow_anon_ssl=YES
implicit_ssl=$([ "${FTP_IMPLICIT:-0}" = 1 ] && echo YES || echo NO)
force_local_logins_ssl=NO
force_local_data_ssl=NO
require_ssl_reuse=NO
ssl_ciphers=HIGH
rsa_cert_file=$tls/server.crt
rsa_private_key_file=$tls/server.key
${FTP_OPTIONS:-}
CONF
  exec vsftpd "$dir/vsftpd.conf"
}

ready() { accepts "$port"; }

main "$@"
