# SPDX-License-Identifier: GPL-3.0-or-later
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from .lab import Lab, program


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path)
    try:
        yield lab
    finally:
        lab.close()


class Evidence:
    """Hives that the project's own maker compiles from text."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def machine(self, case: str, *, dirty: bool = False) -> Path:
        """Returns the folder of a machine: Windows/System32/config/... With `dirty`, changes are only in the logs."""
        folder = self.root / ("dirty" if dirty else "clean")
        if not (folder / case).exists():
            maker = program("MAKE_EVIDENCE", "make-evidence")
            subprocess.run([maker, folder, case, *["--dirty"] * dirty], check=True)
        return folder / case

    def all(self) -> list[Path]:
        """Returns the folders of all machines."""
        folder = self.root / "all"
        if not folder.exists():
            subprocess.run([program("MAKE_EVIDENCE", "make-evidence"), folder, "--all"], check=True)
        return sorted(folder.iterdir())


@pytest.fixture(scope="session")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Evidence:
    return Evidence(tmp_path_factory.mktemp("evidence"))
