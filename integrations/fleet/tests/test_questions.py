"""The questions, over 500 machines. What they should answer comes from what was planted, not from hivemend."""

import shutil

import duckdb
import pytest
from database import FLEET, read, rows
from hives import CONFIG
from lab import FIRST, LAST, SECOND


def test_what_is_wrong_counts_the_machines_of_each_deviation(lab, fleet):
    found = {row["id"]: row for row in rows(fleet, "FROM what_is_wrong")}
    expected = {
        "service-bits/Start": lab.which("bits", "bits, SENS and wuauserv"),
        "service-bits": lab.which("impossible time"),
        "service-sens/Start": lab.which("bits, SENS and wuauserv"),
        "service-wuauserv/Start": lab.which("bits, SENS and wuauserv"),
        "winlogon-notify-senslogn/Shutdown": lab.which("shutdown"),
        "winlogon-notify-senslogn/Logoff": lab.which("logoff"),
        "winlogon-notify-senslogn": lab.which("no key"),
        "service-wuauserv-parameters/ServiceDll": lab.which("hijacked"),
    }
    assert {id: row["machines"] for id, row in found.items()} == {id: len(which) for id, which in expected.items()}
    for id, which in expected.items():
        assert found[id]["some_machines"] == which[:3]
        assert found[id]["verdict"] == ("absent" if id == "winlogon-notify-senslogn" else "deviates")
    assert found["service-bits/Start"]["windows"] == ["windows-7"]
    assert found["service-wuauserv-parameters/ServiceDll"]["severity"] == "critical"
    # All machines, without those that are gone, were wiped or have an unknown Windows.
    answered = 500 - len(lab.which("gone", "wiped", "unknown Windows"))
    assert found["service-bits/Start"]["share"] == pytest.approx(40 / answered)
    assert list(found)[0] == "service-bits/Start"


def test_the_odd_ones_are_the_machines_with_rare_data(lab, fleet):
    found = rows(fleet, "FROM odd_one_out()")
    assert {(row["id"], row["data"]): row["which"] for row in found} == {
        ("winlogon-notify-senslogn/Shutdown", "REG_SZ SensStopEvent"): lab.which("shutdown"),
        ("service-wuauserv-parameters/ServiceDll", r"REG_EXPAND_SZ C:\Users\Public\w.dll"): lab.which("hijacked"),
        ("winlogon-notify-senslogn", "(the key itself)"): lab.which("no key"),
        ("service-bits", "(the key itself)"): lab.which("impossible time"),
        # Judged by nobody, and odd all the same.
        ("wsus-policy/WUServer", "REG_SZ http://203.0.113.9:8530"): lab.which("wsus"),
        # The owner's choice: not wrong, but odd.
        ("update-access-policy/DisableWindowsUpdateAccess", "REG_DWORD 1"): lab.which("no access"),
    }
    (shutdown,) = [row for row in found if row["which"] == lab.which("shutdown")]
    # XP-040 has no SOFTWARE hive, so nobody knows what it had.
    assert (shutdown["machines"], shutdown["of_machines"], shutdown["share"]) == (3, 199, pytest.approx(3 / 199))


def test_the_limits_of_the_odd_one_out_can_be_set(fleet):
    def ids(limits):
        return {row["id"] for row in rows(fleet, f"FROM odd_one_out({limits})")}

    assert "winlogon-notify-senslogn/Logoff" in ids("at_most := 0.026")
    assert "winlogon-notify-senslogn/Logoff" not in ids("at_most := 0.025")
    assert "winlogon-notify-senslogn/Shutdown" not in ids("at_most := 0.014")
    # 95 of the 96 machines with a SOFTWARE hive have the usual WSUS server.
    assert "wsus-policy/WUServer" in ids("usual := 0.98")
    assert "wsus-policy/WUServer" not in ids("usual := 0.99")


def test_data_that_differ_everywhere_have_no_odd_one(fleet):
    names = "FROM judged_findings WHERE id = 'name-servers/Hostname' AND os = 'windows-10'"
    assert rows(fleet, f"SELECT count(DISTINCT data) AS names {names}") == [{"names": 97}]
    assert "name-servers/Hostname" not in {row["id"] for row in rows(fleet, "FROM odd_one_out()")}
    assert len(rows(fleet, "FROM odd_one_out(usual := 0) WHERE id = 'name-servers/Hostname'")) == 97


def test_machines_that_share_a_set_of_deviations_stand_together(lab, fleet):
    found = rows(fleet, "FROM shared_deviations()")
    assert [(row["deviations"], row["which"]) for row in found] == [
        (
            ["service-bits/Start deviates: REG_DWORD 4"],
            sorted(set(lab.which("bits")) - set(lab.which("impossible time"))),
        ),
        (
            [
                "service-bits/Start deviates: REG_DWORD 4",
                "service-sens/Start deviates: REG_DWORD 4",
                "service-wuauserv/Start deviates: REG_DWORD 4",
            ],
            lab.which("bits, SENS and wuauserv"),
        ),
        (["winlogon-notify-senslogn/Logoff deviates: REG_SZ SensNothing"], lab.which("logoff")),
        (["winlogon-notify-senslogn/Shutdown deviates: REG_SZ SensStopEvent"], lab.which("shutdown")),
        (["winlogon-notify-senslogn absent: (the key itself)"], lab.which("no key")),
    ]
    assert [row["machines"] for row in found] == [33, 6, 5, 3, 2]
    alone = [row["which"] for row in rows(fleet, "FROM shared_deviations(at_least := 1)") if row["machines"] == 1]
    assert sorted(alone) == [lab.which("hijacked"), lab.which("impossible time")]


def test_the_first_and_last_time_of_a_deviation_keep_their_100_ns(fleet):
    (bits,) = rows(fleet, "FROM first_and_last WHERE id = 'service-bits/Start'")
    assert (bits["first"], bits["first_machine"]) == (FIRST, "W7-020")
    assert (bits["last"], bits["last_machine"]) == (LAST, "W7-104")
    assert (bits["machines"], bits["data"]) == (40, "REG_DWORD 4")
    # One key says 1601. It is counted, and is not the first.
    assert bits["doubtful"] == 1


def test_times_of_the_tables_keep_their_100_ns(fleet):
    def time(label):
        columns = "key_time, strftime(key_last_written, '%Y-%m-%dT%H:%M:%S.%n') AS time"
        where = "installation.label = $1 AND id = 'service-bits/Start'"
        (row,) = rows(fleet, f"SELECT {columns} FROM findings WHERE {where}", label)
        return row["key_time"], row["time"]

    for label, expected in (("W7-020", FIRST), ("W7-003", SECOND), ("W7-104", LAST)):
        assert time(label) == (expected, expected.replace("Z", "00"))
    # What TIMESTAMP_NS cannot hold is in the text.
    assert time("W7-009") == ("1601-01-01T00:00:00.0000001Z", None)


def test_the_parquet_file_has_all_findings_and_their_100_ns(fleet, tmp_path):
    fleet.execute(f"COPY findings_flat TO '{tmp_path}/fleet.parquet' (FORMAT parquet)")
    other = duckdb.connect()
    other.execute(f"CREATE VIEW fleet AS FROM '{tmp_path}/fleet.parquet'")
    assert rows(other, "SELECT count(*) AS n FROM fleet") == rows(fleet, "SELECT count(*) AS n FROM findings")
    columns = "machine, observed_text, expected, key_last_written::VARCHAR AS time"
    query = f"SELECT {columns} FROM fleet WHERE id = 'service-bits/Start' ORDER BY key_last_written DESC LIMIT 1"
    time = LAST.replace("T", " ").removesuffix("Z")
    row = {"machine": "W7-104", "observed_text": "4", "expected": ["REG_DWORD 3", "REG_DWORD 2"], "time": time}
    assert rows(other, query) == [row]


def test_older_generations_do_not_count(lab, shard, tmp_path):
    """The backup of the hives has what the installation has not."""
    machine = tmp_path / "machine"
    shutil.copytree(lab.folders["W7-180"], machine)
    shutil.copytree(lab.folders["W7-001"] / CONFIG, machine / CONFIG / "RegBack")
    (tmp_path / "list").write_text(f"{machine}\n")
    assert shard(tmp_path / "list", 1, 1, tmp_path / "answers", "--generations", "all") == 0
    fleet = read(tmp_path / "answers/*.jsonl", tmp_path / "list")
    assert rows(fleet, "SELECT count(*) AS n FROM installations") == [{"n": 2}]
    assert rows(fleet, "SELECT installation.generation AS g FROM findings WHERE verdict = 'deviates'") == [
        {"g": "regback"}
    ]
    assert rows(fleet, "SELECT machine FROM judged") == [{"machine": str(machine / CONFIG)}]
    for question in ("what_is_wrong", "shared_deviations(at_least := 1)", "first_and_last", "no_answer"):
        assert rows(fleet, f"FROM {question}") == []


def test_the_queries_that_the_comments_show_run(fleet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = (FLEET / "questions.sql").read_text(encoding="utf-8")
    comments = [line.removeprefix("--").strip() for line in text.splitlines() if line.startswith("--")]
    shown = [line.split("--")[0] for line in comments if line.startswith(("FROM ", "COPY "))]
    assert len(shown) == 12
    for query in shown:
        fleet.execute(query)
