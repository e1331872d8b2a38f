"""schema.sql: every field of every record, over all fixtures of the repository."""

import json
import re
import subprocess

import pytest
from database import FLEET, read, rows

TABLES = {
    "run": "runs",
    "installation": "installations",
    "finding": "findings",
    "shadow-copy": "shadow_copies",
    "source": "sources",
    "problem": "problems",
    "summary": "summaries",
}
# Columns that schema.sql adds.
ADDED = {"run", "line", "file", "key_time", "truncated", "unreadable_lines"}


@pytest.fixture(scope="module")
def lines(hivemend, make_evidence, tmp_path_factory):
    folder = tmp_path_factory.mktemp("fixtures")
    subprocess.run([make_evidence, folder / "evidence", "--all"], check=True, capture_output=True)
    command = [
        hivemend,
        "audit",
        folder / "evidence",
        "--format",
        "jsonl",
        "--all",
        "--locations",
        "--generations",
        "all",
        "--hash",
        "md5,sha1",
    ]
    done = subprocess.run([*command, "--label", "lab", "--output", folder / "all.jsonl"], capture_output=True)
    assert done.returncode == 3
    return folder / "all.jsonl"


@pytest.fixture(scope="module")
def tables(lines):
    return read(lines)


def as_written(value):
    """Gives times of DuckDB the form that hivemend writes: UTC with seven digits."""
    if isinstance(value, dict):
        return {name: as_written(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [as_written(inner) for inner in value]
    if isinstance(value, str) and (time := re.fullmatch(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,7}))?", value)):
        return f"{time[1]}T{time[2]}.{(time[3] or '').ljust(7, '0')}Z"
    return value


@pytest.mark.parametrize("record", TABLES)
def test_each_table_holds_what_the_records_hold(lines, tables, record):
    written = [json.loads(line) for line in lines.read_text(encoding="utf-8").splitlines()]
    written = [line for line in written if line.pop("record") == record]
    found = rows(tables, f"SELECT to_json(t)::VARCHAR AS row FROM {TABLES[record]} AS t ORDER BY line")
    assert len(found) == len(written)
    for row, expected in zip(found, written, strict=True):
        row = {name: value for name, value in as_written(json.loads(row["row"])).items() if name not in ADDED}
        if record == "run":
            row["tool"] = {"name": row["tool"], "version": row.pop("version")}
        if expected.get("remediation"):
            # An edit that deletes has neither type nor data.
            expected["remediation"] = {"type": None, "data": None, **expected["remediation"]}
        assert row == expected


def properties(schema, part):
    """Returns the properties of a part of a JSON Schema, with those of what it refers to."""
    found = {}
    if isinstance(part, dict):
        if "$ref" in part:
            found |= properties(schema, schema["$defs"][part["$ref"].rsplit("/", 1)[1]])
        for choice in [*part.get("anyOf", []), *part.get("oneOf", []), part.get("items")]:
            found |= properties(schema, choice)
        found |= part.get("properties", {})
    return found


def fields(schema, part, path=()):
    """Yields the path of each field of a record."""
    for name, inner in properties(schema, part).items():
        yield (*path, name)
        yield from fields(schema, inner, (*path, name))


def columns(structure, path=()):
    """Yields the path of each column and of each field in it. What is JSON in DuckDB holds any field."""
    if isinstance(structure, list):
        structure = structure[0]
    if isinstance(structure, dict):
        for name, inner in structure.items():
            yield (*path, name), inner
            yield from columns(inner, (*path, name))


@pytest.mark.parametrize("record", TABLES)
def test_each_field_of_the_json_schema_has_a_column(hivemend, record):
    """Compares with the text of schema.sql: it lists the fields as JSON."""
    schema = json.loads(subprocess.check_output([hivemend, "schema", "records"]))
    text = (
        (FLEET / "schema.sql").read_text(encoding="utf-8").split(f"CREATE OR REPLACE TABLE {TABLES[record]} AS", 1)[1]
    )
    structure = json.loads(re.search(r"json_transform\(json(?: -> '\$.options')?, '(\{.*?\})'\)", text, re.S)[1])
    if record == "run":
        structure = {
            "schema_version": "VARCHAR",
            "tool": {"name": "VARCHAR", "version": "VARCHAR"},
            "options": structure,
        }
    known = dict(columns(structure))
    opaque = [path for path, kind in known.items() if kind == "JSON"]
    written = set(fields(schema, schema["$defs"][record.replace("-", "_") + "_record"])) - {("record",)}
    assert {path for path in written if path not in known and not any(path[: len(o)] == o for o in opaque)} == set()
    assert {path for path in known if path not in written} == set()


def test_types_do_not_depend_on_the_data(tables, lab, tmp_path):
    first = lab.shards[0].read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "a.jsonl").write_text(first + "\n")
    little = read(tmp_path / "a.jsonl")
    for table in (*TABLES.values(), "listed"):
        describe = f"SELECT column_name, column_type FROM (DESCRIBE {table})"
        assert rows(little, describe) == rows(tables, describe)


def test_a_list_may_hold_paths_and_json_lines(lines, tmp_path):
    (tmp_path / "list").write_text('/plain, "path"/\n\n{"path": "a\\"b", "label": "x", "original_path": "C/y"}\n{odd}/')
    found = rows(read(lines, tmp_path / "list"), "SELECT label, path FROM listed")
    assert found == [
        {"label": None, "path": '/plain, "path"'},
        {"label": "x", "path": 'a"b'},
        {"label": None, "path": "{odd}"},
    ]
