"""Prints security descriptors as Samba reads them; status 77 without Debian's python3-samba and python3-hivex.

With a hive and a path: those of that key and of all keys below it. hivex leads to the keys; it knows no descriptors, so
the two offsets that lead from a key's record to its descriptor are read here. Without: those of stdin, in hex, one a line.

A line for each key: key, path, descriptor in hex. A line for each distinct descriptor: sd, it in hex, owner, entries that
hold for the object itself, and what an administrator and SYSTEM are granted of KEY_SET_VALUE and KEY_CREATE_SUB_KEY.
"""

import struct
import sys

try:
    import hivex
    import samba.security
    from samba.dcerpc import security
    from samba.ndr import ndr_unpack
except ImportError as error:
    sys.exit(print(error, file=sys.stderr) or 77)

ADMINISTRATOR = ["S-1-5-32-544", "S-1-1-0", "S-1-5-11", "S-1-5-32-545", "S-1-5-4", "S-1-2-0"]
SYSTEM = ["S-1-5-18", "S-1-5-32-544", "S-1-1-0", "S-1-5-11"]
# Samba's registry server, too, maps generic rights before it asks for access.
GENERIC = [(0x80000000, 0x20019), (0x40000000, 0x20006), (0x20000000, 0x20019), (0x10000000, 0xF003F)]
PLAIN = (security.SEC_ACE_TYPE_ACCESS_ALLOWED, security.SEC_ACE_TYPE_ACCESS_DENIED)


def mapped(descriptor):
    for ace in descriptor.dacl.aces if descriptor.dacl else []:
        for generic, meant in GENERIC:
            if ace.access_mask & generic:
                ace.access_mask |= meant
    return descriptor


def granted(data, sids, right):
    token = security.token()
    token.sids = [security.dom_sid(sid) for sid in sids]
    token.num_sids = len(sids)
    try:
        samba.security.access_check(mapped(ndr_unpack(security.descriptor, data)), token, right)
        return "1"
    except RuntimeError:
        return "0"


def described(data):
    descriptor = ndr_unpack(security.descriptor, data)
    entries = []
    for ace in descriptor.dacl.aces if descriptor.dacl else []:
        if ace.type in PLAIN and not ace.flags & security.SEC_ACE_FLAG_INHERIT_ONLY:
            entries.append(f"{'+-'[ace.type]}{ace.access_mask:x}:{ace.trustee}")
    listed = " ".join(entries) if descriptor.dacl else "none"
    verdicts = "".join(granted(data, sids, right) for sids in (ADMINISTRATOR, SYSTEM) for right in (2, 4))
    return f"sd\t{data.hex()}\t{descriptor.owner_sid}\t{listed}\t{verdicts}"


def walk(hive, raw, node, path):
    (cell,) = struct.unpack_from("<I", raw, node + 4 + 44)
    at = 0x1000 + cell + 4
    assert raw[at : at + 2] == b"sk", path
    (size,) = struct.unpack_from("<I", raw, at + 16)
    data = raw[at + 20 : at + 20 + size]
    seen.setdefault(data)
    out.append(f"key\t{path}\t{data.hex()}")
    for child in hive.node_children(node):
        walk(hive, raw, child, f"{path}\\{hive.node_name(child)}" if path else hive.node_name(child))


out, seen = [], {}
if len(sys.argv) > 1:
    hive = hivex.Hivex(sys.argv[1])
    with open(sys.argv[1], "rb") as file:
        raw = file.read()
    node = hive.root()
    for name in filter(None, sys.argv[2].split("\\")):
        node = hive.node_get_child(node, name)
    walk(hive, raw, node, sys.argv[2])
else:
    for line in sys.stdin:
        seen.setdefault(bytes.fromhex(line.strip()))
out.extend(described(data) for data in seen)
sys.stdout.buffer.write(("\n".join(out) + "\n").encode("utf-8"))
