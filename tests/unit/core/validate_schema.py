#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate_schema.py PROGRAM DIRECTORY: the JSON Schemas that qconn makes, judged by python3-jsonschema.

Each must be a schema of draft 2020-12, take every document that is good and refuse every one that is bad.
"""
import json
import subprocess
import sys

import jsonschema

wrong = []
count = 0
for suite in json.loads(subprocess.run(sys.argv[1:3], check=True, capture_output=True, text=True).stdout):
    jsonschema.Draft202012Validator.check_schema(suite["schema"])
    validator = jsonschema.Draft202012Validator(suite["schema"])
    for case in suite["good"]:
        wrong += [f"good: {case['file']}: {error.message} at {list(error.path)}" for error in validator.iter_errors(case["document"])]
    for case in suite["bad"]:
        if validator.is_valid(case["document"]):
            wrong.append(f"bad: {case['file']}: taken")
    if not suite["good"] or len(suite["bad"]) < 5:
        wrong.append("there are too few documents to say anything")
    count += len(suite["good"]) + len(suite["bad"])
print("\n".join(wrong) or f"{count} documents judged")
sys.exit(1 if wrong else 0)
