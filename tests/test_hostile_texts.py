"""Names and texts from strangers arrive in every form of a report: legible, and without any effect."""

from __future__ import annotations

import ast
import html
import io
import json
import re
import tomllib
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

import detailed
import summaries
from pdf_texts import pdf_text, squeezed
from wellfit.base import Answer, Finding, Sentence, StudyDetails, StudySummary
from wellfit.report.document import make_document
from wellfit.report.forms.cells import results_html
from wellfit.report.forms.markdown import write_markdown
from wellfit.report.forms.notebook import make_notebook
from wellfit.report.forms.page import render_page
from wellfit.report.forms.pdf import write_pdf
from wellfit.report.forms.terminal import print_summary
from wellfit.spec.study import load_study, resolved

ATTACKS = {
    "table": "| --- | `x` |",
    "link": "[x](javascript:alert(1))",
    "image": "![x](http://host/x.png)",
    "script": "<script>alert(1)</script>",
    "handler": "\"'><img src=x onerror=alert(1)>",
    "typst": '#eval("1") $x_1$ @ref *b*',
    "latex": "\\input{/etc/passwd} %",
    "formula": "=cmd|' /C calc'!A0",
    "heading": "a\n# b\n```",
    "ansi": "\x1b[31mred\x1b]0;t\x07",
    "bidi": "\u202egnp.\u2066x\u200b",
}
SPELLED = {**ATTACKS, "ansi": "\\x1b[31mred\\x1b]0;t\\x07", "bidi": "\\u202egnp.\\u2066x\\u200b"}
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
QUIET = pytest.mark.filterwarnings("ignore:Glyph", "ignore:constrained_layout")  # as `marks.fonts.quiet` does
ONE = " and ".join(text for key, text in ATTACKS.items() if key != "heading")


@pytest.fixture(scope="module")
def hostile() -> tuple[StudySummary, StudyDetails]:
    """A study whose classes, title, variant, findings, answers, facts and cells are attacks."""
    names = tuple(ATTACKS.values())
    plain = summaries.study(variants=("baseline", "l2"), classes=names, epochs=5)
    name = ATTACKS["handler"] + ATTACKS["bidi"]
    study = replace(
        plain,
        title=ONE,
        data=ONE,
        variants=(plain.variants[0], replace(plain.variants[1], name=name, settings={"note": ONE})),
        comparisons=tuple(replace(c, variant=name) for c in plain.comparisons),
        histories={"baseline": plain.histories["baseline"], name: plain.histories["l2"]},
        confusion={"baseline": plain.confusion["baseline"], name: plain.confusion["l2"]},
        findings=(Finding("data-duplicates", "info", f"{ONE}.", f"{ONE}."),),
        conclusion=(plain.conclusion[0], Sentence(f"{ONE}.", ("title",))),
        answers=(Answer(ONE, "best", (Sentence(f"{ONE}.", ("title",)),)),),
        evidence={name: plain.evidence["l2"]},
        ranking=tuple(r._replace(variant=name) if r.variant == "l2" else r for r in plain.ranking),
        provenance={**plain.provenance, "command": ONE, "data": ONE},
        settings={**resolved(load_study("regularization")), "title": ONE, "description": ONE},
    )
    details = detailed.details(study, images=20, side=8)
    rows = (names, *(tuple(np.roll(names, i)) for i in range(3)))
    facts = tuple((key, text) for key, text in ATTACKS.items())
    look = replace(detailed.table_look(study), title=ONE, source=ONE, rows=rows, facts=facts)
    return study, replace(details, data=look)


class Seen(HTMLParser):
    """What a browser would show, run and load."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.scripts, self.loads, self.handlers = "", 0, list[str](), list[str]()
        self.hidden = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.hidden = tag in ("script", "style")
        self.scripts += tag == "script"
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        links = [of or "" for name, of in attrs if name in ("src", "href", "xlink:href", "action", "srcdoc")]
        self.loads += [link for link in links if not link.startswith(("#", "data:image/"))]

    def handle_data(self, data: str) -> None:
        self.text += "" if self.hidden else data


def assert_legible(text: str, keys: tuple[str, ...] = tuple(ATTACKS)) -> None:
    """Each attack can be read, and no character steers."""
    assert not STEERING.search(text), ascii(STEERING.findall(text))
    shown = " ".join(text.split())
    for key in keys:
        assert " ".join(SPELLED[key].split()) in shown, key


def test_the_page(hostile: tuple[StudySummary, StudyDetails]) -> None:
    page = render_page(*hostile)
    innocent = Seen(render_page(summaries.study(variants=("baseline", "l2"), epochs=5), detailed.NOTHING))
    seen = Seen(page)
    assert_legible(seen.text)
    assert (seen.handlers, seen.loads) == (innocent.handlers, innocent.loads)
    for block in re.findall(r'<script type="application/json"([^>]*)>(.*?)</script>', page, re.DOTALL):
        chart = json.loads(block[1])
        assert "<script" not in block[1]
        if "wellfit-record" not in block[0]:  # nothing shows that one
            assert not STEERING.search(json.dumps(chart, ensure_ascii=False))


@QUIET
def test_markdown(hostile: tuple[StudySummary, StudyDetails], tmp_path: Path) -> None:
    from markdown_it import MarkdownIt

    path = write_markdown(make_document(*hostile), tmp_path / "report.md")
    reader = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    rendered = reader.render(path.read_text(encoding="utf-8"))
    seen = Seen(rendered)
    assert_legible(seen.text)
    assert (seen.scripts, seen.handlers) == (0, [])
    assert all(link.startswith("report-figures/") for link in seen.loads)


@QUIET
def test_the_pdf(hostile: tuple[StudySummary, StudyDetails], tmp_path: Path) -> None:
    text = pdf_text(write_pdf(make_document(*hostile), tmp_path / "report.pdf"))
    assert not STEERING.search(text)
    for key, attack in SPELLED.items():
        assert squeezed(attack) in text, key


@QUIET
def test_the_notebook(hostile: tuple[StudySummary, StudyDetails]) -> None:
    notebook = json.loads(json.dumps(make_notebook(*hostile, "study")))
    assert not STEERING.search(json.dumps(notebook, ensure_ascii=False).replace("\\n", ""))
    for cell in notebook["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            ast.parse(source)
        else:
            assert not re.search(r"<(?:script|img)|(?<!\\)\]\(|(?<!\\)`x`", source)
        for output in cell.get("outputs", ()):
            page = Seen("".join(output.get("data", {}).get("text/html", ())))
            assert (page.scripts, page.handlers, page.loads) == (0, [], [])
            assert not any("javascript" in kind for kind in output.get("data", {}))


def test_the_study_in_a_notebook_is_the_same_study(hostile: tuple[StudySummary, StudyDetails]) -> None:
    code = ast.parse("".join(make_notebook(*hostile, "study")["cells"][1]["source"]))
    (text,) = (ast.literal_eval(of.value) for of in code.body if isinstance(of, ast.Assign) and "STUDY" in ast.dump(of))
    assert tomllib.loads(text)["title"] == ONE
    assert not STEERING.search(text)


def test_a_cell_of_a_notebook(hostile: tuple[StudySummary, StudyDetails]) -> None:
    page = results_html(hostile[0])
    seen = Seen(page)
    assert (seen.scripts, seen.handlers, seen.loads) == (0, [], [])
    assert not STEERING.search(html.unescape(page))


def test_the_terminal(hostile: tuple[StudySummary, StudyDetails]) -> None:
    from wellfit.report.forms.console import EscapingConsole

    console: Console = EscapingConsole(file=io.StringIO(), width=2000, highlight=False)
    print_summary(hostile[0], console, full=True)
    assert_legible(console.file.getvalue(), tuple(key for key in ATTACKS if key != "heading"))  # type: ignore[attr-defined]
