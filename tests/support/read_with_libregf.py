"""Prints a hive as libregf (Debian package python3-libregf) reads it; status 77 if that is not installed.

Keys named after the hive are printed with what is below them, instead of all; one that is not there is left out.
"""

import sys

try:
    import pyregf
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or 77)


def walk(key, path, out):
    out.append(f"key\t{path}\tclass {key.class_name or ''}\ttime {key.get_last_written_time_as_integer()}")
    for value in key.values:
        out.append(f"value\t{value.name or ''}\t{value.type & 0xFFFFFFFF}\t{(value.data or b'').hex()}")
    for child in key.sub_keys:
        walk(child, f"{path}\\{child.name}", out)


lines = []
file = pyregf.file()
file.open(sys.argv[1])
for path in sys.argv[2:] or [""]:
    key = file.get_key_by_path("\\" + path) if path else file.get_root_key()
    if key is not None:
        walk(key, f"\\{path}" if path else "", lines)
sys.stdout.buffer.write(("\n".join(lines) + "\n").encode("utf-8"))
