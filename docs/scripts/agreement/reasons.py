"""Why a reader delivers other numbers than hivemend. Each was looked at by hand when it was first seen; a row that none
of these fits is printed as not explained, and makes the script fail."""

CONTENTS = """
## Contents, hash by hash

Every primary file of the corpus as it lies, without its logs: every key with its time, every value with its type and
data, as a hash, held against three readers by `tests/suite/agreement.rs` (`HIVEMEND_CORPUS=CORPUS cargo test
--test suite other_readers_find`). It fails for a difference that is not listed in `tests/suite/agreement/known.rs` with
its reason. {count} hives; those where something differs:
"""

BETWEEN = """
## What follows

* On clean hives all readers deliver the same keys and values. What differs there is a handful of data bytes, in the
  first table. (Of `RecoveredHive_Windows10` hivemend says that its keys are later than its own last write.)
* Without its logs, a dirty hive is short of keys and values in every reader, and may hold some that are gone. hivexml,
  regfexport, dissect.regf and python-registry replay no logs and do not say that the hive is dirty. `find --check`
  reports `dirty` with a reason but ends with 0 where everything that the primary file promises was read; `audit` of
  such a hive ends with 3.
* On damaged and truncated hives most readers stop at the first thing that they cannot read. Those that go on
  (`hivexml -k -u`, notatin) end with 0; hivexml then says nothing of what it left out. notatin notes it beside its items.
* No reader delivers a key that hivemend does not, but for keys without a name that regipy takes from pages of zeros,
  and those of the first table that notatin finds behind the end of the hive bins (`EffectiveSizeHive`). notatin
  delivers more values where it lists those whose data is lost, without the data. hivemend counts such a value as lost,
  and names the key.
* hivemend does not look for keys that no list leads to: where the list of the root's subkeys is lost, so are all of
  them. The report counts the cells in use that nothing leads to (`unreached_cells`).
"""

SILENT = ("hivexml", "hivexml -ku", "regfexport", "dissect.regf", "python-registry")
LOST_DATA = ("truncated", "xp-damaged/SYSTEM")


def why(one, name, ours, theirs):
    """The reason for a reader's result on a copy; none where there is none that is known."""
    stopped, (keys, values) = theirs.exit.startswith("stopped"), (theirs.keys, theirs.values)
    fewer = (keys or 0) <= ours.keys and (values or 0) <= ours.values
    if stopped:
        return "walks the loop without end" if one.how == "loop" else "too slow" if fewer else None
    if theirs.exit not in ("0", "1"):
        return None
    checksum = one.how == "checksum" or "BadBaseBlock" in one.hive
    if not keys and checksum and name in ("hivexml", "hivexml -ku", "regfexport"):
        return "refuses a wrong checksum of the base block, whatever it is asked"
    if one.state == "replayed":
        return _replayed(one, name, ours, theirs)
    if name == "regipy" and one.how == "pages" and keys > ours.keys:
        return "takes zeros for keys without a name; leaves out all values of a key where it cannot read one"
    if name == "notatin" and keys == ours.keys:
        return _notatin(one, ours, theirs)
    if theirs.exit == "1" and fewer:
        return _gives_up(one, name, theirs)
    if name == "hivexml -ku" and fewer:
        return "leaves out what it cannot read, and what is below it or in the same list"
    return None


def _replayed(one, name, ours, theirs):
    log = one.hive.split("/")[1]
    if name in SILENT and theirs.exit == "0":
        return "does not replay logs"
    if name == "notatin" and log == "BadLogHive3":
        return "applies entries of a log whose own base block is damaged"
    if name == "notatin" and log in ("OldDirtyHive", "BadBaseBlockHive"):
        return "does not replay logs in the old format"
    if name == "regipy" and log == "BadLogHive1":
        return "applies a log whose own base block is damaged"
    if name == "regipy" and log == "BadLogHive2":
        return "gives up at a log that is damaged"
    if name == "regipy" and theirs.exit == "0":
        return "does not apply all entries of the logs"
    return None


def _notatin(one, ours, theirs):
    if theirs.values < ours.values:
        return "leaves out all values of a key where it cannot read one"
    if one.state in LOST_DATA or one.hive in LOST_DATA:
        return "lists values whose data cannot be read, without data; here they are lost"
    return None


def _gives_up(one, name, theirs):
    if one.how == "loop":
        return "gives up at the loop"
    if not theirs.keys and name in ("hivexml", "regfexport") and one.how != "cells":
        return "gives up at the first hive bin that is damaged or missing"
    return "gives up at the first key or value that it cannot read"
