# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs stand in the stage as they stood on their machines, and no run leaves its stage behind."""

import fcntl
import json
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from src import stage


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    output = tmp_path / "folder"
    output.mkdir()
    return output


def stored(folder: Path, name: str, content: bytes = b"", **more: Any) -> dict[str, Any]:
    number = len(list(folder.iterdir()))
    path = folder / f"{number:032x}"
    path.write_bytes(content or name.encode())
    return {"id": number, "uuid": f"{number:08x}" * 4, "display_name": name, "path": str(path), **more}


def test_a_file_keeps_its_original_path_and_is_a_hard_link(folder: Path) -> None:
    file = stored(folder, "x.bin", original_path="C:\\Windows\\System32\\config\\SYSTEM")
    with stage.Stage(str(folder), "task") as made:
        (staged,) = made.add([file])
        assert staged.path == "C_/Windows/System32/config/SYSTEM"
        assert (made.inputs / staged.path).samefile(file["path"])
        assert json.loads(stage.files_from([staged])) == {
            "path": "C_/Windows/System32/config/SYSTEM",
            "original_path": "C:\\Windows\\System32\\config\\SYSTEM",
            "label": None,
        }
        assert staged.notes == []
    assert list(folder.iterdir()) == [Path(file["path"])]


def test_without_a_path_a_file_has_its_display_name(folder: Path) -> None:
    files = [stored(folder, "SYSTEM"), stored(folder, "SYSTEM.LOG1"), stored(folder, "disk.E01"), stored(folder, "")]
    with stage.Stage(str(folder), "task") as made:
        staged = made.add(files)
        assert [each.path for each in staged] == ["SYSTEM", "SYSTEM.LOG1", "images/disk.E01", f"{3:032x}"]
        assert {each.label for each in staged} == {None}


def test_files_of_different_sources_have_different_labels(folder: Path) -> None:
    path = "Windows/System32/config/SYSTEM"
    files = [stored(folder, "SYSTEM", original_path=path, source_file_id=each) for each in (7, 8)]
    with stage.Stage(str(folder), "task") as made:
        staged = made.add(files)
        assert [each.label for each in staged] == ["source-7", "source-8"]
        assert [each.path for each in staged] == [f"source-7/{path}", f"source-8/{path}"]


def test_files_that_cannot_be_told_apart_stand_alone_and_say_so(folder: Path) -> None:
    files = [stored(folder, name) for name in ("SYSTEM", "system", "SOFTWARE", "disk.E01", "disk.E02")]
    with stage.Stage(str(folder), "task") as made:
        staged = made.add(files)
    assert [each.label for each in staged] == ["SYSTEM-00000000", "system-00000001", None, None, None]
    assert [bool(each.notes) for each in staged] == [True, True, False, False, False]
    assert "Audited alone" in staged[0].notes[0]


@pytest.mark.parametrize(
    ("original", "expected"),
    [
        ("../../../etc/passwd", "etc/passwd"),
        ("/etc/passwd", "etc/passwd"),
        ("a/../../b", "a/b"),
        ("case!1.zip", "case_1.zip"),
        ("p1/SYSTEM", "_p1/SYSTEM"),
        ("VSS2/o512/SYSTEM", "_VSS2/_o512/SYSTEM"),
        ("line\nfeed\x00/\u202eSYSTEM", "line_feed_/_SYSTEM"),
        ("\ud800", "?"),
        ("//", "x"),
        ("é" * 300, "é" * 120),
    ],
)
def test_no_name_leaves_the_stage_or_is_misread(folder: Path, original: str, expected: str) -> None:
    with stage.Stage(str(folder), "task") as made:
        (staged,) = made.add([stored(folder, "x", original_path=original)])
        assert staged.path == expected
        assert (made.inputs / expected).resolve().is_relative_to(made.inputs.resolve())


def test_a_file_and_a_folder_of_the_same_name_both_find_a_place(folder: Path) -> None:
    files = [stored(folder, "x", original_path=each) for each in ("a", "a/b", "c", "C/d")]
    with stage.Stage(str(folder), "task") as made:
        staged = made.add(files)
        assert [each.path for each in staged] == ["a", "2/a/b", "c", "C/d"]
        assert [(made.inputs / str(each.path)).read_bytes() for each in staged] == [b"x"] * 4


def test_parts_of_images_are_listed_by_their_folder(folder: Path) -> None:
    names = ["disk.E01", "disk.E02", "d.vmdk", "d-s001.vmdk", "raw.001", "raw.002", "SYSTEM.001", "case.zip", "x.bin"]
    with stage.Stage(str(folder), "task") as made:
        staged = made.add([stored(folder, name) for name in names])
        lines = [json.loads(line) for line in stage.files_from(staged).splitlines()]
        assert [line["path"] for line in lines] == ["images", "SYSTEM.001", "case.zip", "x.bin"]
        assert sorted(each.name for each in (made.inputs / "images").iterdir()) == sorted(names[:6])


def test_images_that_cannot_be_told_apart_are_listed_by_folders_of_their_own(folder: Path) -> None:
    with stage.Stage(str(folder), "task") as made:
        files = [stored(folder, "disk.E01"), stored(folder, "disk.E01")]
        staged = made.add(files)
        lines = [json.loads(line) for line in stage.files_from(staged).splitlines()]
    labels = [f"disk.E01-{file['uuid'][:8]}" for file in files]
    assert lines == [{"path": f"{label}/images", "label": label} for label in labels]


def test_a_missing_file_and_a_folder_have_a_note_and_the_rest_is_staged(folder: Path, tmp_path: Path) -> None:
    missing = {"id": 1, "uuid": "1", "display_name": "SYSTEM", "path": str(folder / "missing")}
    directory = {"id": 2, "uuid": "2", "display_name": "folder", "path": str(tmp_path)}
    with stage.Stage(str(folder), "task") as made:
        staged = made.add([missing, directory, stored(folder, "SOFTWARE")])
    assert [each.path for each in staged] == [None, None, "SOFTWARE"]
    assert "No such file or directory" in staged[0].notes[0]
    assert "not a regular file" in staged[1].notes[0]


@pytest.fixture
def other_file_system(tmp_path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("this machine has no second file system at /dev/shm")
        yield Path(other)


def test_a_file_on_another_file_system_is_copied_and_says_so(folder: Path, other_file_system: Path) -> None:
    file = stored(other_file_system, "SYSTEM", b"hive")
    with stage.Stage(str(folder), "task") as made:
        (staged,) = made.add([file])
        assert (made.inputs / "SYSTEM").read_bytes() == b"hive"
        assert not (made.inputs / "SYSTEM").samefile(file["path"])
    assert staged.notes == ["Copied, not linked: the file is on another file system than the outputs."]
    assert Path(file["path"]).read_bytes() == b"hive"


def test_the_stage_of_a_dead_run_goes_and_that_of_a_live_one_stays(folder: Path) -> None:
    with stage.Stage(str(folder), "live") as live:
        dead = folder / ".hivemend-dead-1"
        dead.mkdir()
        (dead / "lock").touch()
        made_just_now = folder / ".hivemend-new-1"
        made_just_now.mkdir()
        abandoned = folder / ".hivemend-old-1"
        abandoned.mkdir()
        past = time.time() - 3600
        os.utime(abandoned, (past, past))
        evidence = stored(folder, "SYSTEM")
        (dead / "SYSTEM").hardlink_to(evidence["path"])
        with stage.Stage(str(folder), "next"):
            assert live.root.exists()
            assert made_just_now.exists()
            assert not dead.exists()
            assert not abandoned.exists()
        assert Path(evidence["path"]).read_bytes() == b"SYSTEM"


def test_the_stage_of_a_task_that_runs_on_another_host_stays(folder: Path) -> None:
    """Some file systems do not share locks between hosts."""
    for task in ("elsewhere", "dead", "mine"):
        (folder / f".hivemend-{task}-1").mkdir()
        (folder / f".hivemend-{task}-1" / "lock").touch()
    with stage.Stage(str(folder), "mine", running=lambda task: task in {"elsewhere", "mine"}) as made:
        assert {each.name for each in folder.iterdir()} == {".hivemend-elsewhere-1", made.root.name}


def test_a_sweep_reports_what_is_left(folder: Path) -> None:
    assert stage.sweep(folder)
    with stage.Stage(str(folder), "task"):
        assert not stage.sweep(folder)
        assert not stage.sweep(folder, "task")
        assert stage.sweep(folder, "another")
    assert stage.sweep(folder)


def test_the_lock_ends_with_the_stage(folder: Path) -> None:
    with stage.Stage(str(folder), "task") as made:
        lock = os.open(made.root / "lock", os.O_RDWR)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(lock)
