"""Puts values into a hive with Debian's hivex (package python3-hivex); status 77 if that is not installed.

Each line of the input is a value: the key's path from the root, the value's name, its type and its bytes, with tabs
between; all but the type in hexadecimal, path and name as UTF-8. Missing keys are made.
"""

import sys

try:
    import hivex
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or 77)

hive = hivex.Hivex(sys.argv[1], write=True)
for line in sys.stdin:
    path, name, data_type, data = line.rstrip("\n").split("\t")
    node = hive.root()
    for part in filter(None, bytes.fromhex(path).decode("utf-8").split("\\")):
        node = hive.node_get_child(node, part) or hive.node_add_child(node, part)
    value = {"key": bytes.fromhex(name).decode("utf-8"), "t": int(data_type), "value": bytes.fromhex(data)}
    hive.node_set_value(node, value)
hive.commit(None)
