"""Plants differences into the hives of a machine with hivex, which is no part of hivemend."""

import shutil
import struct
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

CONFIG = Path("Windows/System32/config")
SYSTEM = r"HKEY_LOCAL_MACHINE\SYSTEM"
SOFTWARE = r"HKEY_LOCAL_MACHINE\SOFTWARE"
SERVICES = rf"{SYSTEM}\ControlSet001\Services"
# Prints the offset of a key's cell in each hive: its time of last write is 8 bytes behind it.
FIND_KEY = """
use Win::Hivex;
my $key = shift;
for my $path (@ARGV) {
  my $hive = Win::Hivex->open($path);
  my $node = $hive->root;
  $node = $hive->node_get_child($node, $_) // die "$path has no key $_\\n" for split /\\\\/, $key;
  print "$node\\n";
}
"""


def needs_hivex():
    """Fails where hivex is missing: without it nothing can be planted."""
    if shutil.which("hivexregedit") is None:
        pytest.fail("hivexregedit was not found. Install it: apt-get install libwin-hivex-perl")


def merge(machine, text):
    """Merges a .reg text into the hives of a machine: one part for each root."""
    for root, hive in ((SYSTEM, "SYSTEM"), (SOFTWARE, "SOFTWARE")):
        keys = [part for part in text.split("\n\n") if part.startswith((f"[{root}", f"[-{root}"))]
        if keys:
            patch = machine / "planted.reg"
            patch.write_text("Windows Registry Editor Version 5.00\n\n" + "\n\n".join(keys) + "\n")
            subprocess.run(["hivexregedit", "--merge", "--prefix", root, machine / CONFIG / hive, patch], check=True)
            patch.unlink()


def service(name, value, data):
    return f'[{SERVICES}\\{name}]\n"{value}"={data}\n\n'


def expandable(text):
    """Returns a REG_EXPAND_SZ as .reg files have it."""
    return "hex(2):" + ",".join(f"{byte:02x}" for byte in (text + "\0").encode("utf-16-le"))


def key_below(root, path, values):
    """Returns a key with its parents, which hivexregedit does not make by itself."""
    names = path.split("\\")
    parents = "".join(f"[{root}\\" + "\\".join(names[:end]) + "]\n\n" for end in range(1, len(names)))
    return parents + f"[{root}\\{path}]\n{values}\n\n"


def filetime(text):
    """Returns the 100 ns since 1601 of a time as hivemend writes it."""
    seconds, fraction = text.removesuffix("Z").split(".")
    since = datetime.fromisoformat(seconds).replace(tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC)
    return (since.days * 86400 + since.seconds) * 10_000_000 + int(fraction)


def set_key_times(times, key):
    """Sets the time of last write of a key of the SYSTEM hive of each machine."""
    hives = [machine / CONFIG / "SYSTEM" for machine in times]
    found = subprocess.run(["perl", "-e", FIND_KEY, key, *hives], check=True, capture_output=True, text=True)
    for hive, offset, time in zip(hives, found.stdout.split(), times.values(), strict=True):
        content = bytearray(hive.read_bytes())
        cell = int(offset)
        assert content[cell + 4 : cell + 6] == b"nk"
        content[cell + 8 : cell + 16] = struct.pack("<Q", filetime(time))
        hive.write_bytes(content)
