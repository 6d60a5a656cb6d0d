#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks AWS Signature Version 4 with botocore's own signer: any method and path; 200, or 403, with a JSON body that shows canonical request and string to
# sign of this side. Key id TEST_USER, secret TEST_PASS, any region and service (s3 has its own path rules), in headers or in the query; dates may be five
# minutes off. /moved/STATUS/PATH leads on to /PATH. POST /presign answers with the URL that botocore's presigner makes.
. "$(dirname "$0")/lib.sh"
packages='apt python3-botocore'
programs='/usr/bin/python3'

start() { exec /usr/bin/python3 -B "$here/sigv4.py" "$port" "$user" "$pass"; }

ready() { accepts "$port"; }

main "$@"
