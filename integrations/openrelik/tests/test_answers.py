# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes back for inputs as the server sends them."""

import gzip
import os
import re
import shutil
import subprocess
import tempfile
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import chain

from .conftest import Evidence
from .lab import Lab
from .server import TASK, UNPACK, Answer, Server

CONFIG = "Windows/System32/config"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """One Redis and one worker for all tests here: each looks at its own answer, and that nothing else is left."""
    lab = Lab(tmp_path_factory.mktemp("lab"))
    try:
        lab.worker()
        lab.worker("--concurrency=1", app="tests.upstream", queue="openrelik-worker-unpack")
        yield lab
    finally:
        lab.close()


def wrong(installation: dict[str, Any]) -> set[str]:
    return {each["id"] for each in installation["findings"] if each["verdict"] in {"deviates", "absent", "unexpected"}}


def reports(server: Server, answer: Answer) -> dict[str, tuple[int, str, str]]:
    """Returns priority, summary and text of each input's report, by the input's UUID."""
    paths = {each["uuid"]: Path(each["path"]) for each in answer.result["output_files"]}
    return {
        each["input_file_uuid"]: (each["priority"], each["summary"], paths[each["content_file_uuid"]].read_text())
        for each in server.file_reports
        if each["content_file_uuid"] in paths
    }


def zipped(folder: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in folder.rglob("*") if each.is_file()):
            archive.write(path, path.relative_to(folder))
    return target


def test_the_server_finds_the_task_its_queue_and_its_form(lab: Lab) -> None:
    task = lab.server.registered_tasks()[TASK]
    assert task["queue"] == "openrelik-worker-hivemend"
    assert task["display_name"]
    assert task["description"]
    assert [each["name"] for each in task["task_config"]] == [
        "patch",
        "generations",
        "report_from",
        "only",
        "skip",
        "accept_dirty",
    ]
    # The names of Vuetify's fields that openrelik-ui knows.
    assert {each["type"] for each in task["task_config"]} <= {"text", "checkbox", "select"}
    configuration = next(iter(lab.server.celery.control.inspect(timeout=1).conf().values()))
    assert "visibility_timeout" not in configuration.get("broker_transport_options", {})


def test_a_pair_with_its_logs_as_separate_files(lab: Lab, evidence: Evidence) -> None:
    """The disabled service is in the log only: without the log beside its hive nothing is found."""
    files = lab.store_machine(evidence.machine("windows-7-bits-disabled", dirty=True))
    software, system, log1, log2 = files
    assert [each["display_name"] for each in files] == ["SOFTWARE", "SYSTEM", "SYSTEM.LOG1", "SYSTEM.LOG2"]
    answer = lab.server.wait(lab.server.send(files, {"patch": True}))

    (installation,) = answer.report()["installations"]
    assert wrong(installation) == {"service-bits/Start"}
    assert {hive["role"]: hive["integrity"]["state"] for hive in installation["hives"]} == {
        "SOFTWARE": "clean",
        "SYSTEM": "recovered",
    }
    found = reports(lab.server, answer)
    assert found[software["uuid"]][:2] == (5, "No findings")
    assert found[system["uuid"]][:2] == (40, "Findings: 1 high")
    assert "service-bits/Start" in found[system["uuid"]][2]
    assert found[log1["uuid"]][1] == "Transaction log of a hive"
    assert "Its state: used" in found[log1["uuid"]][2]
    assert "Its state: stale" in found[log2["uuid"]][2]

    outputs = answer.outputs()
    assert outputs["evidence-SYSTEM.reg"].read_bytes().decode("utf-16").count('"Start"=dword:00000003') == 1
    assert outputs["evidence-SYSTEM.rollback.reg"].exists()
    assert outputs["evidence-IMPORT.txt"].exists()
    assert "evidence-SOFTWARE.reg" not in outputs
    patch = next(each for each in answer.result["output_files"] if each["display_name"] == "evidence-SYSTEM.reg")
    assert patch["source_file_id"] == system["id"]
    assert patch["original_path"] == "evidence/SYSTEM.reg"
    assert "service-bits/Start" in outputs["hivemend-report.md"].read_text()
    assert "service-bits/Start" in outputs["hivemend-report.html"].read_text()
    assert answer.result["meta"]["exit code"] == 1
    assert answer.result["task_report"]["priority"] == 40
    assert "|EXAMPLE-PC|Windows 7|high|1|0|service-bits/Start|" in answer.result["task_report"]["content"]
    lab.assert_nothing_left()


def test_the_outputs_have_uuids_that_depend_on_task_and_name_only(lab: Lab, evidence: Evidence) -> None:
    task_id = lab.server.send(lab.store_machine(evidence.machine("windows-7-bits-disabled")))
    answer = lab.server.wait(task_id)
    files = {each["display_name"]: each["uuid"] for each in answer.result["output_files"]}
    assert files["hivemend-report.json"] == uuid.uuid5(uuid.UUID(task_id), "report.json").hex
    lab.assert_nothing_left()


def test_the_report_names_no_folder_of_the_worker(lab: Lab, evidence: Evidence) -> None:
    """The same inputs give the same bytes, wherever the worker staged them."""
    files = lab.store_machine(evidence.machine("windows-7-bits-disabled"))
    first, second = (lab.server.wait(lab.server.send(files, {"patch": True})) for _ in range(2))
    assert str(lab.folder) not in first.outputs()["hivemend-report.json"].read_text()
    names = set(first.outputs())
    assert names == set(second.outputs())
    for name in names:
        assert first.outputs()[name].read_bytes() == second.outputs()[name].read_bytes(), name
    lab.assert_nothing_left()


def disk_image(folder: Path, machine: Path, fill: int) -> Path:
    """Makes a raw FAT volume with the machine's hives, and bytes that no compression makes smaller."""
    folder.mkdir(exist_ok=True)
    image = folder / "disk.raw"
    with image.open("wb") as file:
        file.truncate(12 << 20)
    (folder / "fill").write_bytes(os.urandom(fill))
    run = subprocess.run
    run(["mkfs.fat", "-F", "16", image], check=True, stdout=subprocess.DEVNULL)
    run(["mmd", "-i", image, "::Windows", "::Windows/System32", f"::{CONFIG}"], check=True)
    run(["mcopy", "-i", image, *sorted((machine / CONFIG).iterdir()), f"::{CONFIG}/"], check=True)
    run(["mcopy", "-i", image, folder / "fill", "::fill"], check=True)
    return image


def e01_set(folder: Path, image: Path, name: str) -> list[Path]:
    acquire = ["ewfacquire", "-u", "-q", "-t", str(folder / name), "-S", "1MiB", "-f", "encase6", "-c", "deflate:fast"]
    subprocess.run([*acquire, "-m", "fixed", "-M", "logical", image], check=True, stdout=subprocess.DEVNULL)
    return sorted(folder.glob(f"{name}.E*"))


def test_two_e01_sets_with_their_segments_as_separate_files(lab: Lab, evidence: Evidence, tmp_path: Path) -> None:
    segments = []
    for name, case in (("first", "windows-7-bits-disabled"), ("second", "windows-xp-senslogn-shutdown-wrong")):
        image = disk_image(tmp_path / name, evidence.machine(case), 3 << 20)
        segments += e01_set(tmp_path / name, image, name)
    assert [each.name for each in segments if each.name.endswith("E03")] == ["first.E03", "second.E03"]
    files = {each.name: lab.store(each) for each in reversed(segments)}
    answer = lab.server.wait(lab.server.send(list(files.values()), {"patch": True}))

    report = answer.report()
    by_evidence = {each["evidence"]: wrong(each) for each in report["installations"]}
    assert by_evidence == {
        f"images/first.E01!{CONFIG}": {"service-bits/Start"},
        f"images/second.E01!{CONFIG}": {"winlogon-notify-senslogn/Shutdown"},
    }
    assert report["summary"]["gaps"] == []
    found = reports(lab.server, answer)
    assert found[files["first.E01"]["uuid"]][:2] == (40, "Findings: 1 high")
    assert found[files["second.E01"]["uuid"]][:2] == (20, "Findings: 1 medium")
    assert found[files["first.E02"]["uuid"]][:2] == (5, "Part of another input, or no evidence")
    lab.assert_nothing_left()


def test_a_segment_that_is_missing_is_a_gap_and_the_other_set_is_read(
    lab: Lab, evidence: Evidence, tmp_path: Path
) -> None:
    image = disk_image(tmp_path / "image", evidence.machine("windows-7-bits-disabled"), 3 << 20)
    whole = e01_set(tmp_path / "image", image, "whole")
    broken = e01_set(tmp_path / "image", image, "broken")
    files = [lab.store(each) for each in whole + broken[:1]]
    answer = lab.server.wait(lab.server.send(files))
    report = answer.report()
    assert f"images/whole.E01!{CONFIG}" in {each["evidence"] for each in report["installations"]}
    assert report["summary"]["complete"] is False
    found = reports(lab.server, answer)
    priority, summary, text = found[files[-1]["uuid"]]
    assert priority >= 10
    assert "gap" in summary
    assert "Not assessed" in text
    assert answer.result["meta"]["exit code"] == 3
    lab.assert_nothing_left()


def images() -> Path:
    folder = os.getenv("HIVEMEND_IMAGES")
    if not folder:
        pytest.skip("HIVEMEND_IMAGES does not name the folder of public images; the other tests make their own")
    return Path(folder)


def test_a_public_e01_whose_hives_are_thirteen_bytes_is_an_answer(lab: Lab, tmp_path: Path) -> None:
    image = tmp_path / "partition_image.E01"
    packed = images() / "partition_image.E01.xz"
    with image.open("wb") as target:
        subprocess.run(["xz", "-dc", packed], check=True, stdout=target)
    file = lab.store(image)
    answer = lab.server.wait(lab.server.send([file]))
    assert answer.report()["installations"] == []
    assert answer.result["meta"]["exit code"] == 2
    priority, summary, _ = reports(lab.server, answer)[file["uuid"]]
    assert (priority, summary[:9]) == (10, "No answer")
    lab.assert_nothing_left()


def test_an_archive_with_two_machines_is_one_input(lab: Lab, evidence: Evidence, tmp_path: Path) -> None:
    for case in ("windows-7-bits-disabled", "windows-10-svchost-lacks-wuauserv"):
        shutil.copytree(evidence.machine(case), tmp_path / "case" / case)
    file = lab.store(zipped(tmp_path / "case", tmp_path / "case!1.zip"))
    answer = lab.server.wait(lab.server.send([file], {"patch": True}))
    installations = answer.report()["installations"]
    # The exclamation mark would have to be escaped in every place of the report.
    assert {each["evidence"] for each in installations} == {
        f"case_1.zip!{case}/{CONFIG}" for case in ("windows-7-bits-disabled", "windows-10-svchost-lacks-wuauserv")
    }
    priority, _, text = reports(lab.server, answer)[file["uuid"]]
    assert priority == 40
    assert "service-bits/Start" in text
    assert {each["source_file_id"] for each in answer.result["output_files"] if each["original_path"]} == {file["id"]}
    lab.assert_nothing_left()


def test_compressed_hives_are_paired_by_name(lab: Lab, evidence: Evidence, tmp_path: Path) -> None:
    files = []
    for path in sorted((evidence.machine("windows-7-bits-disabled") / CONFIG).iterdir()):
        packed = tmp_path / f"{path.name}.gz"
        packed.write_bytes(gzip.compress(path.read_bytes()))
        files.append(lab.store(packed))
    answer = lab.server.wait(lab.server.send(files))
    (installation,) = answer.report()["installations"]
    assert {hive["role"] for hive in installation["hives"]} == {"SOFTWARE", "SYSTEM"}
    assert reports(lab.server, answer)[files[1]["uuid"]][0] == 40
    lab.assert_nothing_left()


def test_same_names_without_paths_are_audited_alone_with_a_note(lab: Lab, evidence: Evidence) -> None:
    files = []
    for case in ("windows-7-bits-disabled", "windows-xp-senslogn-shutdown-wrong"):
        files += lab.store_machine(evidence.machine(case))
    answer = lab.server.wait(lab.server.send(files))
    installations = answer.report()["installations"]
    assert [len(each["hives"]) for each in installations] == [1, 1, 1, 1]
    assert {each["label"] for each in installations} == {f"{e['display_name']}-{e['uuid'][:8]}" for e in files}
    assert set.union(*map(wrong, installations)) >= {"service-bits/Start", "winlogon-notify-senslogn/Shutdown"}
    assert answer.report()["summary"]["complete"] is False
    found = reports(lab.server, answer)
    assert all("Audited alone" in found[each["uuid"]][2] for each in files)
    assert "4 inputs were audited alone" in answer.result["task_report"]["content"]
    lab.assert_nothing_left()


def test_a_chain_that_unpacks_first_keeps_paths_and_machines_apart(
    lab: Lab, evidence: Evidence, tmp_path: Path
) -> None:
    """Both archives hold the same paths. Only the source tells the machines apart."""
    files = [
        lab.store(zipped(evidence.machine(case, dirty=True), tmp_path / f"{case}.zip"))
        for case in ("windows-7-bits-disabled", "windows-xp-senslogn-shutdown-wrong")
    ]
    unpack = lab.server.signature(files, name=UNPACK)
    audit = lab.server.signature(files, {"patch": True})
    chain(unpack, audit).apply_async()
    answer = lab.server.wait(audit.options["task_id"])

    installations = answer.report()["installations"]
    assert [(each["label"], each["generation"], wrong(each)) for each in installations] == [
        (f"source-{files[0]['id']}", "live", {"service-bits/Start"}),
        (f"source-{files[1]['id']}", "live", {"winlogon-notify-senslogn/Shutdown"}),
    ]
    assert len([each for each in lab.server.file_reports if each["task"] == audit.options["task_id"]]) == 7
    lab.assert_nothing_left()


def test_two_hundred_machines_in_one_task(lab: Lab, evidence: Evidence, tmp_path: Path) -> None:
    cases = [
        "windows-xp-senslogn-shutdown-wrong",
        "windows-7-bits-disabled",
        "windows-7",
        "windows-10-svchost-lacks-wuauserv",
    ]
    fleet = tmp_path / "fleet.zip"
    with zipfile.ZipFile(fleet, "w", zipfile.ZIP_STORED) as archive:
        for number in range(200):
            machine = evidence.machine(cases[number % 4])
            for path in sorted((machine / CONFIG).iterdir()):
                archive.write(path, f"PC{number:03}/C/{CONFIG}/{path.name}")
    unpack = lab.server.signature([lab.store(fleet)], name=UNPACK)
    audit = lab.server.signature([], {"patch": True})
    chain(unpack, audit).apply_async()
    answer = lab.server.wait(audit.options["task_id"], 180)

    report = answer.report()
    assert len(report["installations"]) == 200
    assert report["summary"]["complete"] is True
    assert len({each["evidence"] for each in report["installations"]}) == 200
    expected = {0: "winlogon-notify-senslogn/Shutdown", 1: "service-bits/Start", 2: None, 3: "svchost-netsvcs/netsvcs"}
    for installation in report["installations"]:
        number = int(re.findall(r"PC(\d{3})", installation["evidence"])[0])
        assert (expected[number % 4] in wrong(installation)) or (number % 4 in {2, 3}), installation["evidence"]
        assert bool(wrong(installation)) == (number % 4 != 2)
    file_reports = [each for each in lab.server.file_reports if each["task"] == audit.options["task_id"]]
    assert len(file_reports) == 400
    assert sum(each["priority"] >= 40 for each in file_reports) == 100
    rows = [line for line in answer.result["task_report"]["content"].splitlines() if "PC" in line]
    assert len(rows) == 200
    assert "|high|" in rows[0]
    assert "||0|" in rows[-1]
    patches = [each for each in answer.result["output_files"] if each["display_name"].endswith("IMPORT.txt")]
    assert len(patches) == 150
    lab.assert_nothing_left()


def test_bad_files_beside_a_good_pair_fail_nothing(lab: Lab, evidence: Evidence, tmp_path: Path) -> None:
    files = lab.store_machine(evidence.machine("windows-7-bits-disabled"))
    bad = {
        "empty": b"",
        "SAM": b"regf" + b"\xff" * 5000,
        "notes.txt": b"nothing here",
        "broken.zip": b"PK\x03\x04" + b"\x00" * 100,
        "broken.E01": b"EVF\x09\x0d\x0a\xff\x00" + b"\x01" * 500,
    }
    stored = {}
    for name, content in bad.items():
        (tmp_path / name).write_bytes(content)
        stored[name] = lab.store(tmp_path / name)
    gone = lab.store(tmp_path / "notes.txt", "gone.bin")
    Path(gone["path"]).unlink()
    lab.inputs.remove(Path(gone["path"]))
    stored["notes.txt"]["original_path"] = "\ud800/notes.txt"
    stored["SAM"]["original_path"] = "/"
    answer = lab.server.wait(lab.server.send([*files, *stored.values(), gone]))

    assert answer.state == "SUCCESS", answer.error
    assert answer.result["meta"]["exit code"] == 3
    assert [wrong(each) for each in answer.report()["installations"]] == [{"service-bits/Start"}]
    found = reports(lab.server, answer)
    assert len(found) == len(files) + len(bad) + 1
    assert found[files[1]["uuid"]][:2] == (40, "Findings: 1 high")
    assert found[gone["uuid"]][:2] == (10, "Not read: the file could not be staged")
    assert "No such file" in found[gone["uuid"]][2]
    for name in ("broken.zip", "broken.E01"):
        priority, summary, text = found[stored[name]["uuid"]]
        assert (priority, summary[:9]) == (10, "No answer"), name
        assert "Not assessed" in text
    assert "Inputs without an answer" in answer.result["task_report"]["content"]
    lab.assert_nothing_left()


def test_inputs_on_another_file_system_are_copied_and_counted(lab: Lab, evidence: Evidence) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == lab.folder.stat().st_dev:
            pytest.skip("this machine has no second file system at /dev/shm")
        files = lab.store_machine(evidence.machine("windows-7-bits-disabled"))
        moved = Path(shutil.move(files[0]["path"], other))
        lab.inputs.remove(Path(files[0]["path"]))
        answer = lab.server.wait(lab.server.send([{**files[0], "path": str(moved)}, files[1]]))
        assert [wrong(each) for each in answer.report()["installations"]] == [{"service-bits/Start"}]
        assert "1 of 2 inputs were copied, not linked" in answer.result["task_report"]["content"]
        assert moved.exists()
    lab.assert_nothing_left()


def test_no_hive_at_all_is_an_answer(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing here")
    answer = lab.server.wait(lab.server.send([lab.store(tmp_path / "notes.txt")]))
    assert answer.state == "SUCCESS"
    assert answer.result["meta"]["exit code"] == 2
    assert answer.report()["installations"] == []
    lab.assert_nothing_left()


def test_a_task_without_any_input_that_can_be_staged_fails_with_the_reason(lab: Lab) -> None:
    answer = lab.server.wait(lab.server.send([]))
    assert answer.state == "FAILURE"
    assert "The task has no inputs" in answer.error
    missing = {"id": 1, "uuid": "0" * 32, "display_name": "SYSTEM", "path": str(lab.folder / "missing")}
    answer = lab.server.wait(lab.server.send([missing]))
    assert answer.state == "FAILURE"
    assert "No such file or directory" in answer.error
    lab.assert_nothing_left()


def test_hostile_names_and_data_are_text(lab: Lab, evidence: Evidence) -> None:
    files = []
    for path in sorted((evidence.machine("hostile-strings") / CONFIG).iterdir()):
        original = f"C:\\<img src=x>|[a](b)\\{CONFIG}\\{path.name}"
        files.append(lab.store(path, f"<script>|{path.name}\u202e`*", original))
    answer = lab.server.wait(lab.server.send(files, {"patch": True}))
    assert answer.state == "SUCCESS"
    (installation,) = answer.report()["installations"]
    assert "service-bits-parameters/ServiceDll" in wrong(installation)
    texts = [answer.result["task_report"]["content"]]
    texts += [text for _, _, text in reports(lab.server, answer).values()]
    assert any("EXAMPLE&#92;u&#123;1b&#125;" in text for text in texts)
    for text in texts:
        assert not re.search(r"[<>\x1b\u202e\x00`]", text.replace("\n", ""))
    assert sorted(priority for priority, _, _ in reports(lab.server, answer).values()) == [5, 80]
    lab.assert_nothing_left()


def test_options_reach_the_program(lab: Lab, evidence: Evidence) -> None:
    machine = evidence.machine("windows-10-update-services-disabled")
    files = lab.store_machine(machine)
    everything = lab.server.wait(lab.server.send(files, {"patch": True}))
    (installation,) = everything.report()["installations"]
    ids = sorted(wrong(installation))
    assert len(ids) > 1

    def edits(answer: Answer) -> int:
        return int(answer.outputs()["evidence-SYSTEM.reg"].read_bytes().decode("utf-16").count('"Start"='))

    one = lab.server.wait(lab.server.send(files, {"patch": True, "only": f" {ids[0]},", "report_from": "critical"}))
    assert edits(one) == 1
    assert one.report()["options"]["fail_on"] == "critical"
    assert one.result["task_report"]["priority"] == 5
    assert "1 without findings" in one.result["task_report"]["summary"]
    rest = lab.server.wait(lab.server.send(files, {"patch": True, "skip": [ids[0]]}))
    assert edits(rest) == edits(everything) - 1
    judged = lab.server.wait(lab.server.send(files, {"generations": "all"}))
    assert judged.report()["options"]["generations"] == "all"
    lab.assert_nothing_left()


def test_a_dirty_hive_is_patched_only_if_accepted(lab: Lab, evidence: Evidence) -> None:
    machine = evidence.machine("windows-xp-senslogn-shutdown-wrong", dirty=True)
    files = [each for each in lab.store_machine(machine) if each["display_name"] != "SOFTWARE.LOG"]
    refused = lab.server.wait(lab.server.send(files, {"patch": True}))
    assert refused.state == "SUCCESS"
    assert refused.result["meta"]["exit code"] == 2
    (log,) = refused.result["task_files"]
    assert "--accept-dirty" in Path(log["path"]).read_text()
    accepted = lab.server.wait(lab.server.send(files, {"patch": True, "accept_dirty": True}))
    assert accepted.result["meta"]["exit code"] == 3
    lab.assert_nothing_left()


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"report_from": "huge"}, "expected one of low, medium, high, critical; found 'huge'"),
        ({"generations": "old"}, "expected one of live, all; found 'old'"),
        ({"accept_dirty": True}, "Option accept_dirty: expected with patch"),
        ({"patch": True, "only": "service-bits/Strat"}, 'did you mean "service-bits/Start"?'),
    ],
)
def test_a_wrong_option_fails_with_the_reason(
    lab: Lab, evidence: Evidence, config: dict[str, Any], reason: str
) -> None:
    answer = lab.server.wait(lab.server.send(lab.store_machine(evidence.machine("windows-7-bits-disabled")), config))
    assert answer.state == "FAILURE"
    assert reason in answer.error.replace('\\"', '"')
    lab.assert_nothing_left()
