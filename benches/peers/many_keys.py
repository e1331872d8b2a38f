"""Makes a hive of many keys with hivex, which is not ours: many_keys.py BASE OUT KEYS.

BASE is a small hive to begin with. A thousand keys get an equal share of the others, each with four values such as
services have. hivex starts a page for each allocation or two: the file is some kilobytes a key.
"""

import struct
import sys

import hivex

base, out, keys = sys.argv[1], sys.argv[2], int(sys.argv[3])
hive = hivex.Hivex(base, write=True)
parents = 1000
top = hive.node_add_child(hive.root(), "Many")
made = 1
for parent in range(parents):
    node = hive.node_add_child(top, f"Service{parent:04}")
    made += 1
    for child in range((keys - parents) // parents):
        key = hive.node_add_child(node, f"Instance{child:06}")
        made += 1
        text = f"%SystemRoot%\\system32\\svchost.exe -k group{child}\0".encode("utf-16-le")
        hive.node_set_values(key, [
            {"key": "Start", "t": 4, "value": struct.pack("<I", child % 5)},
            {"key": "ImagePath", "t": 2, "value": text},
            {"key": "DisplayName", "t": 1, "value": f"Instance {child}\0".encode("utf-16-le")},
            {"key": "Blob", "t": 3, "value": bytes([child & 255]) * 100},
        ])
hive.commit(out)
print(f"{made} keys")
