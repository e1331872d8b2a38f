# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker that stands before ours in a chain: it unpacks archives as openrelik-worker-extraction does."""

import tempfile
import zipfile
from pathlib import Path
from typing import Any

from celery import Celery
from openrelik_worker_common.file_utils import create_output_file
from openrelik_worker_common.task_utils import create_task_result, get_input_files

from src.app import REDIS_URL

TASK = "openrelik-worker-unpack.tasks.unpack"

celery = Celery(broker=REDIS_URL, backend=REDIS_URL)


@celery.task(bind=True, name=TASK, metadata={"display_name": "unpack", "description": "Unpacks archives"})  # type: ignore[untyped-decorator]
def unpack(
    _self: Any,
    pipe_result: str | None = None,
    input_files: list[dict[str, Any]] | None = None,
    output_path: str | None = None,
    workflow_id: str | None = None,
    task_config: dict[str, Any] | None = None,  # noqa: ARG001
) -> str:
    outputs = []
    for archive in get_input_files(pipe_result, input_files or []):
        with tempfile.TemporaryDirectory(dir=output_path) as folder:
            with zipfile.ZipFile(archive["path"]) as opened:
                opened.extractall(folder)
            for path in sorted(each for each in Path(folder).rglob("*") if each.is_file()):
                output = create_output_file(
                    output_path,
                    display_name=path.name,
                    original_path=str(path.relative_to(folder)),
                    data_type="extraction:archive:file",
                    source_file_id=archive["id"],
                )
                path.rename(output.path)
                outputs.append(output.to_dict())
    return str(create_task_result(output_files=outputs, workflow_id=workflow_id, command="unzip"))
