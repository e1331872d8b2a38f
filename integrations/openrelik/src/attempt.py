# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of a task: stages, audits, renders, and gives the outputs their final names at the end."""

import shlex
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from celery import Task
from celery.exceptions import Ignore
from celery.utils.log import get_task_logger
from openrelik_worker_common.file_utils import OutputFile
from openrelik_worker_common.reporting import serialize_file_report
from openrelik_worker_common.task_utils import create_task_result
from redis.exceptions import RedisError

from . import program, report, stage
from .claim import PATIENCE_SECONDS

NO_INPUTS = "The task has no inputs. Choose files, or a task before this one that has outputs."

#: The forms that `hivemend report` makes of the JSON report, and how their files end.
FORMS = {"html": "html", "markdown": "md"}

logger = get_task_logger(__name__)


class Attempt:
    """What a run has at hand: the task, the stage, and the outputs as they come."""

    def __init__(
        self, task: Task, output_path: str, running: Callable[[str], bool], mine: Callable[[float], bool]
    ) -> None:
        """`running` tells whether another task runs.

        `mine` tells whether this task is still this process's to answer. It waits for Redis for the given seconds.
        """
        self.task = task
        self.mine = mine
        self.output_path = Path(output_path)
        self.stage = stage.Stage(output_path, task.request.id, running)
        self.outputs: list[tuple[Path, OutputFile]] = []
        self.published: list[Path] = []

    def __enter__(self) -> Self:
        self.stage.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *details: object) -> None:
        if kind is not None:
            self.withdraw()
        self.stage.__exit__(kind, *details)

    def run(self, files: list[dict[str, Any]], options: program.Options, workflow_id: str | None) -> str:
        """Returns the task's result, encoded. Outputs get their names only if all went well."""
        inputs = self.stage.add(files)
        if not any(each.path for each in inputs):
            raise program.ProgramError("; ".join(note for each in inputs for note in each.notes) or NO_INPUTS)
        results = self.stage.results
        hivemend = program.find_program()
        # Relative paths, run in the folder of the inputs: the report names inputs as the user knows them.
        (self.stage.root / "inputs.jsonl").write_text(stage.files_from(inputs), "utf-8")
        command = ["audit", "--files-from", "../inputs.jsonl", "--format", "json"]
        command += ["--output", "../results/report.json", "--progress", "json", *options.arguments()]
        started = time.monotonic()
        code = program.run([hivemend, *command], self.stage.inputs, results, "hivemend", self.progress)
        seconds = time.monotonic() - started
        answer = program.answer(code, results / "report.json", results, "hivemend")

        self.output(results / "report.json", "report.json", "json", "hivemend-report.json")
        notes = [*self.render(hivemend), *stage.notes(inputs)]
        assessed = report.assess(answer, inputs, options.report_from)
        self.output_patches(results / "patch", answer, assessed)
        file_reports = [self.output_report(number, each) for number, each in enumerate(assessed, 1)]
        outputs = [output.to_dict() for _, output in self.outputs]
        summary = report.task_report(answer, assessed, options.report_from, notes)
        log = self.output_log()
        self.publish()
        return str(
            create_task_result(
                output_files=outputs,
                task_files=[log.to_dict()],
                workflow_id=workflow_id,
                command=shlex.join(["hivemend", *command]),
                meta={
                    "hivemend": answer["tool"]["version"],
                    "exit code": code,
                    "complete": answer["summary"]["complete"],
                    "seconds of hivemend": round(seconds, 2),
                },
                file_reports=file_reports,
                task_report=summary.to_dict(),
            )
        )

    def render(self, hivemend: str) -> list[str]:
        """Adds the report in the forms for people. Returns what could not be made; the JSON report has everything."""
        results = self.stage.results
        failed = []
        for form, extension in FORMS.items():
            name = f"report.{extension}"
            command = [hivemend, "report", "report.json", "--format", form, "--output", name]
            code = program.run(command, results, results, form)
            if code == 0:
                self.output(results / name, name, form, f"hivemend-{name}")
            else:
                said = program.messages(results, form).strip()
                failed.append(f"{name} could not be made (exit code {code}): {said}")
        return failed

    def progress(self, state: dict[str, Any]) -> None:
        data = {key: state[key] for key in ("task", "done", "unit", "installations", "machine", "at")}
        try:
            self.task.send_event("task-progress", data=data, retry=False)
        except Exception as error:  # noqa: BLE001 (no lost event may stop an audit)
            logger.warning("Progress could not be sent: %s", error)

    def output_patches(self, folder: Path, answer: dict[str, Any], assessed: list[report.Assessed]) -> None:
        """Adds every file of the patches. Each belongs to the input that its hive was read from."""
        sources = report.sources(assessed)
        for installation in answer["installations"]:
            for path in sorted((folder / installation["id"]).glob("*")):
                name = f"{installation['id']}-{path.name}"
                output = self.output(path, f"patch/{installation['id']}/{path.name}", "patch", name)
                output.original_path = f"{installation['id']}/{path.name}"
                role = "SYSTEM" if path.name.startswith("SYSTEM") else "SOFTWARE"
                output.source_file_id = sources.get((installation["id"], role))

    def output_report(self, number: int, assessed: report.Assessed) -> dict[str, Any]:
        """Adds the report of one input and returns its entry in the task's result."""
        made = report.input_report(assessed)
        file = assessed.input.file
        path = self.stage.results / f"input-{number}.md"
        path.write_text(made.to_markdown(), "utf-8")
        shown = f"{number}-{stage.safe_name(assessed.input.original_path or assessed.input.name)}.hivemend.md"
        output = self.output(path, f"input/{file.get('uuid')}/{number}", "markdown", shown)
        output.source_file_id = file.get("id")
        serialized: dict[str, Any] = serialize_file_report(file, output, made)
        return serialized

    def output_log(self) -> OutputFile:
        """Adds what hivemend wrote to stderr, without progress."""
        path = self.stage.results / "hivemend.log"
        path.write_text(program.messages(self.stage.results, "hivemend"), "utf-8")
        return self.output(path, "hivemend.log", "log", "hivemend.log")

    def output(self, path: Path, name: str, kind: str, display_name: str) -> OutputFile:
        """Adds an output. Its UUID depends on the task and the name, so a second run writes the same files."""
        identity = uuid.uuid5(namespace(self.task.request.id), name).hex
        extension = Path(display_name).suffix
        output = OutputFile(
            uuid=identity,
            output_path=str(self.output_path / f"{identity}{extension}"),
            display_name=display_name,
            extension=extension,
            data_type=f"openrelik:hivemend:{kind}",
        )
        self.outputs.append((path, output))
        return output

    def publish(self) -> None:
        """Gives the outputs their names in OpenRelik's folder, if no other process took the task over."""
        if not self.mine(PATIENCE_SECONDS):
            logger.warning("Another worker took this task over, because this one did not renew its claim in time.")
            raise Ignore
        for path, output in self.outputs:
            target = Path(output.path)
            self.published.append(target)
            path.replace(target)

    def withdraw(self) -> None:
        """Removes what was published, unless another process has taken the task over."""
        try:
            mine = bool(self.published) and self.mine(0)
        except RedisError:
            # Redis is away. The next run of this task writes the same names again.
            mine = False
        for path in self.published if mine else []:
            path.unlink(missing_ok=True)


def namespace(task_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(task_id)
    except ValueError:
        return uuid.uuid5(uuid.NAMESPACE_URL, task_id)
