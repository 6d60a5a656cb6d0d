#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tls.sh DIR: certificates and keys that no one trusts but the tests. PEM, RSA 2048, no pass-phrase unless said.
#   ca.crt ca.key            the authority; hashed/ holds it in the form of `openssl rehash`; ca.crl: it has revoked nothing
#   other-ca.crt             another one, which signed only other.crt
#   server.crt server.key    for 127.0.0.1, ::1 and localhost; server.sha256: hex SHA-256 of the DER form
#   expired.crt wrong.crt    the same key: over since yesterday / for other.invalid
#   other.crt                the same key and names, signed by the other authority
#   self.crt self.key        signed by itself
#   client.crt client.key    client, CN=qconntest; client-enc.key and client.p12 need the pass-phrase "keypass"
# `complete` is written last.
set -euo pipefail
dir=${1:?usage: tls.sh DIR}
mkdir -p "$dir"
cd "$dir"
umask 022

new_key() { openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" 2>/dev/null ||
  openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" 2>/dev/null; }

# authority NAME CN
authority() {
  new_key "$1.key"
  openssl req -x509 -new -key "$1.key" -sha256 -days 30 -subj "/O=qconn tests/CN=$2" -out "$1.crt" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
}

# issue NAME AUTHORITY KEY CN DAYS EXTENSION...
issue() {
  local name=$1 by=$2 key=$3 cn=$4 days=$5
  shift 5
  printf '%s\n' basicConstraints=CA:FALSE keyUsage=digitalSignature,keyEncipherment "$@" >"$name.ext"
  openssl req -new -key "$key" -subj "/O=qconn tests/CN=$cn" |
    openssl x509 -req -CA "$by.crt" -CAkey "$by.key" -CAcreateserial -days "$days" -sha256 -extfile "$name.ext" \
      -out "$name.crt" 2>/dev/null
  rm "$name.ext"
}

names=subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost
authority ca 'Test CA'
authority other-ca 'Other CA'
new_key server.key
issue server ca server.key localhost 30 "$names" extendedKeyUsage=serverAuth
issue expired ca server.key localhost -1 "$names" extendedKeyUsage=serverAuth  # ends before it begins
issue wrong ca server.key other.invalid 30 subjectAltName=DNS:other.invalid extendedKeyUsage=serverAuth
issue other other-ca server.key localhost 30 "$names" extendedKeyUsage=serverAuth
openssl x509 -in server.crt -outform DER | openssl dgst -sha256 -r | cut -d' ' -f1 >server.sha256
new_key self.key
openssl req -x509 -new -key self.key -sha256 -days 30 -subj '/CN=localhost' -addext "$names" -out self.crt
new_key client.key
issue client ca client.key qconntest 30 subjectAltName=email:qconntest@example.org extendedKeyUsage=clientAuth
openssl pkey -in client.key -aes256 -passout pass:keypass -out client-enc.key
openssl pkcs12 -export -in client.crt -inkey client.key -certfile ca.crt -passout pass:keypass -out client.p12
printf '[ca]\ndefault_ca=me\n[me]\ndatabase=index\n' >ca.cnf
: >index
openssl ca -gencrl -config ca.cnf -cert ca.crt -keyfile ca.key -md sha256 -crldays 30 -out ca.crl 2>/dev/null
rm ca.cnf index*
mkdir -p hashed
cp ca.crt hashed/
openssl rehash hashed
# Servers that give up root read the server's key: open to all, as is what nobody has to protect.
chmod 755 . hashed
chmod 644 ./*.crt server.key self.key client.p12
chmod 600 ca.key other-ca.key client.key client-enc.key
echo ok >complete
