"""Machines without an answer, and answers that are missing, cut off or double."""

import json
import shutil

from database import read, rows


def test_machines_without_a_whole_answer_are_named_with_the_reason(lab, fleet):
    codes = {}
    for row in rows(fleet, "FROM no_answer"):
        codes.setdefault((row["machine"], row["answer"]), set()).add(row["code"])
        assert row["reason"]
        assert row["file"]
    none = sorted(machine for machine, answer in codes if answer == "none")
    assert none == lab.which("gone", "wiped", "unknown Windows")
    part = sorted(machine for machine, answer in codes if answer == "part")
    assert part == lab.which("without SOFTWARE", "SYSTEM is cut off")
    assert codes["NT4-001", "none"] == {"windows-unknown"}
    assert codes["GONE-001", "none"] == {"unreadable"}
    assert "not-a-hive" in codes["W7-150", "none"]
    for machine in lab.which("without SOFTWARE"):
        assert codes[machine, "part"] == {"hive-missing"}
    for machine in lab.which("SYSTEM is cut off"):
        assert "hive-damaged" in codes[machine, "part"]


def test_machines_without_a_name_are_told_apart(lab, fleet):
    nameless = rows(fleet, "SELECT machine FROM judged WHERE computer_name IS NULL ORDER BY machine")
    assert [row["machine"] for row in nameless] == lab.which("SYSTEM is cut off")


def test_a_shard_that_is_missing_and_one_that_was_cut_off_are_noticed(lab, tmp_path):
    shutil.copytree(lab.answers, tmp_path / "answers")
    (tmp_path / "answers" / lab.shards[2].name).unlink()
    cut = tmp_path / "answers" / lab.shards[4].name
    content = cut.read_bytes()[: cut.stat().st_size // 2]
    assert not content.endswith(b"\n")
    cut.write_bytes(content)
    left = [json.loads(line) for line in content.splitlines()[:-1]]
    left = {record["label"] or record["evidence"] for record in left if record["record"] == "installation"}
    lost = {name for name in lab.order[4 :: len(lab.shards)] if lab.called(name) not in left}
    assert 20 < len(lost) < 60
    lost |= set(lab.order[2 :: len(lab.shards)])

    fleet = read(tmp_path / "answers/*.jsonl", lab.list)
    silent = rows(fleet, "SELECT machine FROM no_answer WHERE code = 'no-record'")
    # A machine without a label and without a record has only the path of the list.
    listed = {str(lab.folders[name]) if name.startswith("XP") else name for name in lost}
    assert {row["machine"] for row in silent} == listed
    cut_off = rows(fleet, "SELECT file, machine, reason FROM no_answer WHERE code = 'cut-off'")
    assert cut_off == [{"file": str(cut), "machine": None, "reason": "no summary at the end"}]
    run = rows(fleet, "SELECT truncated, unreadable_lines FROM runs WHERE file = $1", str(cut))
    assert run == [{"truncated": True, "unreadable_lines": 1}]


def test_a_line_that_was_overwritten_is_noticed(lab, tmp_path):
    lines = lab.shards[1].read_bytes().splitlines(keepends=True)
    lines[len(lines) // 2] = b'{"record":"find\0\0\0\0\n'
    (tmp_path / "hurt.jsonl").write_bytes(b"".join(lines))
    found = rows(read(tmp_path / "*.jsonl"), "SELECT file, reason FROM no_answer WHERE code = 'cut-off'")
    assert found == [{"file": str(tmp_path / "hurt.jsonl"), "reason": "1 lines cannot be read"}]


def test_a_refused_report_gives_the_reasons_of_its_shard(shard, tmp_path):
    (tmp_path / "list").write_text('{"path": "/gone/1", "label": "A"}\n{"path": "/gone/2", "label": "B"}\n')
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers") == 2
    fleet = read(tmp_path / "answers/*.jsonl", tmp_path / "list")
    assert rows(fleet, "SELECT machine, answer, code FROM no_answer") == [
        {"machine": "A", "answer": "none", "code": "unreadable"},
        {"machine": "B", "answer": "none", "code": "unreadable"},
    ]


def test_refused_evidence_is_named_by_its_label_without_the_list(shard, tmp_path):
    (tmp_path / "list").write_text('{"path": "/gone/1", "label": "A"}\n{"path": "/gone/2", "label": "B"}\n')
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers") == 2
    found = rows(read(tmp_path / "answers/*.jsonl"), "SELECT machine FROM no_answer ORDER BY machine")
    assert found == [{"machine": "A"}, {"machine": "B"}]


def test_one_machine_that_does_not_exist_has_a_refused_report(shard, tmp_path):
    (tmp_path / "list").write_text('{"path": "/gone", "label": "A"}\n')
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers") == 2
    found = rows(read(tmp_path / "answers/*.jsonl"), "SELECT machine, answer, code FROM no_answer")
    assert found == [{"machine": "A", "answer": "none", "code": "unreadable"}]


def test_a_path_that_is_listed_twice_is_noticed(shard, lab, tmp_path):
    """hivemend reads a path once, and refuses the second label."""
    path = lab.folders["W7-180"]
    (tmp_path / "list").write_text("".join(json.dumps({"path": str(path), "label": name}) + "\n" for name in "AB"))
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers") == 0
    fleet = read(tmp_path / "answers/*.jsonl", tmp_path / "list")
    found = rows(fleet, "SELECT machine, code, reason FROM no_answer")
    reason = f"the same evidence with the label A: {path}"
    assert found == [{"machine": "B", "code": "unreadable", "reason": reason}]


def test_a_listed_path_without_a_label_that_answered_in_part_is_a_part(shard, lab, tmp_path):
    """One path holds two machines: one answers, one has no hive."""
    folder = tmp_path / "disk"
    shutil.copytree(lab.folders["W7-180"], folder / "a")
    shutil.copytree(lab.folders["W7-150"], folder / "b")
    (tmp_path / "list").write_text(f"{folder}/\n")
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers") == 0
    found = rows(
        read(tmp_path / "answers/*.jsonl", tmp_path / "list"), "SELECT DISTINCT machine, answer FROM no_answer"
    )
    assert found == [{"machine": str(folder), "answer": "part"}]


def test_machines_of_two_runs_are_named_and_counted_once(lab, fleet, tmp_path):
    assert rows(fleet, "FROM read_twice") == []
    shutil.copytree(lab.answers, tmp_path / "answers")
    shutil.copy(lab.shards[0], tmp_path / "answers/earlier.jsonl")
    double = read(tmp_path / "answers/*.jsonl", lab.list)
    expected = {lab.called(name) for name in lab.order[:: len(lab.shards)]}
    expected -= set(lab.which("gone", "wiped"))
    found = rows(double, "FROM read_twice")
    assert {row["machine"] for row in found} == expected
    assert all(len(row["files"]) == row["runs"] == 2 for row in found)
    (bits,) = rows(double, "SELECT machines FROM what_is_wrong WHERE id = 'service-bits/Start'")
    assert bits["machines"] == 40
