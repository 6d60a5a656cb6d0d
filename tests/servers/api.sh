#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# REST API (FastAPI) that publishes its own description, OpenAPI 3.0, at /v1/openapi.json and checks requests by itself; see api.py.
. "$(dirname "$0")/lib.sh"
packages='apt python3-fastapi
apt uvicorn'
programs='/usr/bin/python3 /usr/bin/uvicorn'

start() {
  cd "$here"
  export PYTHONDONTWRITEBYTECODE=1
  exec /usr/bin/python3 -m uvicorn --host 127.0.0.1 --port "$port" --log-level info api:app
}

ready() { accepts "$port"; }

main "$@"
