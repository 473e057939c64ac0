"""The technique pages of the documentation, as text: what each technique does, its formula and its settings.

The pages are ``docs/techniques/*.md`` and nowhere else; the installed package has a copy of that folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from wellfit.analysis.settings import flattened
from wellfit.base import Recipe, StudySummary
from wellfit.errors import UnknownNameError, WellfitError

__all__ = ["Technique", "technique", "techniques", "techniques_in", "techniques_of"]

_LINK: Final = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_PICTURE: Final = re.compile(r"^<!-- picture .*?<!-- end -->\n(?:\n[^#\n][^\n]*\n)?", re.M | re.S)
"""A picture, and the paragraph below it that says what it shows."""

_MARK: Final = re.compile(r"^ *<!--[^>]*-->\n| *<!--[^>]*-->", re.M)
"""Marks for the script that fills in the pages."""
_ALWAYS: Final = ("model.kind", "model.hidden", "model.layers", "optimizer", "learning_rate", "momentum")
"""What every recipe has."""


@dataclass(frozen=True)
class Technique:
    """A page of the documentation: a regularizer, an optimizer, or another choice that a variant can change.

    Args:
      name: of its file, for example ``"early-stopping"``.
      title: for example ``"Early stopping"``.
      settings: the keys of a study file that it has.
      summary: what it does, a paragraph of plain text.
      formula: as wellfit computes it, in lines of plain text.
      given: what the formula's letters mean, where it does not say so itself.
      setting: what values its settings take, a paragraph of plain text.
      text: the whole page as Markdown, without pictures and links.
    """

    name: str
    title: str
    settings: tuple[str, ...]
    summary: str
    formula: str
    given: str
    setting: str
    text: str

    def _repr_markdown_(self) -> str:
        """The whole page, for a notebook."""
        return self.text


@cache
def techniques() -> tuple[Technique, ...]:
    """Every technique that has a page, by name.

    Example:
      >>> [technique.name for technique in techniques()][:3]
      ['augmentation', 'batch-normalization', 'depth-and-width']
    """
    folder = _folder()
    if not folder.is_dir():  # only the modules were copied; a report does without
        return ()
    pages = sorted((page for page in folder.iterdir() if page.name.endswith(".md")), key=lambda page: page.name)
    found = [_read(page.name.removesuffix(".md"), page.read_text(encoding="utf-8")) for page in pages]
    return tuple(page for page in found if page is not None)


def technique(name: str) -> Technique:
    """A technique by its name, or by one of its settings.

    Args:
      name: for example ``"dropout"``, ``"early-stopping"`` or ``"batch_norm"``.

    Raises:
      UnknownNameError: no such technique.
      WellfitError: this installation has no pages.

    Example:
      >>> technique("l2").title, technique("batch_norm").name
      ('L2 penalty', 'batch-normalization')
    """
    known = {page.name: page for page in techniques()}
    if not known:
        raise WellfitError("this copy of wellfit lacks the technique pages, wellfit/techniques; install it with pip")
    page = known.get(name.lower().replace("_", "-")) or _by_setting().get(name)
    if page is None:
        raise UnknownNameError("technique", name, known)
    return page


def techniques_of(changes: Iterable[Mapping[str, Any]], base: Mapping[str, Any] | None = None) -> tuple[Technique, ...]:
    """The techniques that variants use, in the order of their first use.

    Args:
      changes: of each variant, as in a study file.
      base: the recipe that all of them share. Every recipe has an architecture and an optimizer: these count only
        where a variant changes them.

    Example:
      >>> changes = [{}, {"l2": 0.1}, {"model": {"batch_norm": True}}, {"augmentation": {"mixup": 0.2}}]
      >>> [technique.name for technique in techniques_of(changes, {"max_norm": 2.0, "optimizer": "sgd"})]
      ['max-norm', 'l2', 'batch-normalization', 'mixup']
    """
    usual = dict(flattened(asdict(Recipe())))
    shared = {key: value for key, value in flattened(base or {}) if key not in _ALWAYS and usual.get(key) != value}
    pages = _by_setting()
    used: dict[str, Technique] = {}
    for change in (shared, *changes):
        for key, value in flattened(change):
            *tables, name = key.split(".")
            layers = [dict(layer).get("kind", "") for layer in value] if key == "model.layers" else []
            for known in (name, *reversed(tables), *layers):
                if known in pages:
                    used.setdefault(pages[known].name, pages[known])
                    if known not in layers:
                        break
    return tuple(used.values())


def techniques_in(summary: StudySummary) -> tuple[Technique, ...]:
    """The techniques that a study's variants use, as `techniques_of` finds them."""
    if summary.elsewhere:  # their settings need not mean what those of the same names do here
        return ()
    return techniques_of([variant.settings for variant in summary.variants], summary.settings.get("base"))


# --- The pages --------------------------------------------------------------------------------------------------------


def _folder() -> Traversable:
    """The pages in the installed package, or else in the source folder."""
    installed = resources.files("wellfit").joinpath("techniques")
    return installed if installed.is_dir() else Path(__file__).parents[3] / "docs" / "techniques"


@cache
def _by_setting() -> dict[str, Technique]:
    """The page of each setting; of two that name it, the one that is named after it."""
    found: dict[str, Technique] = {}
    for page in techniques():
        for key in page.settings:
            if key not in found or page.name == key:
                found[key] = page
    return found


def _read(name: str, page: str) -> Technique | None:
    """A page in its parts; None for the index, which has none of them."""
    head, *rest = re.split(r"^## ", page, flags=re.M)
    sections = dict(section.split("\n", 1) for section in rest)
    if "Formula" not in sections:
        return None
    given, formula, *_ = re.split(r"^```(?:text)?\n", sections["Formula"], flags=re.M)
    setting = _plain(sections["Setting"].strip().split("\n\n")[0])
    keys = re.findall(r"`([a-z_0-9]+)`", sections["Setting"].strip().split(":")[0])
    text = _LINK.sub(r"\1", _MARK.sub("", _PICTURE.sub("", page)))
    return Technique(
        name,
        head.strip().removeprefix("# "),
        tuple(dict.fromkeys(keys)),
        _plain(sections["What it does"]),
        formula.rstrip("\n"),
        _plain(given),
        setting,
        re.sub(r"\n{3,}", "\n\n", text).strip() + "\n",
    )


def _plain(markdown: str) -> str:
    """A paragraph without links, marks and line breaks."""
    return " ".join(_LINK.sub(r"\1", markdown).replace("`", "").split())
