# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns hivemend's JSON report into OpenRelik's: one for each input, and one for the task with a table of machines."""

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from openrelik_worker_common.reporting import MarkdownTable, Priority, Report

from .program import SEVERITIES
from .stage import Staged

Json = dict[str, Any]

#: Verdicts that say something is wrong.
WRONG = ("deviates", "absent", "unexpected")
PRIORITIES = {
    "low": Priority.LOW,
    "medium": Priority.MEDIUM,
    "high": Priority.HIGH,
    "critical": Priority.CRITICAL,
}
#: Longer tables make OpenRelik's page slow. The JSON report has every row.
TABLE_ROWS = 1000
#: Longer texts make a table unreadable. The JSON report has every byte.
CELL_CHARACTERS = 200
#: What Markdown, HTML or a maths extension reads as markup anywhere.
MARKUP = frozenset("\\`*[]{}<>|&~@^$")
#: What is markup at the beginning of a line, between words, or in a link. Inside a word it is not.
MARKUP_OUTSIDE_WORDS = frozenset("_-+#")


@dataclass(eq=False)
class Assessed:
    """What the report says about one input."""

    input: Staged
    findings: list[tuple[Json, Json]] = field(default_factory=list)  # installation, finding
    installations: list[Json] = field(default_factory=list)
    gaps: list[Json] = field(default_factory=list)
    #: The state of the log that this input is.
    log: str | None = None
    read: bool = False

    @property
    def priority(self) -> Priority:
        """Returns the priority of the worst finding. Evidence that gave no full answer is at least LOW."""
        least = Priority.LOW if self.gaps or not self.input.path else Priority.INFO
        return max([least, *(PRIORITIES[finding["severity"]] for _, finding in self.findings)])


class Assignment:
    """Assigns what the report says to the inputs that it was read from."""

    def __init__(self, inputs: list[Staged]) -> None:
        self.assessed = [Assessed(each) for each in inputs]
        self.by_path = {each.input.path: each for each in self.assessed if each.input.path}

    def owner(self, locator: str | None) -> Assessed | None:
        # No staged name holds an exclamation mark, so what is before the first one is the input.
        return self.by_path.get((locator or "").split("!", maxsplit=1)[0])

    def installation(self, installation: Json, report_from: str) -> None:
        hives = {hive["role"]: self.owner(hive["path"]) for hive in installation["hives"]}
        for each in {id(owner): owner for owner in hives.values() if owner}.values():
            each.installations.append(installation)
            # A gap of one hive is not a gap of the other. One without a hive is of both.
            each.gaps += [gap for gap in installation["gaps"] if self.owner(gap["at"]) in {None, each}]
        for finding in wrong(installation, report_from):
            owner = hives.get(finding["hive"])
            if owner:
                owner.findings.append((installation, finding))
        for hive in installation["hives"]:
            for log in hive["integrity"]["logs"]:
                owner = self.owner(log["path"])
                if owner:
                    owner.log = log["state"]

    def rest(self, report: Json) -> None:
        """Assigns what belongs to no installation."""
        for source in report["sources"]:
            owner = self.owner(source["locator"])
            if owner:
                owner.read = True
        for gap in report["summary"]["gaps"]:
            owner = self.owner(gap["at"])
            if owner and gap not in owner.gaps:
                owner.gaps.append(gap)


def assess(report: Json, inputs: list[Staged], report_from: str) -> list[Assessed]:
    """Returns what the report says about each input."""
    assignment = Assignment(inputs)
    for installation in report["installations"]:
        assignment.installation(installation, report_from)
    assignment.rest(report)
    return assignment.assessed


def sources(assessed: list[Assessed]) -> dict[tuple[str, str], int | None]:
    """Returns OpenRelik's id of the input that each hive of each installation was read from."""
    return {
        (installation["id"], hive["role"]): each.input.file.get("id")
        for each in assessed
        for installation in each.installations
        for hive in installation["hives"]
        if hive["path"].split("!")[0] == each.input.path
    }


def wrong(installation: Json, report_from: str) -> Iterator[Json]:
    """Returns the findings that count: not those that follow from another one."""
    severities = SEVERITIES[SEVERITIES.index(report_from) :]
    for finding in installation["findings"]:
        if finding["verdict"] in WRONG and finding["severity"] in severities and finding["cause"] is None:
            yield finding


def input_report(assessed: Assessed) -> Report:
    """Returns the report of one input, with its findings, worst first."""
    report = Report(f"hivemend: {escape(assessed.input.name)}")
    report.priority = assessed.priority
    report.summary = input_summary(assessed)
    section = report.add_section()
    section.add_paragraph(report.summary)
    for note in assessed.input.notes:
        section.add_paragraph(escape(note))
    if assessed.log:
        section.add_paragraph(f"This is a transaction log. Its state: {escape(assessed.log)}.")
    if assessed.installations:
        section.add_header("Installations")
        table = MarkdownTable(["Machine", "Windows", "Answer", "Evidence"])
        for installation in assessed.installations[:TABLE_ROWS]:
            about = (machine(installation), windows(installation), installation["answer"], installation["evidence"])
            table.add_row([escape(cell) for cell in about])
        section.add_table(table)
        add_rest(section, len(assessed.installations))
    if assessed.findings:
        section.add_header("Findings")
        table = MarkdownTable(
            ["Severity", "Finding", "Key and value", "Expected", "Observed", "Key written", "Machine"]
        )
        ranked = sorted(assessed.findings, key=lambda pair: -SEVERITIES.index(pair[1]["severity"]))
        for installation, finding in ranked[:TABLE_ROWS]:
            cells = (
                finding["severity"],
                finding["id"],
                "\\".join(filter(None, (finding["hive"], finding["key"], finding["value"]))),
                " or ".join(text(data) for data in finding["expected"]) or "not set",
                observed(finding["observed"]),
                finding["key_last_written"] or "unknown",
                machine(installation),
            )
            table.add_row([escape(cell) for cell in cells])
        section.add_table(table)
        add_rest(section, len(ranked))
    if assessed.gaps:
        section.add_header("Not assessed")
        table = MarkdownTable(["Where", "Reason", "What to do"])
        for gap in assessed.gaps[:TABLE_ROWS]:
            table.add_row([escape(gap[key] or "") for key in ("at", "reason", "advice")])
        section.add_table(table)
        add_rest(section, len(assessed.gaps))
    return report


def input_summary(assessed: Assessed) -> str:
    """Returns one sentence without text from the evidence."""
    if not assessed.input.path:
        return "Not read: the file could not be staged"
    counts = Counter(finding["severity"] for _, finding in assessed.findings)
    gaps = f"; {number(len(assessed.gaps), 'gap')}" if assessed.gaps else ""
    if counts:
        found = ", ".join(f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts[severity])
        return f"Findings: {found}{gaps}"
    if assessed.log:
        return "Transaction log of a hive"
    if assessed.installations:
        return f"No findings{gaps}"
    if assessed.gaps:
        return f"No answer{gaps}"
    return "No SOFTWARE or SYSTEM hive" if assessed.read else "Part of another input, or no evidence"


def task_report(report: Json, assessed: list[Assessed], report_from: str, notes: list[str]) -> Report:
    """Returns the report of the task: the fleet, worst machines first, and the inputs that gave no answer."""
    fleet = sorted((Row(each, report_from) for each in report["installations"]), key=Row.rank)
    silent = [each for each in assessed if not each.installations and (each.gaps or not each.input.path)]
    result = Report("hivemend")
    result.priority = max((each.priority for each in assessed), default=Priority.INFO)
    counts = Counter(row.worst for row in fleet)
    parts = [f"{counts[severity]} {severity}" for severity in reversed(SEVERITIES) if counts[severity]]
    parts.append(f"{counts[None]} without findings")
    result.summary = (
        f"{number(len(fleet), 'machine')}: {', '.join(parts)}; {sum(bool(row.gaps) for row in fleet)} incomplete; "
        f"{number(len(silent), 'input')} without an answer"
    )
    section = result.add_section()
    section.add_paragraph(f"{result.summary}. Findings from {report_from} upwards.")
    for note in notes:
        section.add_paragraph(escape(note))
    if fleet:
        section.add_header("Machines")
        table = MarkdownTable(["Machine", "Windows", "Worst", "Findings", "Gaps", "What", "Evidence"])
        for row in fleet[:TABLE_ROWS]:
            table.add_row([escape(cell) for cell in row.cells()])
        section.add_table(table)
        add_rest(section, len(fleet))
    if silent:
        section.add_header("Inputs without an answer")
        table = MarkdownTable(["Input", "Reason", "What to do"])
        for each in silent[:TABLE_ROWS]:
            gap = each.gaps[0] if each.gaps else {"reason": " ".join(each.input.notes), "advice": ""}
            table.add_row([escape(cell) for cell in (each.input.name, gap["reason"], gap["advice"] or "")])
        section.add_table(table)
        add_rest(section, len(silent))
    return result


class Row:
    """One machine of the fleet's table."""

    def __init__(self, installation: Json, report_from: str) -> None:
        self.installation = installation
        self.gaps = installation["gaps"]
        self.findings = sorted(wrong(installation, report_from), key=lambda each: -SEVERITIES.index(each["severity"]))
        self.worst = self.findings[0]["severity"] if self.findings else None

    def rank(self) -> tuple[int, int, int]:
        severity = SEVERITIES.index(self.worst) if self.worst else -1
        return -severity, -len(self.findings), -len(self.gaps)

    def cells(self) -> list[str]:
        what = [each["id"] for each in self.findings[:3]]
        more = len(self.findings) - len(what)
        return [
            machine(self.installation),
            windows(self.installation),
            self.worst or "",
            str(len(self.findings)),
            str(len(self.gaps)),
            ", ".join(what) + (f" and {more} more" if more else ""),
            self.installation["evidence"],
        ]


def add_rest(section: Any, rows: int) -> None:
    if rows > TABLE_ROWS:
        section.add_paragraph(f"The table has the first {TABLE_ROWS} of {rows} rows. The JSON report has all.")


def number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def machine(installation: Json) -> str:
    return str(installation["label"] or installation["machine"]["computer_name"] or "unknown")


def windows(installation: Json) -> str:
    return str(installation["os"]["name"] or installation["os"]["id"])


def text(data: Json) -> str:
    value = data["data"]
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def observed(value: Json | None) -> str:
    return "not found" if value is None else str(value["text"] or value["raw"] or "empty")


def escape(evidence: str) -> str:
    """Returns text that no reader of Markdown takes for markup, links or HTML, and that stays on one line.

    Entities work in every reader. A backslash does not: some readers know it before a few characters only.
    """
    cut = evidence if len(evidence) <= CELL_CHARACTERS else evidence[:CELL_CHARACTERS] + "..."
    return "".join(map(escape_character, " " + cut, cut, cut[1:] + " "))


def escape_character(before: str, char: str, after: str) -> str:
    if char != " " and unicodedata.category(char)[0] in "CZ":
        # Controls, changes of direction, and spaces that look like others.
        return f"&#92;u&#123;{ord(char):x}&#125;"
    inside = before.isalnum() and after.isalnum()
    if char == ":":
        # `https://` would become a link.
        markup = after == "/"
    elif char == ".":
        # `www.example.com` would become a link, and `1. ` a list. The end of a sentence and `5.09` are neither.
        markup = not (before.isdigit() and after.isdigit()) and not (before.isalpha() and after == " ")
    else:
        markup = char in MARKUP or (char in MARKUP_OUTSIDE_WORDS and not inside)
    return f"&#{ord(char)};" if markup else char
