"""The page about published numbers: its commands print what it shows, and its table is what the script computes."""

from __future__ import annotations

import importlib.util
import re
import shutil
import statistics
from pathlib import Path
from types import ModuleType

import pytest

import pages
from wellfit.analysis.intervals import prediction_interval

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "claims.md"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("claims", ROOT / "benchmarks" / "claims.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    shown = list(pages.commands(PAGE.read_text()))
    assert len(shown) == 2
    for command in shown:
        assert pages.missing(command, pages.printed(command.line, tmp_path)) is None


def test_the_table_is_what_the_script_writes(script: ModuleType, tmp_path: Path) -> None:
    copy = Path(shutil.copy(PAGE, tmp_path / "claims.md"))
    script.main(copy)
    assert copy.read_text() == PAGE.read_text()


def test_every_lab_has_its_winner_with_all_of_its_numbers(script: ModuleType) -> None:
    found = {lab: (split, [one.variant for one in numbers]) for lab, split, numbers in script.labs()}
    assert {lab: (split, len(names), names[0]) for lab, (split, names) in found.items()} == {
        "lab5": ("test", 3, "baseline"),
        "lab-512": ("test", 5, "early-stopping"),
        "lab-optimizers": ("validation", 5, "rmsprop"),
        "lab-lenet5": ("validation", 3, "dropout"),
        "lab-depth": ("test", 3, "10x128"),
    }


def test_the_spread_is_that_behind_the_interval_of_one_run(script: ModuleType) -> None:
    runs = [0.9, 0.91, 0.92, 0.905, 0.915]
    low, high = prediction_interval(runs) or (0.0, 0.0)
    row = f"| l2 | test accuracy | 0.9 | [{low:.7f}, {high:.7f}] | yes |"
    page = f"<!-- published x -->\n\n5 seeds. l2.\n{row}\n<!-- end -->"
    measured = re.search(script.TABLE.format("x"), page, re.S)
    assert script.spread(measured, "l2", "test") == pytest.approx(statistics.stdev(runs), rel=1e-5)
    assert script.spread(measured, "l1", "test") is None
    assert script.spread(None, "l2", "test") is None
