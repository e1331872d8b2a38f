"""The copies of hives that are read: of which hive, in which state."""

import shutil
from dataclasses import dataclass

import damage


@dataclass(frozen=True)
class Copy:
    state: str
    hive: str
    """As the corpus names it."""
    logs: bool = False
    """Whether its transaction logs are copied with it."""
    damage: object = None

    @property
    def how(self):
        return self.damage.__name__ if self.damage else "with logs" if self.logs else ""


def copy(one, corpus, folder):
    """Makes the copy, and gives its path and those of its logs."""
    folder.mkdir()
    source = corpus / one.hive
    target = folder / source.name
    shutil.copyfile(source, target)
    if one.damage:
        hive = bytearray(target.read_bytes())
        one.damage(hive)
        target.write_bytes(hive)
    logs = []
    if one.logs:
        for log in sorted(source.parent.glob(f"{source.name}.LOG*")):
            shutil.copyfile(log, folder / log.name)
            logs.append(str(folder / log.name))
    return target, logs


XP = "xp-sp3-x86/system"
SEVEN = "win7-sp1-x86/SYSTEM"
LARGE = "win81-x64-dirty-no-logs/SOFTWARE"
TEN = "win10-1709-x64-dirty-with-logs/SYSTEM"
USER = "ntuser-dirty-with-logs/NTUSER.DAT"
YARP = "yarp-set/"
RECOVERED = YARP + "NewDirtyHive1/RecoveredHive_Windows10"

CLEAN = ["xp-sp3-x86/software", XP, "xp-sp3-x86-m57/SYSTEM", "win7-sp1-x86/SOFTWARE", SEVEN, RECOVERED]
WITH_LOGS = [
    TEN,
    USER,
    YARP + "NewDirtyHive1/NewDirtyHive",
    YARP + "NewDirtyHive2/NewDirtyHive",
    YARP + "OldDirtyHive/OldDirtyHive",
    YARP + "BadBaseBlockHive/BadBaseBlockHive",
    YARP + "BadLogHive1/BadLogHive",
    YARP + "BadLogHive2/BadLogHive",
    YARP + "BadLogHive3/BadLogHive",
]
WITHOUT = [LARGE, "win81-x64-dirty-no-logs/SYSTEM", *WITH_LOGS[:6]]
DAMAGED = [
    *((hive, damage.pages) for hive in (XP, SEVEN, USER)),
    *((hive, damage.cells) for hive in (XP, SEVEN, LARGE, USER)),
    (XP, damage.checksum),
    (XP, damage.loop),
    (RECOVERED, damage.checksum),
]
TRUNCATED = [XP, SEVEN, LARGE, USER]

COPIES = [
    *(Copy("clean", hive) for hive in CLEAN),
    *(Copy("dirty", hive) for hive in WITHOUT),
    *(Copy("replayed", hive, logs=True) for hive in WITH_LOGS),
    Copy("damaged", "xp-damaged/SYSTEM"),
    *(Copy("damaged", hive, damage=kind) for hive, kind in DAMAGED),
    *(Copy("truncated", hive, damage=damage.three_quarters) for hive in TRUNCATED),
]
