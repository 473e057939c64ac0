"""The documentation: every page is in the site's navigation, every link leads somewhere, and the tutorial is true.

``mkdocs build --strict`` checks links and anchors of the built site; these tests need no mkdocs.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import pages
import wellfit
from wellfit.results import Results
from wellfit.spec.study import study_from_mapping
from wellfit.study.preview import model_table

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(page for page in DOCS.rglob("*.md") if page.parent.name != "notebooks")  # which is made, not written


def test_the_navigation_has_every_page_once() -> None:
    nav = (ROOT / "mkdocs.yml").read_text().split("\nnav:\n")[1]
    assert sorted(re.findall(r"([\w/-]+\.md)$", nav, re.M)) == [page.relative_to(DOCS).as_posix() for page in PAGES]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md"], ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.M | re.S)
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_the_reference_has_every_public_name() -> None:
    text = (DOCS / "reference.md").read_text()
    names = [name for name in wellfit.__all__ if not name.startswith("__")]
    assert [name for name in names if f"::: wellfit.{name}\n" not in text] == []


def test_the_networks_of_the_how_to_are_networks() -> None:
    """Every ``[model]`` table makes a model of gray images in ten classes."""
    tables = re.findall(r"```toml\n(\[model\]\n.*?)```", (DOCS / "how-to" / "network.md").read_text(), re.S)
    sizes = []
    for table in tables:
        study = {
            "name": "shown",
            "title": "?",
            "data": {"name": "mnist"},
            "variants": {"baseline": {}},
            **tomllib.loads(table),
        }
        sizes.append(model_table(study_from_mapping(study).base, (28, 28), 10).total)
    assert len(sizes) == 2
    assert min(sizes) > 0


def test_the_figures_of_the_how_to_are_all_there_are() -> None:
    text = (DOCS / "how-to" / "paper.md").read_text()
    listed = text[text.index("without its prefix:") : text.index("PDFs hold")]
    known = {name.removeprefix("plot_") for name in dir(Results) if name.startswith("plot_")}
    assert set(re.findall(r"`(\w+)`", listed)) == known


def test_the_tutorial_teaches_files_and_commands_in_an_order_that_works() -> None:
    """What a command names has been made above it."""
    text = (DOCS / "tutorial.md").read_text()
    for command in pages.commands(text):
        before = text[: text.index(f"$ {command.line}")]
        named = re.findall(r"(?<= )([\w-]+\.(?:toml|py))(?= |$)", command.line)
        assert [name for name in named if f'title="{name}"' not in before] == [], command.line


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows() -> None:
    """In a process without the tests' compiler flags; decimals and bars may differ on another processor."""
    environment = {**os.environ, "XLA_FLAGS": "", "PYTHONPATH": f"{ROOT / 'src'}"}
    command = [sys.executable, str(ROOT / "tests" / "pages.py"), "--loose", str(DOCS / "tutorial.md")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "!!! lacks" not in done.stdout, done.stdout
    assert "undecided" in done.stdout
