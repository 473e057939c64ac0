from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import wellfit
from wellfit.report.forms.formats import PARTS
from wellfit.report.forms.notebook_helpers import HELPERS, helpers_for
from wellfit.report.notebook_steps import steps


def test_a_notebook_defines_what_its_cells_call_and_nothing_else() -> None:
    defined = {name: [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
               for name, source in HELPERS.items()}  # fmt: skip
    assert all(functions == [name] for name, functions in defined.items())
    source = helpers_for(["show_part('lab5/l2')"])
    assert [name for name in HELPERS if f"def {name}(" in source] == ["answers", "part", "show_part", "gaps"]
    used = {name for lab in ("lab5", "lab-512", "lab-optimizers", "lab-lenet5", "lab-depth", "study")
            for step in steps(lab) for name in HELPERS if f"{name}(" in step.code}  # fmt: skip
    assert used == set(HELPERS)


def names_of(results: wellfit.Results) -> dict[str, Any]:
    names: dict[str, Any] = {"results": results, "wellfit": wellfit, "Path": Path, "DIRECTORY": Path("study")}
    exec("".join(HELPERS.values()), names)
    return names


def test_gaps_and_late_epochs_are_those_of_the_results(
    finished_study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    results = wellfit.Results(finished_study)
    names = names_of(results)
    names["gaps"]()
    lines = capsys.readouterr().out.strip().splitlines()
    gaps = {v.name: 100 * v.mean["generalization_gap"] for v in results.summary.variants}
    assert [line.split(":")[0] for line in lines] == sorted(gaps, key=lambda name: gaps[name])
    assert all(f"gap {gaps[line.split(':')[0]]:.2f} points, test accuracy" in line for line in lines)
    variant = results.summary.variants[0]
    low, high = (100 * bound for bound in variant.interval["generalization_gap"] or (0, 0))
    names["gaps"](SimpleNamespace(summary=SimpleNamespace(variants=[replace(variant, runs=variant.runs * 2)])))
    assert f" points [{low:.2f}, {high:.2f}], " in capsys.readouterr().out
    names["still_improving"]()
    line = capsys.readouterr().out.splitlines()[0]
    runs = results.summary.variants[0].runs
    assert line.endswith(f"in {sum(run.best_epoch == run.epochs for run in runs)} of {len(runs)} runs")


def test_the_seed_of_a_tested_run(finished_study: Path) -> None:
    names = names_of(wellfit.Results(finished_study))
    assert names["tested_seed"]("l2") == 0
    assert names["tested_seed"]("nobody") is None


def test_a_part_stays_in_the_study_directory_where_the_pdf_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = names_of(None)  # type: ignore[arg-type]
    asked = []

    class Study:
        @staticmethod
        def from_toml(name: str, quick: bool) -> Any:
            asked.append((name, quick))
            return Study

        @staticmethod
        def run(place: Path) -> Path:
            return place

    monkeypatch.setitem(names, "wellfit", type("wellfit", (), {"Study": Study}))
    assert names["part"]("lab5/l2") == Path("study", PARTS, "lab5-l2-quick")
    assert names["part"]("lab5/l2", full=True) == Path("study", PARTS, "lab5-l2")
    names["FULL"] = True
    assert names["part"]("lab5/l2") == Path("study", PARTS, "lab5-l2")
    assert asked == [("lab5/l2", True), ("lab5/l2", False), ("lab5/l2", False)]
