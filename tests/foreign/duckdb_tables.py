#!/usr/bin/env python3
"""Reads the records of all fixtures with integrations/fleet/schema.sql and compares the tables with the JSON report.

Needs duckdb from PyPI.
"""

import json
import subprocess
import sys
import tempfile

import duckdb

from written import ROOT, Desk

TABLES = {
    "run": "runs",
    "installation": "installations",
    "finding": "findings",
    "shadow-copy": "shadow_copies",
    "source": "sources",
    "problem": "problems",
    "summary": "summaries",
}
# Fields of the schema that a table has in other columns, or in one that is taken apart.
ELSEWHERE = {"runs": {"record", "tool"}, **{table: {"record"} for table in list(TABLES.values())[1:]}}


def read(pattern):
    connection = duckdb.connect()
    connection.execute("SET VARIABLE lines = $1", [pattern])
    connection.execute((ROOT / "integrations/fleet/schema.sql").read_text(encoding="utf-8"))
    return connection


def one(connection, query):
    return connection.execute(query).fetchone()[0]


def same(found, expected, what):
    if found != expected:
        sys.exit(f"{what}: {found!r}, and the report has {expected!r}")


def types(connection):
    return {
        table: connection.execute(f"SELECT column_name, column_type FROM (DESCRIBE {table})").fetchall()
        for table in TABLES.values()
    }


def check_columns(desk, connection):
    """Each field of the records' schema is a column."""
    schema = json.loads(subprocess.check_output([desk.program, "schema", "records"]))
    fields_of = {}
    for record, table in TABLES.items():
        definition = schema["$defs"][record.replace("-", "_") + "_record"]
        fields = set(definition["properties"])
        if "$ref" in definition:
            fields |= set(schema["$defs"][definition["$ref"].rsplit("/", 1)[1]]["properties"])
        fields_of[table] = fields - ELSEWHERE[table]
    for table, columns in types(connection).items():
        missing = fields_of[table] - {name for name, _ in columns}
        same(missing, set(), f"{table} lacks columns")


def check_rows(connection, lines, report):
    for record, table in TABLES.items():
        rows = one(connection, f"SELECT count(*) FROM {table}")
        same(rows, sum(line["record"] == record for line in lines), f"rows of {table}")
    findings = [finding for installation in report["installations"] for finding in installation.get("findings", [])]
    for query, expected in [
        ("SELECT count(*) FROM findings", len(findings)),
        ("SELECT count(*) FROM findings WHERE verdict = 'deviates'", sum(f["verdict"] == "deviates" for f in findings)),
        ("SELECT sum(len(observed.raw)) FROM findings", sum(len(f["observed"]["raw"]) for f in findings if f["observed"])),
        ("SELECT sum(len(observed.text)) FROM findings", sum(len(f["observed"]["text"]) for f in findings if f["observed"])),
        ("SELECT sum(len(expected)) FROM findings", sum(len(f["expected"]) for f in findings)),
        ("SELECT count(key_last_written) FROM findings", sum(f["key_last_written"] is not None for f in findings)),
        ("SELECT count(remediation) FROM findings", sum(f["remediation"] is not None for f in findings)),
        ("SELECT count(control_set) FROM findings", sum(f["control_set"] is not None for f in findings)),
        (
            "SELECT sum(h.size) FROM (SELECT unnest(hives) AS h FROM installations)",
            sum(hive["size"] for installation in report["installations"] for hive in installation["hives"]),
        ),
        ("SELECT sum(counts.conforms) FROM installations", sum(i["counts"]["conforms"] for i in report["installations"])),
        ("SELECT sum(assessed) FROM summaries", report["summary"]["assessed"]),
        ("SELECT sum(len(gaps)) FROM summaries", len(report["summary"]["gaps"])),
        ("SELECT sum(members.seen) FROM sources", sum(source["members"]["seen"] for source in report["sources"])),
    ]:
        same(one(connection, query), expected, query)
    # Times are those of the report, to the microsecond.
    rows = connection.execute("SELECT strftime(key_last_written, '%Y-%m-%dT%H:%M:%S.%f') FROM findings ORDER BY line")
    times = [time for (time,) in rows.fetchall()]
    same(times, [f["key_last_written"] and f["key_last_written"][:26] for f in findings], "key_last_written")
    rows = connection.execute("SELECT observed.data FROM findings WHERE observed.data IS NOT NULL ORDER BY line")
    data = [json.loads(text) for (text,) in rows.fetchall()]
    expected = [f["observed"]["data"] for f in findings if f["observed"] and f["observed"]["data"] is not None]
    same([datum for datum in data if datum is not None], expected, "observed.data")


def main():
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        report = json.loads(desk.write("report.json", "audit", "evidence", "--format", "json", "--all").read_text())
        path, lines = desk.lines("all.jsonl", "audit", "evidence", "--format", "jsonl", "--all")
        connection = read(str(path))
        check_columns(desk, connection)
        check_rows(connection, lines, report)
        whole = types(connection)

        # One file a machine, two runs in one of them, one cut off; a machine of which little is known.
        cases = sorted(path.name for path in (desk.folder / "evidence").iterdir())
        (desk.folder / "fleet").mkdir()
        for case in cases:
            desk.write(f"fleet/{case}.jsonl", "audit", f"evidence/{case}", "--format", "jsonl", "--all")
        fleet = read(str(desk.folder / "fleet" / "*.jsonl"))
        same(types(fleet), whole, "types of the columns")
        same(one(fleet, "SELECT count(*) FROM findings"), one(connection, "SELECT count(*) FROM findings"), "findings of the fleet")
        same(one(fleet, "SELECT count(DISTINCT run) FROM installations"), len(cases), "runs of the fleet")
        same(one(fleet, "SELECT count(*) FROM runs WHERE truncated"), 0, "truncated runs")
        (desk.folder / "few").mkdir()
        first, second = [(desk.folder / "fleet" / f"{case}.jsonl").read_text(encoding="utf-8") for case in cases[:2]]
        (desk.folder / "few" / "a.jsonl").write_text(first + second, encoding="utf-8")
        (desk.folder / "few" / "b.jsonl").write_text("".join(first.splitlines(True)[:3]), encoding="utf-8")
        few = read(str(desk.folder / "few" / "*.jsonl"))
        same(few.execute("SELECT run, truncated FROM runs ORDER BY run").fetchall(), [(1, False), (2, False), (3, True)], "runs")
        same(types(few), whole, "types of the columns")
        desk.write("find.jsonl", "find", "evidence/windows-nt4", "--format", "jsonl")
        same(types(read(str(desk.folder / "find.jsonl"))), whole, "types of the columns")
        print(f"duckdb {duckdb.__version__}: {len(lines)} records of {len(cases)} machines")


main()
