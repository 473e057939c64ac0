"""The verdicts and the pictures of docs/techniques, from study directories.

Every page holds marks, and this script writes what stands between a mark and the next ``<!-- end -->``:

- ``<!-- verdicts lab5:l2 regularization:l2/baseline -->`` a table of comparisons, STUDY:VARIANT or
  STUDY:VARIANT/AGAINST; without AGAINST, against the study's first variant;
- ``<!-- picture KIND STUDY:VARIANT,VARIANT -->`` a picture of these variants, or of all; KIND is a key of ``PICTURES``;
- ``<!-- index -->`` one row per page of the folder.

A sentence about a result is followed by ``<!-- holds worse lab5:l2 lab-512:l2 -->``: where one of these verdicts is
another one, nothing is written.

Run the studies first, each with ten seeds, then the script, which trains nothing:

    for study in lab5 lab-512 lab-lenet5 lab-optimizers lab-depth regularization; do
        wellfit run $study --seeds 10 --out techniques/$study
    done
    for part in schedules max-norm weight-decay shapes images; do
        wellfit run benchmarks/techniques.toml/$part --out techniques/$part
    done
    python benchmarks/techniques.py techniques/*
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wellfit.base import Comparison
from wellfit.narrative.metrics import change_bounds, points
from wellfit.report.marks.static import alt_text
from wellfit.report.wording import in_one_line, settings
from wellfit.results import Results

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAGES: Final = Path(__file__).parents[1] / "docs" / "techniques"
MARK: Final = re.compile(r"<!-- (verdicts|picture|index) ?(.*?) ?-->\n.*?<!-- end -->", re.S)
HOLDS: Final = re.compile(r"<!-- holds (\w+) (.*?) -->")
OUTCOMES: Final = ("better", "equivalent", "identical", "undecided", "worse")
DPI: Final = 100
HEAD: Final = (
    "| study | change | against | test accuracy, % | difference, points | verdict | gap, points | test loss |\n"
    "|---|---|---|---|---|---|---|---|"
)

Studies = Mapping[str, Results]


@dataclass(frozen=True)
class Page:
    """A technique's page: its file's name, its title, the settings it names first, and its comparisons."""

    name: str
    title: str
    setting: str
    comparisons: tuple[str, ...]


def main(folders: Sequence[str], pages: Path = PAGES) -> None:
    """Fill in all pages."""
    found = [Results(folder) for folder in folders]
    studies = {results.summary.name: results for results in found}
    files = sorted(path for path in pages.glob("*.md") if path.name != "index.md")
    known = [page(path) for path in files]
    for path in files:
        check(studies, path)
    for path in (*files, pages / "index.md"):
        print(path.name)
        path.write_text(MARK.sub(partial(_filled, studies, path, known), path.read_text()))


def page(path: Path) -> Page:
    """What the index says of a page."""
    text = path.read_text()
    keys = dict.fromkeys(
        re.findall(r"`([a-z_0-9]+)`", text.split("## Setting", 1)[1].split("\n\n", 2)[1].split(":")[0])
    )
    title = re.search(r"^# (.+)$", text, re.M)
    refs = [ref for kind, rest in re.findall(r"<!-- (verdicts) (.*?) -->", text) for ref in rest.split() if kind]
    assert title is not None
    return Page(path.name, title[1], ", ".join(f"`{key}`" for key in keys), tuple(refs))


def check(studies: Studies, path: Path) -> None:
    """Stop if a sentence of a page does not hold."""
    for verdict, refs in HOLDS.findall(path.read_text()):
        for ref in refs.split():
            if (found := comparison(studies, ref).verdict) != verdict:
                raise SystemExit(f"{path.name} says that {ref} is {verdict}, but it is {found}; correct the sentence")


def comparison(studies: Studies, ref: str) -> Comparison:
    """The comparison that STUDY:VARIANT or STUDY:VARIANT/AGAINST means."""
    study, _, names = ref.partition(":")
    summary = studies[study].summary
    for c in (*summary.comparisons, *summary.asked):
        if names in (f"{c.variant}/{c.against}", c.variant):
            return c
    raise SystemExit(f"{ref}: no such comparison in {studies[study].directory}")


def outcomes(studies: Studies, refs: Sequence[str]) -> Counter[str]:
    """How many comparisons came out how."""
    found = (comparison(studies, ref) for ref in refs)
    return Counter("identical" if c.identical else c.verdict for c in found)


def verdict_row(studies: Studies, ref: str) -> str:
    """A row of the table: what was changed, and what came of it."""
    summary, c = studies[ref.partition(":")[0]].summary, comparison(studies, ref)
    by_name = {variant.name: variant for variant in summary.variants}
    one, other = by_name[c.variant], by_name[c.against]
    own = {key: value for key, value in one.settings.items() if other.settings.get(key) != value}
    changed = in_one_line(settings(own))
    interval = (
        "" if c.interval is None or c.identical else " " + change_bounds(c.interval, c.metric).replace(" ", "\u00a0")
    )
    pairs = ((f"{scale * of.mean[metric]:.{digits}f}" for of in (other, one))
             for metric, scale, digits in (("test_accuracy", 100, 2), ("generalization_gap", 100, 1),
                                           ("test_loss", 1, 3)))  # fmt: skip
    accuracy, gap, loss = ("\u00a0→\u00a0".join(pair) for pair in pairs)
    verdict = "identical" if c.identical else f"**{c.verdict}**" if c.verdict != "undecided" else c.verdict
    cells = (
        f"{summary.name}, {summary.data}",
        f"`{changed}`" if changed else "without it",
        c.against,
        accuracy,
        points(c.difference, signed=True) + interval,
        verdict,
        gap,
        loss,
    )
    return f"| {' | '.join(cells)} |"


def verdicts(studies: Studies, refs: Sequence[str]) -> Iterator[str]:
    """The table of a page, and what it amounts to."""
    yield HEAD
    yield from (verdict_row(studies, ref) for ref in refs)
    yield ""
    counts = outcomes(studies, refs)
    said = ", ".join(f"{outcome} in {counts[outcome]}" for outcome in OUTCOMES if counts[outcome])
    seeds = sorted({len(studies[ref.partition(":")[0]].summary.seeds) for ref in refs})
    yield (
        f"{len(refs)} comparison{'s' if len(refs) > 1 else ''}: {said}. {' or '.join(map(str, seeds))} seeds; in "
        "brackets 95 % intervals, for new seeds and new test examples."
    )
    yield "Each interval covers one comparison, unadjusted; a verdict is adjusted for all comparisons of its study."
    yield "An arrow leads from the variant without the change to that with it; a gap is training minus test accuracy."


# --- Pictures ---------------------------------------------------------------------------------------------------------


def picture(results: Results, kind: str, names: Sequence[str]) -> Figure:
    """A picture of some variants of a study, in its order; of all without names."""
    chosen = [v for v in results.summary.variants if not names or v.name in names]
    assert not names or len(chosen) == len(names), f"{results.directory} lacks one of {names}"
    some = copy(results)
    some.summary = replace(results.summary, variants=tuple(chosen), ranking=(), comparisons=(), asked=())
    return PICTURES[kind](some)


def _side_by_side(results: Results, draw: Callable[[Results], Callable[..., Figure]], height: float) -> Figure:
    """One panel per variant."""
    from matplotlib.figure import Figure

    names = [v.name for v in results.summary.variants]
    figure = Figure(figsize=(5.4 * len(names), height), layout="constrained")
    for name, ax in zip(names, figure.subplots(1, len(names), squeeze=False).flat, strict=True):
        draw(results)(name, ax=ax)
    return figure


def _augmented(results: Results) -> Figure:
    """Forms of five training images that the variant learns from."""
    from wellfit.data.catalog import load_dataset
    from wellfit.report.subjects.data.static import plot_augmented
    from wellfit.store import open_existing
    from wellfit.study import preview

    with open_existing(results.directory) as store:
        spec = store.metadata.spec()
    dataset = load_dataset(spec.data.name_or_path, spec.data)
    images, labels = preview.examples(dataset, preview.class_rows(dataset, 1)[:5])
    augmentation = preview.augmentation_of(spec, results.summary.variants[0].name)
    forms = preview.augmented(images, preview.study_scaling(spec, dataset), augmentation, 8)
    return plot_augmented(images, forms, [dataset.classes[k] for k in labels], pixel_max=dataset.pixel_max)


def _rates(results: Results) -> Figure:
    """The learning rate of every epoch, relative to the highest of its variant."""
    from wellfit.report.marks import static as marks
    from wellfit.report.numbers import curve_data

    axes = marks.own_axes(None, (8.6, 3.6))
    names = [v.name for v in results.summary.variants]
    rates = [curve_data(results.summary, name, "learning_rate") for name in names]
    curves = [replace(c, **{part: getattr(c, part) / c.mean.max() for part in ("mean", "low", "high")}) for c in rates]
    marks.overlay(axes, results.summary, curves, 1.0, "learning rate, share of the highest")
    ends = "; ".join(f"{name} {c.mean[-1]:.2g}" for name, c in zip(names, curves, strict=True))
    return marks.done(axes, f"Learning rate by epoch as a share of the highest. In the last epoch: {ends}.")


PICTURES: Final[Mapping[str, Callable[[Results], Figure]]] = {
    "loss": lambda results: results.plot_curves("loss"),
    "accuracy": lambda results: results.plot_curves("accuracy"),
    "gap": lambda results: results.plot_gap(),
    "norms": lambda results: results.plot_weights(),
    "intervals": lambda results: results.plot_intervals(),
    "path": lambda results: results.plot_path(),
    "histograms": lambda results: _side_by_side(results, lambda r: r.plot_weights, 4.0),
    "reliability": lambda results: _side_by_side(results, lambda r: r.plot_reliability, 4.2),
    "augmented": _augmented,
    "rates": _rates,
}
"""Kind -> how a study is drawn."""


# --- Marks ------------------------------------------------------------------------------------------------------------


def _filled(studies: Studies, path: Path, known: Sequence[Page], mark: re.Match[str]) -> str:
    """A mark with what belongs below it."""
    kind, rest = mark[1], mark[2].split()
    if kind == "verdicts":
        lines = list(verdicts(studies, rest))
    elif kind == "picture":
        lines = [_pictured(studies, path, *rest)]
    else:
        lines = list(_index(studies, known))
    return "\n".join([mark[0].split("\n", 1)[0], "", *lines, "", "<!-- end -->"])


def _pictured(studies: Studies, path: Path, kind: str, ref: str) -> str:
    from wellfit.report.forms.figure_files import save_picture

    study, _, names = ref.partition(":")
    figure = picture(studies[study], kind, [name for name in names.split(",") if name])
    file = f"{path.stem}-{kind}.png"
    folder = path.parents[1] / "pictures"  # not beside the pages, which the package ships
    folder.mkdir(exist_ok=True)
    save_picture(figure, folder / file, DPI, alt_text(figure))
    alt = " ".join(alt_text(figure).replace("[", "(").replace("]", ")").split())
    return f"![{alt}](../pictures/{file})"


def _index(studies: Studies, known: Sequence[Page]) -> Iterator[str]:
    yield f"| technique | settings | {' | '.join(OUTCOMES)} |"
    yield "|---|---|---:|---:|---:|---:|---:|"
    for each in known:
        counts = outcomes(studies, each.comparisons)
        numbers = " | ".join(str(counts[outcome] or "–") for outcome in OUTCOMES)
        yield f"| [{each.title}]({each.name}) | {each.setting} | {numbers} |"


if __name__ == "__main__":
    main(sys.argv[1:])
