#!/usr/bin/env python3
"""Draws what hivemend writes to a terminal: docs/images/*.svg.

    cargo build && python3 docs/scripts/screenshots.py

The program runs in tmux, whose screen is read back with its colours; the evidence is made of the fixtures by the
program `make-evidence`. Needed: cargo, and tmux.
"""

import html
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "target" / "debug"
SOCKET = f"hivemend-screenshots-{os.getpid()}"
# Letters and background of Windows Terminal (Campbell) and of xterm with black on white.
THEMES = {"dark": ("#cccccc", "#0c0c0c"), "light": ("#000000", "#ffffff")}
WIDE, HIGH, MARGIN = 8.4, 18, 12
SHOTS = [
    # name, columns, lines, theme, cases, command
    ("audit", 80, 24, "dark", ["windows-7-bits-disabled"], "hivemend audit evidence"),
    (
        "fleet",
        80,
        24,
        "light",
        [
            "windows-7",
            "windows-7-bits-disabled",
            "windows-xp-senslogn-shutdown-wrong",
            "windows-10-network-services-hijacked",
            "windows-server-2022-bits-disabled",
            "windows-7-software-only",
        ],
        "hivemend audit evidence",
    ),
]


def colour(index):
    """One of xterm's 256 colours from 16 on."""
    if index >= 232:
        return "#" + f"{8 + 10 * (index - 232):02x}" * 3
    levels = [0, 95, 135, 175, 215, 255]
    index -= 16
    return "#" + "".join(f"{levels[part]:02x}" for part in (index // 36, index // 6 % 6, index % 6))


def capture(columns, lines, command, folder):
    """The last lines of the terminal after the command, with escape sequences."""
    tmux = ["tmux", "-L", SOCKET, "-f", os.devnull]
    shell = f"printf '$ %s\\n' '{command}'; {command}; sleep 30"
    environment = {**os.environ, "LC_ALL": "C.UTF-8", "PATH": f"{PROGRAM}:{os.environ['PATH']}", "SHELL": "/bin/sh"}
    environment.pop("NO_COLOR", None)
    environment.pop("TMUX", None)
    start = tmux + ["new-session", "-d", "-x", str(columns), "-y", str(lines), "-s", "shot", shell]
    subprocess.run(start, check=True, cwd=folder, env=environment)
    try:
        time.sleep(3)
        shown = subprocess.run(tmux + ["capture-pane", "-e", "-p", "-t", "shot"], check=True, capture_output=True)
        return shown.stdout.decode()
    finally:
        subprocess.run(tmux + ["kill-server"], check=False)


def runs(text):
    """The runs of a screen: line, column, text, bold, colour of the letters, of the background."""
    bold, letters, ground = False, None, None
    for line, row in enumerate(text.split("\n")):
        column = 0
        for part in re.split(r"(\x1b\[[0-9;]*m)", row):
            if not part.startswith("\x1b"):
                if part:
                    yield line, column, part, bold, letters, ground
                column += len(part)
                continue
            codes = [int(code or 0) for code in part[2:-1].split(";")]
            while codes:
                code = codes.pop(0)
                if code == 0:
                    bold, letters, ground = False, None, None
                elif code == 1:
                    bold = True
                elif code == 39:
                    letters = None
                elif code == 49:
                    ground = None
                elif code in (38, 48) and codes[:1] == [5]:
                    shade = colour(codes[1])
                    codes = codes[2:]
                    letters, ground = (shade, ground) if code == 38 else (letters, shade)
                else:
                    sys.exit(f"an escape sequence that is not drawn: {part!r}")


def draw(text, columns, lines, theme, title):
    """The screen as SVG."""
    ink, paper = THEMES[theme]
    wide, high = columns * WIDE + 2 * MARGIN, lines * HIGH + 2 * MARGIN
    svg = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:.0f} {high:.0f}" role="img">',
        f"<title>{html.escape(title)}</title>",
        f'<rect width="100%" height="100%" fill="{paper}"/>',
        f'<g font-family="DejaVu Sans Mono, Consolas, monospace" font-size="14" fill="{ink}">',
    ]
    for line, column, part, bold, letters, ground in runs(text):
        x, y, length = MARGIN + column * WIDE, MARGIN + line * HIGH, len(part) * WIDE
        if ground:
            svg.append(f'<rect x="{x:.1f}" y="{y}" width="{length:.1f}" height="{HIGH}" fill="{ground}"/>')
        if part.strip():
            weight = ' font-weight="bold"' if bold else ""
            fill = f' fill="{letters}"' if letters else ""
            place = f'x="{x:.1f}" y="{y + 14}" textLength="{length:.1f}" lengthAdjust="spacingAndGlyphs"'
            # Chromium joins blanks in a text, whatever `xml:space` says of them; these it leaves alone.
            shown = html.escape(part).replace(" ", "\u00a0")
            svg.append(f"<text {place}{weight}{fill}>{shown}</text>")
    return "\n".join(svg + ["</g>", "</svg>", ""])


def main():
    images = ROOT / "docs" / "images"
    images.mkdir(exist_ok=True)
    for name, columns, lines, theme, cases, command in SHOTS:
        with tempfile.TemporaryDirectory() as folder:
            make = ["cargo", "run", "--quiet", "-p", "hive-fixtures", "--", f"{folder}/evidence", *cases]
            subprocess.run(make, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            screen = capture(columns, lines, command, folder)
        (images / f"{name}.svg").write_text(draw(screen, columns, lines, theme, f"$ {command}"))


main()
