# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of one run: the inputs under the names they had, and what the program writes.

OpenRelik stores files as UUID.extension. hivemend needs their names: hives, logs and segments of images belong together
by folder and name. So each input is linked into a tree that looks like the original one.
"""

import contextlib
import fcntl
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

logger = logging.getLogger(__name__)

PREFIX = ".hivemend-"
#: A folder without a lock is somebody's who is just making it, unless it is older than this.
UNLOCKED_SECONDS = 60
#: The file system's limit for a name, less some bytes to make names unique.
NAME_BYTES = 240

#: Names of images and of their parts. They stand in a folder of their own that is listed whole, because hivemend takes
#: a part that is listed by itself for evidence that it cannot read.
IMAGES = "images"
IMAGE = re.compile(r"\.(e\d\d|e[a-z]{2}|ex\d\d|vmdk|a?vhdx?|vdi|qcow2?|raw|dd|img|\d{3})$", re.IGNORECASE)
#: A part of a split raw image: one of several with the same name before the number. `SYSTEM.001` alone is a hive.
NUMBERED = re.compile(r"(.*)\.\d{3}$")

COPIED = "Copied, not linked: the file is on another file system than the outputs."
ALONE = (
    "Audited alone: several files of this task have this name, and no different folders, so nothing shows which hives "
    "and logs belong together. Extract them in the same workflow, which keeps their paths, or start one task for each "
    "machine."
)

InputFile = dict[str, Any]


@dataclass
class Staged:
    """One input of the task."""

    file: InputFile
    name: str
    #: Where the file was on its machine, if OpenRelik knows.
    original_path: str | None
    #: Tells files of different machines apart. `None`: no other machine in this task.
    label: str | None = None
    #: It may be a part of an image.
    image: bool = False
    #: Where it stands in the stage; `None` if it could not be staged.
    path: str | None = None
    notes: list[str] = field(default_factory=list)


class Stage:
    """A folder beside the outputs, so that inputs can be linked and outputs renamed. It goes when the run ends."""

    def __init__(self, output_path: str, task_id: str, running: Callable[[str], bool] = lambda _: False) -> None:
        """`running` tells of another task whether it runs, perhaps on another host."""
        self.output_path = Path(output_path)
        self.prefix = f"{PREFIX}{task_id}-"
        self.running = lambda other: other != task_id and running(other)

    def __enter__(self) -> Self:
        sweep(self.output_path, running=self.running)
        self.root = Path(tempfile.mkdtemp(prefix=self.prefix, dir=self.output_path))
        self.lock = os.open(self.root / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        # Without locks the folder is not swept if this process is killed; see `sweep`.
        with contextlib.suppress(OSError):
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.inputs = self.root / "inputs"
        self.results = self.root / "results"
        self.inputs.mkdir()
        self.results.mkdir()
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self.lock)
        if self.root.exists():
            logger.warning("%s could not be removed whole; a later task in this folder removes it", self.root)

    def add(self, files: list[InputFile]) -> list[Staged]:
        """Links the inputs into the stage. An input that cannot be staged has a note that says why."""
        staged = arrange(files)
        for each in staged:
            try:
                target = self._free(top_folder(each), tree_path(each))
                if not link_or_copy(Path(str(each.file.get("path"))), self.inputs / target):
                    each.notes.append(COPIED)
                each.path = target
            except OSError as error:
                each.notes.append(
                    f"Not staged: {error.strerror or error}. Expected a readable file at the path that OpenRelik gave. "
                    "Check the storage of this file."
                )
        return staged

    def _free(self, top: str, wanted: str) -> str:
        """Returns a path in the stage that can be made: the wanted one, or one in a numbered folder."""
        for number in range(1, 1000):
            path = f"{top}{wanted}" if number == 1 else f"{top}{number}/{wanted}"
            target = self.inputs / path
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
            except (FileExistsError, NotADirectoryError):
                continue
            if not os.path.lexists(target):
                return path
        raise OSError(f"no free name in the stage for {wanted}")


def arrange(files: list[InputFile]) -> list[Staged]:
    """Decides which inputs may belong together.

    Inputs that were extracted from different files are of different machines. Inputs with the same path, or without
    paths and with the same name, cannot be told apart: each of them is audited alone.
    """
    staged = []
    for file in files:
        name = well_formed(file.get("display_name") or Path(str(file.get("path"))).name)
        original = well_formed(file.get("original_path") or "")
        staged.append(Staged(file, name, original if path_parts(original) else None))
    sources = {each.file.get("source_file_id") for each in staged}
    if len(sources) > 1:
        for each in staged:
            if each.file.get("source_file_id") is not None:
                each.label = f"source-{each.file['source_file_id']}"
    taken = Counter(place(each) for each in staged)
    ambiguous = [each for each in staged if taken[place(each)] > 1]
    for number, each in enumerate(ambiguous, 1):
        each.label = f"{each.name}-{str(each.file.get('uuid') or number)[:8]}"
        each.notes.append(ALONE)
    mark_images(staged)
    return staged


def mark_images(staged: list[Staged]) -> None:
    def stem(each: Staged) -> tuple[str | None, str]:
        return each.label, NUMBERED.sub(r"\1", place(each)[1])

    numbered = Counter(stem(each) for each in staged if NUMBERED.match(place(each)[1]))
    for each in staged:
        path = place(each)[1]
        each.image = bool(IMAGE.search(path)) and (not NUMBERED.match(path) or numbered[stem(each)] > 1)


def top_folder(staged: Staged) -> str:
    """Returns the folder of this input's label and kind, with a slash at its end if there is one."""
    parts = (staged.label and safe_name(staged.label), staged.image and IMAGES)
    return "".join(f"{part}/" for part in parts if part)


def files_from(staged: list[Staged]) -> str:
    """Returns the list of the inputs for --files-from: hives and archives by themselves, images by their folder."""
    lines: list[dict[str, str | None]] = []
    for each in staged:
        if each.path and not each.image:
            lines.append({"path": each.path, "original_path": each.original_path, "label": each.label})
        elif each.path:
            folder = {"path": top_folder(each).rstrip("/"), "label": each.label}
            if folder not in lines:
                lines.append(folder)
    return "".join(json.dumps(line) + "\n" for line in lines)


def notes(staged: list[Staged]) -> list[str]:
    """Returns what the report of the task says about the inputs as a whole."""
    copied, alone = (sum(note in each.notes for each in staged) for note in (COPIED, ALONE))
    said = []
    if copied:
        said.append(f"{copied} of {len(staged)} inputs were copied, not linked: they are on another file system.")
    if alone:
        said.append(f"{alone} inputs were audited alone: several have the same name, and no different folders.")
    return said


def place(staged: Staged) -> tuple[str | None, str]:
    """Returns label and path, without regard to letter case, as Windows compares them."""
    return staged.label, tree_path(staged).casefold()


def tree_path(staged: Staged) -> str:
    """Returns the path of an input in its tree, with names that no file system or locator misreads."""
    return "/".join(map(safe_name, path_parts(staged.original_path or staged.name))) or "unnamed"


def path_parts(path: str) -> list[str]:
    return [part for part in re.split(r"[/\\]+", path) if part not in {"", ".", ".."}]


def well_formed(text: Any) -> str:
    """Replaces halves of surrogate pairs, because hivemend refuses a whole list with such a line."""
    return str(text).encode("utf-8", "replace").decode("utf-8")


def safe_name(name: str) -> str:
    """Replaces what a locator of hivemend would escape, so that locators in the report begin with the staged path."""
    name = "".join(char if char.isprintable() and char not in '!\\/:"' else "_" for char in name)
    # A name that looks like a step into a container: `p1`, `vss2`, `o512`.
    if re.fullmatch(r"(p|vss|o)\d+", name, re.IGNORECASE):
        name = f"_{name}"
    return name.encode()[:NAME_BYTES].decode("utf-8", "ignore")


def link_or_copy(source: Path, target: Path) -> bool:
    """Returns whether the file was linked, not copied."""
    source = source.resolve(strict=True)
    if not source.is_file():
        raise OSError(f"{source} is not a regular file")
    try:
        os.link(source, target)
    except OSError:
        # Another file system, one without hard links, or a kernel that protects them.
        try:
            shutil.copyfile(source, target)
        except OSError:
            target.unlink(missing_ok=True)
            raise
        return False
    return True


def sweep(output_path: Path, task_id: str = "", running: Callable[[str], bool] = lambda _: False) -> bool:
    """Removes the folders of runs whose process is dead. Returns whether none is left.

    A run holds a lock, but some file systems do not share locks between hosts. So `running` is asked, too.
    """
    left = False
    for folder in output_path.glob(f"{PREFIX}{task_id}*"):
        if running(folder.name.removeprefix(PREFIX).rpartition("-")[0]):
            left = True
            continue
        try:
            lock = os.open(folder / "lock", os.O_RDWR)
        except FileNotFoundError:
            with contextlib.suppress(OSError):
                if time.time() - folder.stat().st_mtime > UNLOCKED_SECONDS:
                    shutil.rmtree(folder, ignore_errors=True)
            left = left or folder.exists()
            continue
        except OSError:
            left = True
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
            logger.info("Removed %s, which a killed run left", folder)
        except OSError:
            left = True
        finally:
            os.close(lock)
    return not left
