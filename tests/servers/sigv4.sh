#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks AWS Signature Version 4 with botocore's own signer: any method and path; 200, or 403, with a JSON body that shows canonical request and string to
# sign of this side. Key id TEST_USER, secret TEST_PASS, any region and service (s3 has its own path rules), in headers or in the query; dates may be five
# minutes off; on PORT2 under TLS. /moved/STATUS/PATH leads on to /PATH. POST /presign answers with the URL that botocore's presigner makes.
. "$(dirname "$0")/lib.sh"
packages='apt python3-botocore
apt openssl'
programs='/usr/bin/python3 openssl'

start() {
  tls
  exec /usr/bin/python3 -B "$here/sigv4.py" "$port" "$port2" "$tls" "$user" "$pass"
}

ready() { accepts "$port" && accepts "$port2"; }

main "$@"
