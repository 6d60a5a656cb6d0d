#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# OAuth 2 mock (oauth2-mock-server): client_credentials, password, authorization_code and refresh_token; any client, user and secret is taken.
# Tokens are JWT signed with RS256, keys at /jwks. POST /token, GET /authorize, /userinfo, /.well-known/openid-configuration.
. "$(dirname "$0")/lib.sh"
packages='apt nodejs
npm oauth2-mock-server'
programs='node'

start() {
  npm_packages oauth2-mock-server
  exec node --no-warnings "$NPM_DIR/node_modules/oauth2-mock-server/dist/oauth2-mock-server.js" -a 127.0.0.1 -p "$port"
}

ready() { accepts "$port"; }

main "$@"
