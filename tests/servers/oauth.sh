#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OAuth 2 server (oidc-provider), which checks its clients; tokens are opaque. Clients, all with the secret TEST_PASS:
#   TEST_USER       client_credentials, HTTP Basic            TEST_USER-post  the same in the body, and jwt-bearer (key: DIR/assertion.pub)
#   TEST_USER-web   authorization_code with PKCE and rotated refresh tokens, back to https://app.example/back; everybody is let in at once, and
#                   refused with login_hint=deny
#   TEST_USER-native  the same, back to any port of http://127.0.0.1/
# POST /token, /token/introspection, /token/revocation; GET /auth, /.well-known/openid-configuration.
# GET /resource: 200 with a living token, else 401 with the token in the body. DIR/output.log: a line for each token and each refusal.
# Environment: OAUTH_TTL: seconds that a token lives (600).
. "$(dirname "$0")/lib.sh"
packages='apt nodejs
npm oidc-provider'
programs='node'

start() {
  npm_packages oidc-provider
  KEY_DIR=$dir exec node --no-warnings "$here/oauth.mjs" "$port" "$user" "$pass" "${OAUTH_TTL:-600}"
}

ready() { accepts "$port"; }

main "$@"
