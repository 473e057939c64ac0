"""How a study and its results show themselves in a notebook, before and after it runs.

The HTML needs nothing outside its output cell: names are escaped, text has the notebook's own color, and the series
have the light or dark palette, depending on the notebook's theme.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from wellfit import errors
from wellfit.base import StudySummary
from wellfit.report import wording
from wellfit.report.marks.colors import DARK, LIGHT
from wellfit.report.marks.svg import inline_svg
from wellfit.report.notes import notices
from wellfit.report.subjects.ranking.static import plot_intervals
from wellfit.report.subjects.results.numbers import VariantRow, variant_rows
from wellfit.spec.study import StudySpec, recipes

__all__ = ["results_html", "study_html"]

DARK_THEMES: Final = (
    "[data-jp-theme-light=false]",
    ".vscode-dark",
    "html[theme=dark]",
    "[data-theme=dark]",
    "[data-bs-theme=dark]",
)
"""How JupyterLab and Notebook, VS Code, Colab, Sphinx and Quarto mark a dark theme."""

TEXT: Final = {
    "ink": "currentColor",
    "muted": "color-mix(in srgb, currentColor 68%, transparent)",
    "rule": "color-mix(in srgb, currentColor 18%, transparent)",
    "paper": "transparent",
}
"""Roles whose color derives from the notebook's own; the others come from the palettes."""

COLORS: Final = {role: TEXT.get(role) or f"var(--wellfit-{role}, {color})" for role, color in LIGHT.items()}
"""Role -> CSS color: a custom property that no theme uses, light by default; text takes the notebook's color."""

STYLE: Final = (
    ".wellfit{max-width:60em;font-size:13px;line-height:1.5;overflow-x:auto}"
    ".wellfit table{border-collapse:collapse;margin:.6em 0;color:inherit;font:inherit}"
    ".wellfit td{font-variant-numeric:tabular-nums}"
    ".wellfit th,.wellfit td{padding:.25em 1em .25em 0;text-align:left;vertical-align:top;background:none}"
    ".wellfit thead th{font-weight:400;opacity:.68;border-bottom:1px solid}"
    ".wellfit tbody th{font-weight:600}"
    ".wellfit tr{background:none}"
    ".wellfit p{margin:.4em 0}"
    ".wellfit .quiet{opacity:.68}"
    ".wellfit svg{max-width:46em;width:100%;height:auto;display:block}"
)


# --- What a cell shows ------------------------------------------------------------------------------------------------


def results_html(summary: StudySummary, report: Path | None = None) -> str:
    """A study's results as a notebook shows them: the answer, a small table, an interval plot.

    Args:
      summary: in any state.
      report: the report's file, if it was written.

    Returns:
      HTML that needs nothing outside itself.
    """
    runs = [run for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for run in runs)
    figures = (
        f"{summary.data}, {wording.count(len(summary.seeds), 'seed')}, {ended} of {len(runs)} runs, {summary.state}"
    )
    where = (
        f"The report: {report}" if report else "results.report() writes the report; results.table() has all numbers."
    )
    rows = variant_rows(summary)
    known = any(row.test.interval for row in rows)
    over = "the seeds" if summary.accuracies_alone else "seeds and test examples; of validation over the seeds"
    legend = f"Brackets: 95 % intervals, over {over}. " if known else ""
    headings = ("variant", wording.compared(summary), "verdict", "validation accuracy", "gap, points", "best epoch")
    parts = [
        f"<p><b>{escape(summary.title)}</b><br><span class=quiet>{escape(figures)}</span></p>",
        *(f"<p><em>{escape(notice)}</em></p>" for notice in notices(summary)),
        *(f"<p>{escape(part)}</p>" for part in re.split(r"\n\s*\n", summary.verdict) if part.strip()),
        _table(headings, [_row(row) for row in rows]),
        str(inline_svg(plot_intervals(summary), COLORS)),
        f"<p class=quiet>{escape(legend + where)}</p>",
    ]
    return errors.escaped(_page(parts))


def study_html(spec: StudySpec, data_title: str | None = None) -> str:
    """A study as a notebook shows it before it runs: the question, the variants, and what ``run()`` will do.

    Args:
      data_title: of its data, if they are at hand; otherwise their name or path is shown.

    Returns:
      HTML that needs nothing outside itself.
    """
    variants = recipes(spec)
    seeds, most = len(spec.seeds), max(recipe.epochs for recipe in variants.values())
    model = spec.base.model
    figures = {
        "data": data_title or spec.data.name_or_path,
        "model": f"{model.kind} {'-'.join(map(str, model.hidden))}".rstrip(),
        "training": f"{spec.base.optimizer}, batch size {spec.base.batch_size}, {spec.base.epochs} epochs",
        "seeds": ", ".join(map(str, spec.seeds[:10])) + (" …" if len(spec.seeds) > 10 else ""),
    }
    first = next(iter(variants))
    counted = f"{wording.count(len(variants), 'variant')}, {wording.count(seeds, 'seed')}"
    runs = f"{wording.count(len(variants) * len(spec.seeds), 'run')} ({counted})"
    does = (
        f"run() trains {runs} of at most {wording.count(most, 'epoch')}, opens the test set once, and compares the "
        f"variants with {first}. run(out=FOLDER) keeps everything there, and continues an interrupted study."
    )
    rows = [(_head(name), _cell(wording.in_one_line(wording.settings_or_none(changes, elsewhere=spec.elsewhere))))
            for name, changes in spec.variants.items()]  # fmt: skip
    parts = [
        f"<p><b>{escape(spec.title)}</b></p>",
        _table((), [(_head(key), _cell(value)) for key, value in figures.items()]),
        _table(("variant", "what it changes"), rows),
        f"<p class=quiet>{escape(does)}</p>",
    ]
    return errors.escaped(_page(parts))


# --- Parts ------------------------------------------------------------------------------------------------------------


def _row(row: VariantRow) -> tuple[str, ...]:
    best = row.best_epoch
    return (
        _head(row.name),
        _cell(row.test.mean, row.test.interval, "b"),
        _cell(row.verdict),
        _cell(row.validation.mean, row.validation.interval),
        _cell(row.gap.mean, row.gap.interval),
        _cell(f"{best.mean} ({best.interval})" if best.interval else best.mean),
    )


def _table(headings: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope=col>{escape(heading)}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return f"<table>{f'<thead><tr>{head}</tr></thead>' if headings else ''}<tbody>{body}</tbody></table>"


def _page(parts: list[str]) -> str:
    colors = ";".join(f"--wellfit-{role}:{color}" for role, color in DARK.items() if role not in TEXT)
    dark = ",".join(f"{theme} .wellfit" for theme in DARK_THEMES)
    return f"<div class=wellfit><style>{STYLE}{dark}{{{colors}}}</style>{''.join(parts)}</div>"


def _head(text: str) -> str:
    return f"<th scope=row>{escape(text)}</th>"


def _cell(text: str, bounds: str = "", tag: str = "span") -> str:
    """A cell, and after it an interval in a quieter tone."""
    quiet = f" <span class=quiet>{escape(bounds)}</span>" if bounds else ""
    return f"<td><{tag}>{escape(text)}</{tag}>{quiet}</td>"
