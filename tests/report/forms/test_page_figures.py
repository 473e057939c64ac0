from __future__ import annotations

from dataclasses import replace

from markupsafe import Markup

from detailed import NOTHING, details
from summaries import empty, study
from wellfit.report.forms.page_figures import short, static_figures
from wellfit.report.subjects.curves.page import shown_first


def test_everything_that_is_interactive_has_a_still_figure():
    summary = study(variants=("baseline", "l2"), epochs=4)
    found = static_figures(summary, details(summary))
    assert set(found) == {"loss", "accuracy", "gap", "norms", "paths", "reliability", "regions"}
    assert len(found["paths"]) == 1
    assert [(index, name) for index, name, _ in found["reliability"]] == [(0, "baseline"), (1, "l2")]


def test_nothing_is_drawn_of_a_study_without_runs():
    assert static_figures(empty(), NOTHING) == {"paths": [], "reliability": [], "regions": {}}


def test_of_fifty_variants_only_a_few_curves_are_drawn() -> None:
    few = study(variants=("baseline",), seeds=2, epochs=4)
    names = [f"variant-{at}" for at in range(50)]
    many = replace(
        few,
        variants=tuple(replace(few.variants[0], name=name) for name in names),
        histories=dict.fromkeys(names, few.histories["baseline"]),
    )
    norms = static_figures(many, NOTHING)["norms"]  # what matplotlib warns of is an error here
    assert sum(f">{name}</text>" in norms for name in names) == len(shown_first(many)) == 6


def test_only_paths_are_shortened():
    drawing = Markup('<svg viewBox="0 0 100.123 20.5"><text>1.23456</text><path d="M 0.049 -1.06"/></svg>')
    assert short(drawing) == '<svg viewBox="0 0 100.123 20.5"><text>1.23456</text><path d="M 0 -1.1"/></svg>'
