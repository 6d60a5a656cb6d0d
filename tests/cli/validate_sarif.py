#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""validate_sarif.py QCONN SCHEMA: what `qconn check --format sarif` writes, judged by python3-jsonschema and by reading the places that it names."""
import json
import pathlib
import subprocess
import sys
import tempfile
import urllib.parse

import jsonschema

tool, schema_file = sys.argv[1:3]
FILES = {
    "plain.qconn.yaml": "type: connection\nname: a\ndesc: d\nurl: rests://h.example/\noptions:\n  conect_timeout: 5000\n",
    "with space/50% #1? é.qconn.yaml": "type: connection\nname: \"ä 😀\"\ndesc: \"😀\"\nurl: rest://h/\noptions: {\"tiemout\": 5}\n",
    "twice.qconn.yaml": "type: connection\nname: a\ndesc: d\nurl: file:///tmp\n",
    "warned.qconn.yaml": "type: connection\nname: w\ndesc: d\nurl: rests://h.example/\noptions:\n  ssl_verify_cert: yes\n",
    "broken.qconn.yaml": "type: [connection\n",
}
wrong = []


def run(directory, *arguments):
    result = subprocess.run([tool, "check", "--format", "sarif", *arguments], cwd=directory, capture_output=True, text=True, check=False)
    return result.returncode, json.loads(result.stdout)


def marked(base, location):
    """The text that a location marks."""
    artifact = location["physicalLocation"]["artifactLocation"]
    uri = artifact["uri"]
    if "uriBaseId" in artifact:
        uri = urllib.parse.urljoin(base, uri)
    path = pathlib.Path(urllib.parse.unquote(urllib.parse.urlsplit(uri).path))
    region = location["physicalLocation"].get("region", {})
    line = path.read_text(encoding="utf-8").splitlines()[region["startLine"] - 1] if region else ""
    return line[region["startColumn"] - 1 : region["endColumn"] - 1] if "startColumn" in region else ""


def expect(what, condition):
    if not condition:
        wrong.append(what)


schema = json.loads(pathlib.Path(schema_file).read_text(encoding="utf-8"))
validator = jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker())
validator.check_schema(schema)
with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as elsewhere:
    root = pathlib.Path(name)
    for file, text in FILES.items():
        (root / file).parent.mkdir(exist_ok=True)
        (root / file).write_text(text, encoding="utf-8")
    logs = [run(root, ".", "with space"), run(root, str(root)), run(elsewhere, str(root), str(root / "with space"))]
    for code, log in logs:
        wrong += [f"{error.message} at {list(error.absolute_path)}" for error in validator.iter_errors(log)]
        expect("the exit code is that of other formats", code == 1)
        one = log["runs"][0]
        base = one["originalUriBaseIds"]["WORKINGDIR"]["uri"]
        rules = one["tool"]["driver"]["rules"]
        by_rule = {}
        for result in one["results"]:
            expect("a result names its rule", rules[result["ruleIndex"]]["id"] == result["ruleId"])
            by_rule.setdefault(result["ruleId"], []).append((result["level"], marked(base, result["locations"][0])))
        expect(f"unknown options are marked: {by_rule}", ("error", "conect_timeout") in by_rule["unknown-option"])
        expect(f"a warning is one: {by_rule}", ("warning", "yes") in by_rule["boolean-spelling"])
        duplicate = next(r for r in one["results"] if r["ruleId"] == "duplicate-name")
        expect("a duplicate has the first place as a related one", marked(base, duplicate["relatedLocations"][0]) == "a")
    for code, log in (logs[0], logs[2]):
        one = log["runs"][0]
        texts = [marked(one["originalUriBaseIds"]["WORKINGDIR"]["uri"], r["locations"][0]) for r in one["results"]]
        expect(f"columns count characters: {texts}", any("tiemout" in text for text in texts))
    expect("files elsewhere have whole URIs", all("uriBaseId" not in r["locations"][0]["physicalLocation"]["artifactLocation"]
                                                   for r in logs[2][1]["runs"][0]["results"]))
    good = pathlib.Path(elsewhere) / "good.qconn.yaml"
    good.write_text(FILES["twice.qconn.yaml"], encoding="utf-8")
    code, log = run(elsewhere)
    wrong += [error.message for error in validator.iter_errors(log)]
    expect("no finding, no result", code == 0 and log["runs"][0]["results"] == [])
    broken = json.loads(json.dumps(logs[0][1]))
    broken["runs"][0]["results"][0]["level"] = "terrible"
    expect("the validator validates", not validator.is_valid(broken))
print("\n".join(wrong) or f"{len(logs) + 1} logs judged")
sys.exit(1 if wrong else 0)
