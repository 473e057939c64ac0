"""Findings: titles, notes, and that the page of findings lists them all."""

import ast
import re
from pathlib import Path

import pytest

from wellfit.base import FINDING_TITLES, Finding

ROOT = Path(__file__).parents[2]


def test_every_code_in_the_checks_has_a_title():
    checks = [*(ROOT / "src/wellfit/diagnostics").glob("*.py"), *(ROOT / "src/wellfit/data/audits").glob("*.py")]
    nodes = [node for path in checks for node in ast.walk(ast.parse(path.read_text()))]
    calls = [n for n in nodes if isinstance(n, ast.Call) and getattr(n.func, "id", "") in ("Finding", "Observation")]
    codes = [next((k.value for k in call.keywords if k.arg == "code"), None) or call.args[0] for call in calls]
    raised = {code.value for code in codes if isinstance(code, ast.Constant)}
    assert len(raised) > 20
    assert raised <= FINDING_TITLES.keys()
    assert {n.value for n in nodes if isinstance(n, ast.Constant)} >= FINDING_TITLES.keys()


def test_titles_are_short_and_differ():
    assert len(set(FINDING_TITLES.values())) == len(FINDING_TITLES)
    assert all(len(title) <= 45 and not title.endswith(".") for title in FINDING_TITLES.values())


def test_an_unknown_code_is_its_own_title():
    assert Finding("odd-thing", "info", "", "").title == "Odd thing"


@pytest.mark.parametrize(
    ("message", "note"),
    [
        ("3 of 64 pixels never change: they have the same value.", "3 of 64 pixels never change"),
        ("2 of 7 variants overfit. l2: by 0.5; b: by 0.1.", "2 of 7 variants overfit"),
        ("l2=0.001 overfit: by 66 %.", "l2=0.001 overfit"),
        (
            "a has 1.6 times as many examples as b (16 and 10); always",
            "a has 1.6 times as many examples as b (16 and 10)",
        ),
        ("The split has no test set.", "The split has no test set"),
    ],
)
def test_a_note_is_the_first_clause_of_the_message(message, note):
    assert Finding("x", "info", message, "").note == note


def test_the_page_of_findings_lists_every_code_with_its_title():
    rows = re.findall(r"^\| `([a-z-]+)` \| ([^|]+) \|", (ROOT / "docs/findings.md").read_text(), re.M)
    assert dict(rows) == dict(FINDING_TITLES)
    assert len(rows) == len(FINDING_TITLES)
