# SPDX-License-Identifier: GPL-3.0-or-later
"""Evidence is somebody else's text: no reader of Markdown may take it for markup."""

import html

import pytest
from markdown_it import MarkdownIt
from openrelik_worker_common.reporting import MarkdownTable

from src.report import CELL_CHARACTERS, escape

HOSTILE = [
    "plain words, with a full stop. And (brackets)!",
    r"C:\Windows\system32\svchost.exe -k netsvcs",
    "%SystemRoot%\\System32\\qmgr.dll",
    "2012-03-19T06:27:55.0937500Z",
    "REG_SZ and _emphasis_ and __strong__ and *this* and **that**",
    "[link](https://example.com) ![image](https://example.com/x.png)",
    "https://example.com www.example.com example.com mailto:a@example.com a@example.com ftp://example.com",
    "<script>alert(1)</script><img src=x onerror=alert(1)><!-- -->",
    "<https://example.com>",
    "cell | other | cell",
    "`code` ``` ~~~ ~~gone~~",
    "# heading",
    "- list",
    "+ list",
    "1. list",
    "> quote",
    "--- ===",
    "&lt;b&gt; &#60;b&#62; &amp;",
    "$x^2$ {.class} {{ template }} :smile: [^1] [x]: y",
    "\\*\\[\\]",
]


@pytest.mark.parametrize("evidence", HOSTILE)
def test_evidence_is_text_only_in_a_table_and_in_a_paragraph(evidence: str) -> None:
    table = MarkdownTable(["Column"])
    table.add_row([escape(evidence)])
    for markdown in (table.to_markdown(), f"\n{escape(evidence)}\n"):
        reader = MarkdownIt("gfm-like", {"html": True, "linkify": True, "typographer": False})
        tokens = reader.parse(markdown)
        inline = [each for each in tokens if each.type == "inline"]
        assert inline[-1].content == escape(evidence)
        assert {each.type for each in inline[-1].children or []} == {"text"}
        assert "".join(each.content for each in inline[-1].children or []) == evidence
        assert {each.tag for each in tokens} <= {"", "p", "table", "thead", "tbody", "tr", "th", "td"}


def test_characters_that_nobody_sees_are_shown_by_number() -> None:
    shown = html.unescape(escape("EXAMPLE\x1b[2J\u202e\u200b\x00\nPC\u00a0x\ud800"))
    assert shown == r"EXAMPLE\u{1b}[2J\u{202e}\u{200b}\u{0}\u{a}PC\u{a0}x\u{d800}"


def test_long_text_is_cut_and_says_so() -> None:
    assert escape("a" * (CELL_CHARACTERS + 1)) == "a" * CELL_CHARACTERS + "&#46;&#46;&#46;"
    assert escape("a" * CELL_CHARACTERS) == "a" * CELL_CHARACTERS
