#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# crl.sh DIR URL: authorities that revoke, for tests of revocation. PEM, P-256, no pass-phrase.
#   root.crt                    the authority to trust; issuing.crt is signed by it, the servers' certificates are signed by that
#   good.crt revoked.crt        for 127.0.0.1 and localhost, with the issuing one after them; their list is said to be at URL/issuing.crl
#   nowhere.crt                 likewise, but it names no list
#   server.key                  of all three
#   issuing.crl root.crl        the lists, DER: issuing.crl has revoked.crt, root.crl nothing (issuing.crt says URL/root.crl)
#   root-all.crl                the root's with issuing.crt on it
#   old.crl                     issuing.crl as it was, over since yesterday
#   delta.crl                   tells only what has changed since issuing.crl, which is nothing
#   foreign.crl                 says that it is of the issuing authority, and is signed by somebody else
#   both.pem                    issuing.crl and root.crl, PEM
set -euo pipefail
dir=${1:?usage: crl.sh DIR URL} url=${2:?usage: crl.sh DIR URL}
mkdir -p "$dir"
cd "$dir"
umask 022

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null; }

# configure NAME: the state and the settings of an authority
configure() {
  mkdir -p "$1.state"
  : >"$1.state/index"
  echo 1000 >"$1.state/serial"
  echo 01 >"$1.state/crlnumber"
  cat >"$1.cnf" <<CNF
[ca]
default_ca = me
[me]
database = $1.state/index
serial = $1.state/serial
crlnumber = $1.state/crlnumber
new_certs_dir = $1.state
certificate = $1.crt
private_key = $1.key
default_md = sha256
default_days = 30
default_crl_days = 30
unique_subject = no
policy = any
[any]
commonName = supplied
[delta]
2.5.29.27 = critical,ASN1:INTEGER:01
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
crlDistributionPoints = URI:$url/root.crl
[server]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1,DNS:localhost
extendedKeyUsage = serverAuth
[listed]
basicConstraints = CA:FALSE
subjectAltName = IP:127.0.0.1,DNS:localhost
extendedKeyUsage = serverAuth
crlDistributionPoints = URI:ldap://nobody.invalid/list,URI:$url/issuing.crl
CNF
}
# issue NAME AUTHORITY KEY SECTION
issue() {
  openssl req -new -key "$3.key" -subj "/CN=$1" -out "$1.csr"
  openssl ca -batch -notext -config "$2.cnf" -extensions "$4" -in "$1.csr" -out "$1.crt" 2>/dev/null
}
revoke() { openssl ca -config "$2.cnf" -revoke "$1.crt" 2>/dev/null; }
# list NAME AUTHORITY OPTION...
list() {
  openssl ca -gencrl -config "$2.cnf" -out "$1.pem" "${@:3}" 2>/dev/null
  openssl crl -in "$1.pem" -outform DER -out "$1.crl"
}

key root
openssl req -x509 -new -key root.key -days 30 -subj '/CN=Revoking root' -out root.crt -addext basicConstraints=critical,CA:TRUE \
  -addext keyUsage=critical,keyCertSign,cRLSign
configure root
key issuing
issue issuing root issuing authority
configure issuing
key server
for name in good revoked; do issue "$name" issuing server listed; done
issue nowhere issuing server server
list root root
list old issuing -crl_lastupdate 20200101000000Z -crl_nextupdate 20200201000000Z
revoke revoked issuing
list issuing issuing
list delta issuing -crlexts delta
cat issuing.pem root.pem >both.pem
revoke issuing root
list root-all root
key foreign
openssl req -x509 -new -key foreign.key -days 30 -subj /CN=issuing -out foreign.crt
configure foreign
list foreign foreign
for name in good revoked nowhere; do cat issuing.crt >>"$name.crt"; done
chmod 644 ./*
