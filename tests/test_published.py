"""The benchmarks of published numbers: their studies exist, their arithmetic holds, their page has a mark for each."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

import summaries
from wellfit.base import Comparison
from wellfit.spec.study import load_study

ROOT = Path(__file__).parents[1]
PENDING = "Not measured yet."


def benchmark(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published() -> ModuleType:
    return benchmark("published")


def test_its_studies_are_built_in_and_each_has_its_table(published: ModuleType) -> None:
    studies = [load_study(name) for name in published.STUDIES]
    assert all(study.published for study in studies)
    marks = list(published.MARK.finditer((ROOT / "docs" / "published.md").read_text()))
    assert {mark[1] for mark in marks} == {study.name for study in studies}
    assert [mark[1] for mark in marks if "\n| " not in mark[0] and PENDING not in mark[0]] == []


def test_every_published_number_is_in_the_page(published: ModuleType) -> None:
    marks = published.MARK.finditer((ROOT / "docs" / "published.md").read_text())
    tables = {mark[1]: mark[0] for mark in marks}
    for study in map(load_study, published.STUDIES):
        if PENDING in tables[study.name]:
            continue
        for variant, numbers in study.published.items():
            for value in numbers.values():
                assert f"| {value:.4f} |" in tables[study.name], (study.name, variant)


def test_a_number_is_consistent_if_one_run_could_have_been_it(published: ModuleType) -> None:
    summary = summaries.study(variants=("baseline", "dropout"))
    variant = summary.variants[0]
    runs = [run.test_accuracy for run in variant.runs]
    mean, half = np.mean(runs), 2.776 * np.std(runs, ddof=1) * np.sqrt(1 + 1 / 5)  # t(4)
    for distance, word in ((0.95, "yes"), (1.05, "**no**")):
        row = published.number_row(summary, variant, "test_accuracy", mean + distance * half)
        assert row.endswith(f"| {word} |")
        assert f"| {mean:.4f} |" in row
    assert published.number_row(summaries.study(variants=("baseline",), seeds=1), variant, "test_accuracy", 0.9)


def test_training_accuracy_is_the_one_that_keras_prints(published: ModuleType) -> None:
    summary = summaries.study(variants=("baseline", "dropout"))
    variant = summary.variants[1]
    printed = [float(h["running_accuracy"][-1]) for h in summary.histories["dropout"].values()]
    assert published.measured(summary, variant, "train_accuracy") == printed
    assert "| training accuracy, running |" in published.number_row(summary, variant, "train_accuracy", 0.9)


@pytest.mark.parametrize(
    ("verdict", "identical", "word"),
    [
        ("better", False, "**confirmed**"),
        ("worse", False, "**refuted**"),
        ("equivalent", False, "**refuted**"),
        ("equivalent", True, "**refuted**"),
        ("undecided", False, "undecided"),
    ],
)
def test_a_claim_stands_as_the_comparison_says(published: ModuleType, verdict: str, identical: bool, word: str) -> None:
    pair = Comparison("l2", "baseline", "test_accuracy", 0.01, (0.0, 0.02), 0.01, 0.01, verdict, identical)  # type: ignore[arg-type]
    assert published.standing(pair, "better") == word


def test_claims_are_the_published_differences_from_the_first(published: ModuleType) -> None:
    rows = list(published.claims(summaries.study(variants=("baseline", "l2", "l1", "dropout"))))
    assert [row.split(" | ")[:2] for row in rows] == [  # nothing was published of l1
        ["| l2 is worse than baseline", "-1.0"],
        ["| dropout is worse than baseline", "-0.3"],
    ]


def test_a_table_without_its_directory_stays(
    published: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "published.md"
    page.write_text(
        "Lab 5.\n<!-- published lab5 -->\n<!-- end -->\nMore.\n<!-- published other -->\nkept\n<!-- end -->\n"
    )
    summary = replace(summaries.study(variants=("baseline", "l2")), name="lab5")
    monkeypatch.setattr(published, "Results", lambda folder: SimpleNamespace(summary=summary))
    published.main(["anywhere"], page)
    text = page.read_text()
    assert "| baseline | test accuracy | 0.8835 |" in text
    assert "| l2 is worse than baseline | -1.0 |" in text
    assert "**Is the published winner confirmed?**" in text
    assert "<!-- published other -->\nkept\n<!-- end -->" in text


def test_the_document_of_verdicts_has_what_the_same_experiments_say(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    verdicts = benchmark("verdicts")
    made = summaries.study(variants=("baseline", "l2"))
    where = {**made.provenance, "processor": "a processor"}
    kept = {name: replace(made, name=name, provenance=where) for name in ("lab5-as-published", "lab5")}
    monkeypatch.setattr(verdicts, "summarize", lambda folder: kept[folder.name])
    verdicts.main(list(kept))
    text = capsys.readouterr().out
    assert text.index("| lab5 | Is the published winner") < text.index("## Published and measured")
    assert text.index("## Published and measured") < text.index("## The same experiments")
    assert "| lab5 | 5 | The published test accuracy is highest" in text
    assert "as-published |" not in text
