#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate_schema.py PROGRAM DIRECTORY: the JSON Schema that qconn makes, judged by python3-jsonschema.

It must be a schema of draft 2020-12, take every document of DIRECTORY/good and refuse every one of DIRECTORY/bad.
"""
import json
import subprocess
import sys

import jsonschema

given = json.loads(subprocess.run(sys.argv[1:3], check=True, capture_output=True, text=True).stdout)
jsonschema.Draft202012Validator.check_schema(given["schema"])
validator = jsonschema.Draft202012Validator(given["schema"])
wrong = []
for case in given["good"]:
    wrong += [f"good/{case['file']}: {error.message} at {list(error.path)}" for error in validator.iter_errors(case["document"])]
for case in given["bad"]:
    if validator.is_valid(case["document"]):
        wrong.append(f"bad/{case['file']}: taken")
if len(given["good"]) < 5 or len(given["bad"]) < 10:
    wrong.append("there are too few documents to say anything")
print("\n".join(wrong) or f"{len(given['good'])} taken, {len(given['bad'])} refused")
sys.exit(1 if wrong else 0)
