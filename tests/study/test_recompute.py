"""Recomputed numbers contradict a database that was changed."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import stores
from eventful import change
from wellfit.engine.packing import pack as packed
from wellfit.engine.packing import unpack as unpacked
from wellfit.store import Store
from wellfit.store.arrays import unpack, write_arrays
from wellfit.study.verify import verify_study


@pytest.mark.parametrize(
    ("statement", "what"),
    [
        ("UPDATE runs SET test_accuracy = test_accuracy + 1e-6 {}", "test accuracy is "),
        ("UPDATE runs SET test_loss = test_loss * 1.00001 {}", "test loss is "),
        ("UPDATE runs SET state = 'stopped' {}", "state is stopped, but finished when recomputed"),
        ("UPDATE runs SET readout_epoch = 11 {}", "readout epoch is 11, but 12 when recomputed"),
        ("UPDATE runs SET epochs = 11, readout_epoch = 11 {}", "12 epochs instead of 11"),
        ("UPDATE runs SET scores = replace(scores, '0.', '0.1') {}", "train accuracy (at its readout epoch) is "),
        ("UPDATE runs SET parameters = parameters + 1 {}", "parameters is "),
        ("UPDATE epochs SET weight_norm = weight_norm * 1.001 {} AND epoch = 12", "weight norm (at its readout"),
        ("UPDATE epochs SET small_weights = 0.5 {} AND epoch = 12", "small weights (at its readout epoch)"),
        ("UPDATE epochs SET validation_loss = NULL {} AND epoch = 4", "state is finished, but diverged"),
    ],
)
def test_a_wrong_number_is_named(statement: str, what: str, eventful_copy: Path) -> None:
    change(eventful_copy, statement.format("WHERE variant = 'plain' AND seed = 1"))
    problems = list(map(str, verify_study(eventful_copy).problems))
    assert any(p.startswith(f"study.db: variant 'plain', seed 1: {what}") for p in problems), problems


def test_the_stopping_rule_is_replayed(eventful_copy: Path) -> None:
    """A lower validation loss in an early epoch would have been the readout."""
    change(
        eventful_copy, "UPDATE epochs SET validation_loss = 1e-3 WHERE variant = 'stopping' AND seed = 0 AND epoch = 1"
    )
    problems = list(map(str, verify_study(eventful_copy).problems))
    assert any("variant 'stopping', seed 0: readout epoch is" in p and "but 1 when" in p for p in problems), problems


def test_a_wrong_histogram_is_named(eventful_copy: Path) -> None:
    path = eventful_copy / "weights" / "plain.1.npz"
    arrays = unpack(path.read_bytes())
    counts = unpacked(arrays["histograms/dense_1/kernel"], 12)  # (epochs, 1, BINS)
    counts[-1, 0, counts[-1, 0].argmax()] -= 1
    counts[-1, 0, 0] += 1
    sha256 = write_arrays(path, {**arrays, "histograms/dense_1/kernel": packed(counts)})
    change(eventful_copy, "UPDATE runs SET weights_sha256 = ? WHERE variant = 'plain' AND seed = 1", sha256)
    problems = list(map(str, verify_study(eventful_copy).problems))
    what = "study.db: variant 'plain', seed 1: histogram of dense_1/kernel (at its readout epoch) is ["
    assert [problem.startswith(what) for problem in problems].count(True) == 1, problems


def test_diverged_runs_have_no_test_results(eventful_copy: Path) -> None:
    sha256 = stores.rows(eventful_copy, "SELECT test_sha256 FROM runs WHERE variant = 'plain' AND seed = 0")[0][0]
    shutil.copy(eventful_copy / "test" / "plain.0.npz", eventful_copy / "test" / "wild.0.npz")
    values = "test_accuracy = 1, test_loss = 0, test_sha256 = ?"
    change(eventful_copy, f"UPDATE runs SET {values} WHERE variant = 'wild' AND seed = 0", sha256)
    problems = list(map(str, verify_study(eventful_copy).problems))
    assert any("variant 'wild', seed 0: tested although it diverged" in problem for problem in problems)
    assert any("variant 'wild', seed 0: test accuracy is 1.0" in problem for problem in problems)


@pytest.mark.parametrize(("name", "what"), [("mean", "mean"), ("comparisons", "'stopping' minus 'plain'")])
def test_a_wrong_summary_is_noticed(
    name: str, what: str, eventful_study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wellfit.study import verify
    from wellfit.study.summarize import summary_of

    def wrong(store: Store, *, again: bool) -> Any:
        summary = summary_of(store, again=again)
        if name == "mean":
            summary.variants[0].mean["test_accuracy"] += 1e-6  # type: ignore[index]
        else:
            object.__setattr__(summary.comparisons[0], "difference", summary.comparisons[0].difference + 1e-6)
        return summary

    monkeypatch.setattr(verify, "summary_of", wrong)
    problems = list(map(str, verify_study(eventful_study).problems))
    assert any(what in problem for problem in problems), problems
