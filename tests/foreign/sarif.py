#!/usr/bin/env python3
"""Validates the SARIF of all fixtures with Microsoft's SARIF Multitool: the schema, and its rules for SARIF files.

Needs @microsoft/sarif-multitool from npm: SARIF_MULTITOOL names the program, if it is not `sarif-multitool`.
"""

import json
import os
import subprocess
import sys
import tempfile

from written import Desk


def main():
    tool = os.environ.get("SARIF_MULTITOOL", "sarif-multitool")
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        path = desk.write("findings.sarif", "audit", "evidence", "--format", "sarif", "--all", "--locations")
        results = sum(len(run["results"]) for run in json.loads(path.read_text(encoding="utf-8"))["runs"])
        out = desk.folder / "validation.sarif"
        command = [tool, "validate", str(path), "--output", str(out), "--level", "Error;Warning;Note", "--log", "ForceOverwrite"]
        run = subprocess.run([*command, "--kind", "Fail"], capture_output=True, text=True)
        if not out.exists():
            sys.exit(f"{run.returncode}: {run.stdout}{run.stderr}")
        found = {}
        for result in json.loads(out.read_text(encoding="utf-8-sig"))["runs"][0].get("results", []):
            level = result.get("level", "warning")
            found.setdefault((level, result["ruleId"]), []).append(result["message"])
        for (level, rule), messages in sorted(found.items()):
            print(f"{level}: {rule}: {len(messages)}: {messages[0]}")
        if any(level == "error" for level, _ in found):
            sys.exit("the log is not valid")
        version = subprocess.check_output([tool, "--version"], text=True).strip()
        print(f"SARIF Multitool {version}: {results} results")


main()
