#!/usr/bin/env python3
"""Opens the sheets of all fixtures with LibreOffice, by comma and by semicolon: no cell has a formula, and by comma each
has the text that Python's csv reads.

Needs soffice (Debian package libreoffice-calc-nogui).
"""

import csv
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from written import Desk

TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
# Separator; quotation mark; UTF-8; from the first line; no formats; English; quoted fields are not kept as text, and
# numbers, dates and formulas are looked for: what a careless click makes of a sheet.
# https://help.libreoffice.org/latest/en-US/text/shared/guide/csv_params.html
OPTIONS = "CSV:{},34,76,1,,1033,false,true,false,false,false,-1,true"


def opened(path, separator, folder):
    """The rows of the sheet as LibreOffice has them: each cell's text, and the formulas."""
    out = pathlib.Path(folder) / f"by-{ord(separator)}"
    command = ["soffice", "--headless", f"-env:UserInstallation=file://{folder}/profile", "--convert-to", "fods"]
    command += [f"--infilter={OPTIONS.format(ord(separator))}", "--outdir", str(out), str(path)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=600)
    rows, formulas = [], []
    for row in xml.etree.ElementTree.parse(out / f"{path.stem}.fods").iter(f"{TABLE}table-row"):
        cells = []
        for cell in row.iter(f"{TABLE}table-cell"):
            if f"{TABLE}formula" in cell.attrib:
                formulas.append(cell.attrib[f"{TABLE}formula"])
            text = "\n".join("".join(shown(line)) for line in cell.iter(f"{TEXT}p"))
            count = int(cell.get(f"{TABLE}number-columns-repeated", "1"))
            # Empty cells go on to the last column that there can be.
            cells += [(cell.get(f"{OFFICE}value-type", ""), text)] * (count if text else min(count, 100))
        rows += [cells] * min(int(row.get(f"{TABLE}number-rows-repeated", "1")), 10)
    return rows, formulas


def shown(element):
    """The text of a paragraph, with its blanks."""
    yield element.text or ""
    for part in element:
        if part.tag == f"{TEXT}s":
            yield " " * int(part.get(f"{TEXT}c", "1"))
        elif part.tag == f"{TEXT}tab":
            yield "\t"
        else:
            yield from shown(part)
        yield part.tail or ""


def compare(path, rows):
    """Each cell by comma; LibreOffice may hold a number as a number, and shows it as it likes."""
    with open(path, encoding="utf-8-sig", newline="") as file:
        written = list(csv.reader(file))
    count = 0
    for number, (row, cells) in enumerate(zip(written, rows, strict=False), 1):
        found = cells + [("", "")] * (len(row) - len(cells))
        for column, (text, (kind, seen)) in enumerate(zip(row, found), 1):
            if kind in ("string", "") and text != seen:
                sys.exit(f"{path.name}, row {number}, column {column}: {text!r} is shown as {seen!r}")
            count += kind == "string"
    if len(rows) < len(written):
        sys.exit(f"{path.name}: {len(written)} rows, and LibreOffice has {len(rows)}")
    return count


def main():
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(folder)
        sheets = [
            desk.write("findings.csv", "audit", "evidence", "--format", "csv", "--all"),
            desk.write("history.csv", "history", "evidence", "--format", "csv"),
        ]
        # The check itself is checked: here is a formula.
        live = desk.folder / "live.csv"
        live.write_text("a,b\n=1+1,\"=2+2\"\n", encoding="utf-8")
        if len(opened(live, ",", folder)[1]) != 2:
            sys.exit("LibreOffice finds no formula where there is one")
        for sheet in sheets:
            for separator in ",;":
                rows, formulas = opened(sheet, separator, folder)
                if formulas:
                    sys.exit(f"{sheet.name}, separated by {separator}: {len(formulas)} formulas: {formulas[:5]}")
                if separator == ",":
                    print(f"{sheet.name}: {len(rows)} rows, {compare(sheet, rows)} texts, no formula")
    print(subprocess.check_output(["soffice", "--version"], text=True).strip())


main()
