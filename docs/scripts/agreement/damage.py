"""Ways to damage a copy of a hive, each the same every time. Offsets in a hive count from its first hive bin."""

import struct

BASE_BLOCK = 4096
PAGE = 4096


def _number(hive, at):
    return struct.unpack_from("<I", hive, at)[0]


def _bins(hive):
    """Where each hive bin begins in the file, and its size."""
    at = BASE_BLOCK
    while hive[at : at + 4] == b"hbin" and _number(hive, at + 8) >= PAGE:
        yield at, _number(hive, at + 8)
        at += _number(hive, at + 8)


def _cells(hive):
    """Where each cell in use begins in the file, and its size."""
    for start, size in _bins(hive):
        at = start + 32
        while at < start + size:
            cell = struct.unpack_from("<i", hive, at)[0]
            if cell == 0:
                break
            if cell < 0:
                yield at, -cell
            at += abs(cell)


def pages(hive):
    """Every 40th page of 4 KiB behind the first hive bin is zeros, as where a disk could not be read"""
    for at in range(BASE_BLOCK + 40 * PAGE, len(hive), 40 * PAGE):
        hive[at : at + PAGE] = bytes(len(hive[at : at + PAGE]))


def cells(hive):
    """Every 997th cell in use is filled with 0xFF behind its size"""
    for at, size in list(_cells(hive))[996::997]:
        hive[at + 4 : at + size] = b"\xff" * (size - 4)


def checksum(hive):
    """The checksum of the base block is wrong, all else is as it was"""
    hive[508] ^= 1


def loop(hive):
    """A key below the root names the root as its first subkey"""
    root = _number(hive, 36)
    for key in _listed(hive, root):
        subkeys = list(_places(hive, key))
        if subkeys:
            struct.pack_into("<I", hive, subkeys[0], root)
            return
    raise ValueError("no key below the root has subkeys")


def three_quarters(hive):
    """The last quarter of the file is missing"""
    del hive[len(hive) * 3 // 4 :]


def _places(hive, key):
    """Where the list of a key's subkeys names each of them."""
    if _number(hive, BASE_BLOCK + key + 4 + 20) == 0:
        return
    at = BASE_BLOCK + _number(hive, BASE_BLOCK + key + 4 + 28) + 4
    kind, count = bytes(hive[at : at + 2]), struct.unpack_from("<H", hive, at + 2)[0]
    step = {b"lf": 8, b"lh": 8, b"li": 4}.get(kind)
    if step:
        yield from range(at + 4, at + 4 + step * count, step)


def _listed(hive, key):
    return [_number(hive, place) for place in _places(hive, key)]
