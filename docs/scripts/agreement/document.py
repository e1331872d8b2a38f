"""docs/agreement.md, of what was read."""

from itertools import groupby
from textwrap import fill

from readers import MEMORY, SECONDS
from reasons import BETWEEN, CONTENTS, why

HEAD = """# Agreement with other readers

Made by a script, of the real hives that the tests read (`HIVEMEND_CORPUS`). Whoever has others can hold them against the
same readers: the lists of copies and of reasons stand beside the script.

```sh
python3 docs/scripts/agreement.py CORPUS > docs/agreement.md
```

Its first lines say what must be installed. It takes some minutes. Read by:

| reader | version | what it is asked |
|---|---|---|
"""

ASKED = {
    "hivemend": "`find --check`, which replays the logs beside a hive",
    "hivexml": "hivex: `hivexml HIVE`",
    "hivexml -ku": "hivex: `hivexml -k -u HIVE`: keep going, use heuristics",
    "regfexport": "libregf: `regfexport HIVE`",
    "notatin": "`docs/scripts/agreement/read_with_notatin`: its iterator; the logs are named to it",
    "dissect.regf": "`docs/scripts/agreement/count_with.py`: a loop over subkeys and values, with the data",
    "python-registry": "the same",
    "regipy": "the same; `recurse_subkeys`, and `apply_transaction_logs` before it",
}

KEYS_AND_VALUES = """
## How many keys and values

Each reader is a process of its own, with {gigabytes} GB of address space and {seconds} s; hives over 8 MB (regipy: 2 MB)
are kept from the readers in Python, which would need minutes. *Keys* and *values* are those that it delivers before it
ends, whatever its exit code. *Says so*: for hivemend, that the report has a problem or a state that is not `clean`; for
the others, that something stands on stderr. Readers that came to the same share a line. hivemend's exit code 3 means
that something is missing; other programs' codes tell nothing of what they leave out, see *says so*.
"""

STATES = {
    "clean": "### Clean\n\nAs they lie in the corpus.\n",
    "dirty": "### Dirty, without their logs\n\nThe primary file alone: what the logs hold is missing from every count.\n",
    "replayed": "### Dirty, with their logs\n\nOnly hivemend, notatin and regipy replay them.\n",
    "damaged": "### Damaged\n\nOne hive that is damaged as it lies in the corpus, and copies damaged by "
    "`docs/scripts/agreement/damage.py`.\n",
    "truncated": "### Truncated\n\nThe last quarter of the file is missing. In that of NTUSER.DAT there is no hive bin.\n",
}

TABLE = "| copy | reader | keys | values | exit code | says so | why |\n|---|---|--:|--:|---|---|---|\n"


def document(readers, copies, hashed):
    """The whole document, and the rows that nobody has explained."""
    unexplained = []
    text = HEAD
    for reader in readers:
        text += f"| {reader.name} | {reader.version} | {ASKED[reader.name]} |\n"
    text += contents(hashed)
    text += KEYS_AND_VALUES.format(gigabytes=MEMORY >> 30, seconds=SECONDS)
    for state, of_state in groupby(copies, lambda pair: pair[0].state):
        text += "\n" + STATES[state]
        kinds = {one.damage.__name__: one.damage.__doc__ for one, _ in copies if one.state == state and one.damage}
        if state == "damaged":
            text += "".join(f"\n* *{kind}*: {what[0].lower()}{what[1:]}." for kind, what in kinds.items()) + "\n"
        text += "\n" + TABLE
        for one, results in of_state:
            text += rows(one, [reader.name for reader in readers], results, unexplained)
    return text + BETWEEN, unexplained


def rows(one, names, results, unexplained):
    """One copy: a line for the readers that came to the same."""
    groups = {}
    ours = (results[0].keys, results[0].values)
    for name, result in zip(names, results):
        theirs = (result.keys, result.values)
        reason = ""
        if theirs != ours and not result.exit.startswith("not run"):
            reason = why(one, name, results[0], result)
            if reason is None:
                reason = "**not explained**"
                unexplained.append(f"{one.hive} {one.how}, {name}: {theirs} and not {ours}")
        cells = (number(result.keys), number(result.values), result.exit, "yes" if result.said else "no", reason)
        if result.exit.startswith("not run"):
            cells = ("", "", result.exit, "", "")
        groups.setdefault(cells, []).append(name)
    copy = one.hive + (f", {one.how.replace('_', ' ')}" if one.state == "damaged" and one.how else "")
    text = ""
    for cells, sharing in groups.items():
        text += f"| {copy} | {', '.join(sharing)} | {' | '.join(cells)} |\n"
        copy = ""
    return text


def number(count):
    return "none" if count is None else f"{count:,}"


def contents(hashed):
    """The table of the test: what is the same, and what is not."""
    text = CONTENTS.format(count=len(hashed), readers="hivex, libregf and notatin")
    text += "\n| hive | keys | values | hivex | libregf | notatin |\n|---|--:|--:|---|---|---|\n"
    for hive, keys, values, *found in hashed:
        if any(cell != "same" for cell in found):
            text += f"| {hive} | {int(keys):,} | {int(values):,} | {' | '.join(found)} |\n"
    same = [hive for hive, _, _, *found in hashed if all(cell == "same" for cell in found)]
    return text + "\n" + fill(f"The same for all of them: {', '.join(same)}.", 120, break_on_hyphens=False) + "\n"
