"""Prints a hive as Debian's hivex (package python3-hivex) reads it; status 77 if that is not installed.

hivex does not read class names: they are left out.
"""

import sys

try:
    import hivex
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or 77)


def walk(hive, node, path, out):
    out.append(f"key\t{path}\tclass \ttime {hive.node_timestamp(node)}")
    for value in hive.node_values(node):
        data_type, data = hive.value_value(value)
        out.append(f"value\t{hive.value_key(value)}\t{data_type & 0xFFFFFFFF}\t{data.hex()}")
    for child in hive.node_children(node):
        walk(hive, child, f"{path}\\{hive.node_name(child)}", out)


lines = []
hive = hivex.Hivex(sys.argv[1])
walk(hive, hive.root(), "", lines)
sys.stdout.buffer.write(("\n".join(lines) + "\n").encode("utf-8"))
