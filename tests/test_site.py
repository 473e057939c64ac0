"""The documentation: every page is in the site's navigation, every link leads somewhere, and the tutorial is true.

``mkdocs build --strict`` checks links and anchors of the built site; these tests need no mkdocs.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from base64 import b64encode
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import pages
import wellfit
from wellfit.report.forms.tables import TABLES
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


def test_the_tables_of_the_how_to_are_all_there_are() -> None:
    (listed,) = re.findall(r"^Tables: (.*)\.$", (DOCS / "how-to" / "paper.md").read_text(), re.M)
    assert tuple(re.findall(r"`(\w+)`", listed)) == TABLES


def test_the_tutorial_teaches_files_and_commands_in_an_order_that_works() -> None:
    """What a command names has been made above it."""
    text = (DOCS / "tutorial.md").read_text()
    for command in pages.commands(text):
        before = text[: text.index(f"$ {command.line}")]
        named = re.findall(r"(?<= )([\w-]+\.(?:toml|py))(?= |$)", command.line)
        assert [name for name in named if f'title="{name}"' not in before] == [], command.line


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_notebook_becomes_a_page(tmp_path: Path) -> None:
    """Every kind of output; a long cell is folded, and nothing printed ends its block."""
    pixel = b"\x89PNG"
    outputs: list[dict[str, Any]] = [
        {"output_type": "stream", "name": "stdout", "text": "10 %\r\x1b[1m20 %\x1b[0m\n```\n"},
        {"output_type": "display_data", "data": {"image/png": b64encode(pixel).decode(), "text/plain": "A [B]\nC"}},
        {"output_type": "execute_result", "data": {"text/html": "<b>x</b>", "text/plain": "x"}},
        {"output_type": "execute_result", "data": {"text/markdown": "# L2\n\n## Formula\n", "text/plain": "x"}},
        {"output_type": "execute_result", "data": {"text/plain": "'y'"}},
    ]
    cells = [
        SimpleNamespace(cell_type="markdown", source="# Lab"),
        SimpleNamespace(cell_type="code", source="x", outputs=outputs),
        SimpleNamespace(cell_type="code", source="\n".join("x" * 30), outputs=[]),
    ]
    page = script("lab_pages").page(SimpleNamespace(cells=cells), "lab5", tmp_path / "lab5")
    assert (tmp_path / "lab5" / "1-1.png").read_bytes() == pixel
    assert page.split("\n\n")[:5] == [
        "# Lab",
        "```python\nx\n```",
        "````{ .text .output }\n20 %\n```\n````",
        "![A (B) C](lab5/1-1.png)",
        '<div class="output"><b>x</b></div>',
    ]
    assert "### L2\n\n#### Formula" in page
    assert "```{ .text .output }\n'y'\n```" in page
    assert '<details markdown="1"><summary>A cell of 30 lines</summary>' in page


@pytest.mark.parametrize("made", [[], ["lab5.md", "lab-512.md"]], ids=["none", "two"])
def test_the_site_shows_the_notebooks_that_were_made(tmp_path: Path, made: list[str]) -> None:
    hooks = script("site_hooks")
    (tmp_path / "notebooks").mkdir()
    for name in made:
        (tmp_path / "notebooks" / name).touch()
    config = SimpleNamespace(docs_dir=str(tmp_path), nav=[{"Start": "index.md"}, {"The labs": ["labs.md"]}])
    hooks.on_config(config)
    shown = hooks.on_page_markdown(
        "# Labs\n\n## lab5\n", page=SimpleNamespace(file=SimpleNamespace(src_uri="labs.md")), config=config
    )
    if made:
        pages = [{"lab5": "notebooks/lab5.md"}, {"lab-512": "notebooks/lab-512.md"}]
        assert config.nav[1]["The labs"] == ["labs.md", {"Executed notebooks": pages}]
        assert "[lab5](notebooks/lab5.md), [lab-512](notebooks/lab-512.md)" in shown
    else:
        assert config.nav[1]["The labs"] == ["labs.md"]
        assert shown == "# Labs\n\n## lab5\n"


@pytest.mark.slow
def test_the_tutorial_prints_what_it_shows() -> None:
    """In a process without the tests' compiler flags; decimals and bars may differ on another processor."""
    environment = {**os.environ, "XLA_FLAGS": "", "PYTHONPATH": f"{ROOT / 'src'}"}
    command = [sys.executable, str(ROOT / "tests" / "pages.py"), "--loose", str(DOCS / "tutorial.md")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    assert "!!! lacks" not in done.stdout, done.stdout
    assert "undecided" in done.stdout
