"""Reads sheets of findings with Python's csv and compares every cell with the JSON report: SHEET.csv REPORT.json.

Prints the number of rows. What a sheet escapes is read back: an apostrophe before what would be a formula, and \\u{...}.
"""

import csv
import json
import re
import sys

FORMULA = tuple("=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}")


def plain(cell):
    if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA):
        cell = cell[1:]
    return re.sub(r"\\u\{([0-9a-f]+)\}", lambda match: chr(int(match[1], 16)), cell)


def word(value):
    return "" if value is None else str(value)


def place(location, field):
    return word(location[field]) if location else ""


def expected_cells(installation, finding):
    """Each column, from the report alone; None where the sheet puts together what the report keeps apart."""
    observed, remediation = finding["observed"], finding["remediation"]
    hive = next((hive for hive in installation["hives"] if hive["role"] == finding["hive"]), None)
    types = list(dict.fromkeys(datum["type"] for datum in finding["expected"]))
    set_to = remediation if remediation and remediation["action"] == "set" else None
    root = "HKEY_LOCAL_MACHINE\\"
    return {
        "installation": installation["id"],
        "label": word(installation["label"]),
        "evidence": installation["evidence"],
        "generation": installation["generation"],
        "computer_name": word(installation["machine"]["computer_name"]),
        "os": installation["os"]["id"],
        "os_name": installation["os"]["name"],
        "build": word(installation["os"]["build"]),
        "baseline": installation["baseline"]["id"] if installation["baseline"] else "",
        "id": finding["id"],
        "verdict": finding["verdict"],
        "severity": finding["severity"],
        "grade": finding["grade"],
        "reason": word(finding["reason"]),
        "cause": word(finding["cause"]),
        "control_set": word(finding["control_set"]),
        "hive": word(finding["hive"]),
        "key": f"{root}{finding['hive']}\\{finding['key']}" if finding["key"] is not None else "",
        "value": word(finding["value"]),
        "expected_type": " | ".join(types),
        "expected_text": None,
        "observed_type": observed["type"] if observed else "",
        "observed_text": observed["text"] if observed else "",
        "observed_raw": observed["raw"] if observed else "",
        "key_last_written": word(finding["key_last_written"]),
        "key_last_written_note": word(finding["key_last_written_note"]),
        "view": finding["view"],
        "nk_offset": place(finding["location"], "nk"),
        "vk_offset": place(finding["location"], "vk"),
        "data_offset": place(finding["location"], "data"),
        "why": finding["why"],
        "note": word(finding["note"]),
        "advice": word(finding["advice"]),
        "source": finding["source"]["title"],
        "source_url": word(finding["source"]["url"]),
        "attack": " ".join(finding["attack"]),
        "also_in": " | ".join(finding["also_in"]),
        "action": remediation["action"] if remediation else "",
        "action_type": set_to["type"] if set_to else "",
        "action_text": None,
        "hive_path": hive["path"] if hive else "",
        "hive_sha256": word(hive["sha256"]) if hive else "",
        "hive_state": hive["integrity"]["state"] if hive else "",
    }


def parts(data):
    """The strings that the text of typed data must hold."""
    return [str(part) for part in data] if isinstance(data, list) else [] if data is None else [str(data)]


with open(sys.argv[2], encoding="utf-8") as file:
    report = json.load(file)
with open(sys.argv[1], encoding="utf-8-sig", newline="") as file:
    rows = list(csv.DictReader(file, strict=True))
findings = [(i, f) for i in report["installations"] for f in i.get("findings", [])]
if len(rows) != len(findings):
    sys.exit(f"{len(findings)} findings, and {len(rows)} rows")
for number, (row, (installation, finding)) in enumerate(zip(rows, findings), 1):
    expected = expected_cells(installation, finding)
    if list(row) != list(expected):
        sys.exit(f"row {number}: columns {list(row)}")
    for column, text in expected.items():
        if text is not None and plain(row[column]) != text:
            sys.exit(f"row {number}, {column}: {row[column]!r} for {text!r}")
        if row[column].lstrip().startswith((*FORMULA, "\t", "\r")):
            sys.exit(f"row {number}, {column}: {row[column]!r} could be a formula")
    wanted = [part for datum in finding["expected"] for part in parts(datum["data"])]
    set_to = finding["remediation"] or {}
    for column, strings in [("expected_text", wanted), ("action_text", parts(set_to.get("data")))]:
        missing = [part for part in strings if part not in plain(row[column])]
        if missing:
            sys.exit(f"row {number}, {column}: {row[column]!r} lacks {missing}")
print(len(rows))
