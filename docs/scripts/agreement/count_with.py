"""Counts the keys and values of a hive with a reader in Python: count_with.py LIBRARY HIVE [LOG...].

Every value's data is asked for. Nothing is kept but the counts, and nothing is caught: what was counted before the
reader gave up is printed all the same, and the exit code is then Python's.
"""

import os
import sys
import tempfile


def dissect(path, _):
    from dissect.regf import regf

    with open(path, "rb") as file:
        yield from walk(regf.RegistryHive(file).root(), lambda value: value.data)


def python_registry(path, _):
    from Registry import Registry

    yield from walk(Registry.Registry(path).root(), lambda value: value.raw_data())


def walk(key, data):
    """As most would write it: Python ends it where keys are too deep."""
    yield 1, 0
    for value in key.values():
        data(value)
        yield 0, 1
    for subkey in key.subkeys():
        yield from walk(subkey, data)


def regipy(path, logs):
    from regipy.recovery import apply_transaction_logs
    from regipy.registry import RegistryHive

    with tempfile.TemporaryDirectory() as folder:
        if logs:
            restored = os.path.join(folder, "restored")
            apply_transaction_logs(path, *logs, restored_hive_path=restored)
            path = restored
        for key in RegistryHive(path).recurse_subkeys():
            yield 1, len(key.values)


keys = values = 0
try:
    counted = {"dissect.regf": dissect, "python-registry": python_registry, "regipy": regipy}[sys.argv[1]]
    for more_keys, more_values in counted(sys.argv[2], sys.argv[3:]):
        keys += more_keys
        values += more_values
finally:
    print(f"keys {keys} values {values}")
