"""The technique pages as the report quotes them: every page has its parts, and variants find theirs."""

from __future__ import annotations

import dataclasses
import re
import tomllib
from pathlib import Path

import pytest

from wellfit.base import Augmentation, Recipe
from wellfit.errors import UnknownNameError, WellfitError
from wellfit.narrative.techniques import Technique, _by_setting, technique, techniques, techniques_of
from wellfit.spec.study import load_study, resolved

ROOT = Path(__file__).parents[2]
PAGES = {path.stem: path.read_text() for path in (ROOT / "docs" / "techniques").glob("*.md") if path.stem != "index"}


def names(found: tuple[Technique, ...]) -> list[str]:
    return [page.name for page in found]


def test_every_page_is_read() -> None:
    assert names(techniques()) == sorted(PAGES)


@pytest.mark.parametrize("page", techniques(), ids=lambda page: page.name)
def test_its_parts_are_those_of_the_page(page: Technique) -> None:
    whole = PAGES[page.name]
    assert whole.startswith(f"# {page.title}\n")
    assert f"```text\n{page.formula}\n```" in whole
    assert page.settings
    assert page.summary.endswith(".")
    assert page.setting.endswith((".", ")"))
    for text in (page.summary, page.setting, page.given, page.text):
        assert not re.search(r"<!--|\]\(|!\[", text)
    assert not re.search(r"\n\n\n", page.text)
    assert re.findall(r"^## .*$", page.text, re.M) == re.findall(r"^## .*$", whole, re.M)
    assert re.findall(r"^\|.*$", page.text, re.M) == re.findall(r"^\|.*$", whole, re.M)


def test_what_a_page_says_of_its_picture_leaves_with_it() -> None:
    assert "The dotted line is" in PAGES["early-stopping"]
    assert "Each row shows" in PAGES["mixup"]
    assert "dotted" not in technique("early-stopping").text
    assert "Each row shows" not in technique("mixup").text


def test_every_setting_of_a_page_is_a_setting() -> None:
    def keys(kind: type) -> set[str]:
        return {field.name for field in dataclasses.fields(kind)}

    known = keys(Recipe) | keys(type(Recipe().model)) | keys(Augmentation)
    assert {key for page in techniques() for key in page.settings} <= known


def test_a_technique_is_found_by_name_and_by_setting() -> None:
    assert technique("early_stopping") == technique("early-stopping")
    assert technique("Dropout").name == "dropout"
    assert technique("mixup").name == "mixup"
    assert technique("augmentation").name == "augmentation"
    assert technique("proximal_l1").name == "l1"
    with pytest.raises(UnknownNameError, match="unknown technique 'dropuot'; did you mean 'dropout'"):
        technique("dropuot")


def test_a_copy_without_the_pages_reports_without_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.narrative.techniques._folder", lambda: tmp_path / "none")
    for cached in (techniques, _by_setting):
        cached.cache_clear()
    try:
        assert techniques_of([{"l2": 0.1}]) == ()
        with pytest.raises(WellfitError, match=r"lacks the technique pages.*; install it with pip"):
            technique("l2")
    finally:
        for cached in (techniques, _by_setting):
            cached.cache_clear()


def test_a_notebook_shows_the_whole_page() -> None:
    assert technique("l2")._repr_markdown_() == technique("l2").text


# --- What a study uses


@pytest.mark.parametrize(
    ("study", "used"),
    [
        ("lab5", ["l2", "dropout"]),
        ("lab-512", ["dropout", "l2", "l1", "early-stopping"]),
        ("lab-optimizers", ["dropout", "optimizers"]),  # the first in the base recipe
        ("lab-lenet5", ["dropout", "batch-normalization"]),
        ("lab-lenet5/as-published", ["dropout", "batch-normalization"]),  # layers of a list
        ("lab-depth", ["depth-and-width", "dropout"]),
        ("lab5/epochs", []),
    ],
)
def test_the_techniques_of_a_study(study: str, used: list[str]) -> None:
    spec = load_study(study)
    assert names(techniques_of(spec.variants.values(), resolved(spec)["base"])) == used


def test_an_augmentation_is_one_page_or_the_other() -> None:
    assert names(techniques_of([{"augmentation": {"shift": 0.1}}])) == ["augmentation"]
    assert names(techniques_of([{"augmentation": {"mixup": 0.2}}])) == ["mixup"]


def test_a_usual_recipe_uses_none() -> None:
    assert techniques_of([{}], dataclasses.asdict(Recipe())) == ()


def test_the_package_ships_the_pages_and_no_pictures() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    shipped = settings["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert shipped == {"docs/techniques": "wellfit/techniques"}
    assert {path.suffix for path in (ROOT / "docs" / "techniques").iterdir()} == {".md"}
