"""Prints what an audit reads, one value a line, for the peers: hive, key path, value name, separated by tabs.

Taken from a baseline, so that it follows it. `*` in a path is every subkey. Where the audit stops at the subkey that
holds a certain value, the peers read that value of all, which is what the audit does to find it."""

import sys
import tomllib

for mark in [r"Microsoft\Windows NT\CurrentVersion"]:
    for name in ["CurrentVersion", "CurrentBuildNumber", "ProductName", "EditionID", "InstallationType", "SystemRoot"]:
        print("SOFTWARE", mark, name, sep="\t")
print("SYSTEM", "Select", "Current", sep="\t")
with open(sys.argv[1], "rb") as file:
    baseline = tomllib.load(file)
for key in baseline["key"]:
    path = key["path"].replace("CurrentControlSet", "ControlSet001", 1)
    if "each-subkey" in key:
        path += r"\*"
        for name in key["each-subkey"]:
            print(key["hive"], path, name, sep="\t")
        if "below" in key:
            path += "\\" + key["below"]
    # A key that should not be there has no values: then its default value stands for the key.
    for name in key.get("values", {"": None}):
        print(key["hive"], path, name, sep="\t")
