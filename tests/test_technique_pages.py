"""The technique pages: their study files load, their marks are filled in, and their links lead somewhere.

The numbers in them come from ``benchmarks/techniques.py``, whose arithmetic is tested here on a made-up study.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import summaries
from wellfit.spec.study import load_study, recipes

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "techniques"
PAGES = sorted(path for path in FOLDER.glob("*.md") if path.name != "index.md")
TECHNIQUES = 14


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("techniques", ROOT / "benchmarks" / "techniques.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["techniques"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_every_technique_has_its_page_in_the_index() -> None:
    index = (FOLDER / "index.md").read_text()
    assert len(PAGES) == TECHNIQUES
    assert [page.name for page in PAGES if f"]({page.name})" not in index] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_study_file_is_one(page: Path, tmp_path: Path) -> None:
    """What the page shows of a study file, with a baseline, makes variants."""
    (text,) = re.findall(r"```toml\n(.*?)```", page.read_text(), re.S)
    file = tmp_path / "study.toml"
    file.write_text(f'name = "shown"\ntitle = "?"\n[data]\nname = "fashion-mnist"\n[variants.baseline]\n{text}')
    if "\n[variants]\n" in f"\n{text}":
        file.write_text(f'name = "shown"\ntitle = "?"\n[data]\nname = "fashion-mnist"\n{text}')
    assert len(set(recipes(load_study(str(file))).values())) > 1


@pytest.mark.parametrize("page", [*PAGES, FOLDER / "index.md"], ids=lambda page: page.stem)
def test_its_marks_are_filled_and_its_links_lead_somewhere(page: Path, script: ModuleType) -> None:
    text = page.read_text()
    marks = list(script.MARK.finditer(text))
    assert text.count("<!-- end -->") == len(marks) > 0
    for mark in marks:
        assert mark[1] in ("verdicts", "picture", "index")
        assert "\n| " in mark[0] or "](../pictures/" in mark[0], f"empty: {mark[0][:80]}"
    links = [target for target in re.findall(r"\]\(([^)#]+)", text) if "://" not in target]
    assert [target for target in links if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_its_sentences_agree_with_its_table(page: Path, script: ModuleType) -> None:
    """Every verdict that a sentence rests on is in the table, and is that one."""
    text = page.read_text()
    (mark,) = (mark for mark in script.MARK.finditer(text) if mark[1] == "verdicts")
    rows = [row for row in mark[0].split("\n") if row.startswith("| ")][1:]
    verdicts = dict(zip(mark[2].split(), (row.split(" | ")[5].strip("*") for row in rows), strict=True))
    held = [(ref, verdict) for verdict, refs in script.HOLDS.findall(text) for ref in refs.split()]
    assert [(ref, verdict) for ref, verdict in held if verdicts.get(ref) != verdict] == []


def test_a_row_has_the_numbers_of_its_comparison(script: ModuleType) -> None:
    summary = summaries.study()
    studies = {summary.name: SimpleNamespace(summary=summary, directory="nowhere")}
    known = {v.name: v for v in summary.variants}
    row = script.verdict_row(studies, f"{summary.name}:l2")
    before, after = (100 * known[name].mean["test_accuracy"] for name in ("baseline", "l2"))
    assert f"| `l2 = 0.001` | baseline | {before:.2f} → {after:.2f} |" in row.replace("\u00a0", " ")
    (c,) = (c for c in summary.comparisons if c.variant == "l2")
    assert c.verdict in row


def test_a_sentence_that_does_not_hold_stops_the_script(script: ModuleType, tmp_path: Path) -> None:
    summary = summaries.study()
    studies = {summary.name: SimpleNamespace(summary=summary, directory="nowhere")}
    (c,) = (c for c in summary.comparisons if c.variant == "l2")
    page = tmp_path / "l2.md"
    page.write_text(f"Words. <!-- holds {c.verdict} {summary.name}:l2 -->")
    script.check(studies, page)
    other = "better" if c.verdict != "better" else "worse"
    page.write_text(f"Words. <!-- holds {other} {summary.name}:l2 -->")
    with pytest.raises(SystemExit, match=f"says that {summary.name}:l2 is {other}, but it is {c.verdict}"):
        script.check(studies, page)
    with pytest.raises(SystemExit, match="no such comparison"):
        script.comparison(studies, f"{summary.name}:nothing")
