"""The audit's look-ups with a Python library: lookup.py LIBRARY LOOKUPS SOFTWARE SYSTEM, the library being one of
hivex, pyregf, dissect, regipy. Prints how many values there are, and their bytes (where the library gives raw data)."""

import sys


class Hivex:
    def __init__(self, path):
        import hivex

        self.hive = hivex.Hivex(path)
        self.root = self.hive.root()

    def child(self, key, name):
        return self.hive.node_get_child(key, name)

    def children(self, key):
        return self.hive.node_children(key)

    def size(self, key, name):
        try:
            value = self.hive.node_get_value(key, name)
        except RuntimeError:
            return None
        return len(self.hive.value_value(value)[1]) if value else None


class Pyregf:
    def __init__(self, path):
        import pyregf

        self.file = pyregf.file()
        self.file.open(path)
        self.root = self.file.get_root_key()

    def child(self, key, name):
        return key.get_sub_key_by_name(name)

    def children(self, key):
        return (key.get_sub_key(index) for index in range(key.number_of_sub_keys))

    def size(self, key, name):
        value = key.get_value_by_name(name) if name else None
        return None if value is None else len(value.data or b"")


class Dissect:
    def __init__(self, path):
        from dissect.regf import regf

        self.missing = regf.RegistryKeyNotFoundError, regf.RegistryValueNotFoundError
        self.root = regf.RegistryHive(open(path, "rb")).root()

    def child(self, key, name):
        try:
            return key.subkey(name)
        except self.missing:
            return None

    def children(self, key):
        return key.subkeys()

    def size(self, key, name):
        try:
            return len(key.value(name).data)
        except self.missing:
            return None


class Regipy:
    def __init__(self, path):
        from regipy.exceptions import RegistryKeyNotFoundException
        from regipy.registry import RegistryHive

        self.missing = RegistryKeyNotFoundException
        self.root = RegistryHive(path).root

    def child(self, key, name):
        return key.get_subkey(name, raise_on_missing=False)

    def children(self, key):
        return key.iter_subkeys()

    def size(self, key, name):
        # Data come decoded: how many bytes they were is not told.
        value = key.get_value(name) if key.values_count else None
        return None if value is None else 0


def look_up(hive, key, path, name):
    if key is None:
        return
    if not path:
        size = hive.size(key, name)
        if size is not None:
            yield size
    elif path[0] == "*":
        for child in hive.children(key):
            yield from look_up(hive, child, path[1:], name)
    else:
        yield from look_up(hive, hive.child(key, path[0]), path[1:], name)


library = {"hivex": Hivex, "pyregf": Pyregf, "dissect": Dissect, "regipy": Regipy}[sys.argv[1]]
hives = {"SOFTWARE": library(sys.argv[3]), "SYSTEM": library(sys.argv[4])}
sizes = []
with open(sys.argv[2]) as lookups:
    for line in lookups:
        role, path, name = line.rstrip("\n").split("\t")
        sizes.extend(look_up(hives[role], hives[role].root, path.split("\\"), name))
print(f"{len(sizes)} values, {sum(sizes)} bytes")
