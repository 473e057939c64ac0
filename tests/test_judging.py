"""``wellfit.judge``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import wellfit
from predictions import LABELS, all_runs
from tracked import FIXTURES
from wellfit.errors import DataError
from wellfit.study.report_details import difference_between


def test_results_are_those_of_a_study():
    curves = pd.DataFrame(
        [(n, s, e, "loss", split, 1 / e)
         for n in all_runs(2) for s in (0, 1) for e in (1, 2, 3) for split in ("train", "val")],
        columns=["variant", "seed", "epoch", "metric", "split", "value"],
    )  # fmt: skip
    names = ["cat", "dog", "eel"]
    results = wellfit.judge(
        np.array(names)[LABELS],
        all_runs(2),
        class_names=names,
        baseline="l1",
        curves=curves,
        settings={"l2": {"lr": 1}},
    )
    assert isinstance(results, wellfit.Results)
    assert [v.name for v in results.summary.variants] == ["l1", "baseline", "l2"]
    assert results.summary.classes == ("cat", "dog", "eel")
    assert len(results.runs()) == 6
    assert len(results.history()) == 18
    assert len(results.per_class()) == 9
    assert "l2" in repr(results.compare())


def test_paths_are_judged_as_on_the_command_line():
    place = FIXTURES / "keras" / "csv"
    results = wellfit.judge(
        None, place, tracked=wellfit.Tracked(accuracy="val_accuracy"), settings={"units=2": {"a": 1}}
    )
    assert len(results.history()) == 12
    files = sorted(place.glob("*.csv"))
    assert len(wellfit.judge(None, files, tracked=wellfit.Tracked(accuracy="val_accuracy")).runs()) == len(files) > 2
    with pytest.raises(DataError, match="its name may end in a seed or in a decimal number; name all runs as in"):
        wellfit.judge(None, files[:2], tracked=wellfit.Tracked(accuracy="val_accuracy"))


@pytest.mark.parametrize(
    ("y", "predictions", "more", "message"),
    [
        (LABELS, "runs", {}, "y_test beside a path; files hold their own"),
        (None, ["runs"], {"seeds": [1]}, "seeds beside a path"),
        (LABELS, all_runs(2), {"tracked": wellfit.Tracked()}, "tracked beside predictions"),
        (LABELS, all_runs(2), {"X": LABELS}, "X is for results of cross_validate"),
        (LABELS, {"a": {"fit_time": [1]}}, {"folds": [[1]]}, "folds beside results of cross_validate"),
    ],
)
def test_arguments_that_do_not_belong_together_are_one_line(y: Any, predictions: Any, more: Any, message: str):
    with pytest.raises(wellfit.WellfitError, match=message):
        wellfit.judge(y, predictions, **more)


@pytest.mark.parametrize("form", ["html", "md", "pdf", "ipynb"])
@pytest.mark.parametrize("kind", ["probabilities", "classes", "accuracies"])
def test_every_form_shows_what_is_known(tmp_path: Path, form: str, kind: str):
    runs = all_runs(2)
    if kind == "classes":
        runs = {name: [p.argmax(axis=1) for p in of] for name, of in runs.items()}
    if kind == "accuracies":
        known = {n: [float(np.mean(p.argmax(axis=1) == LABELS)) for p in of] for n, of in runs.items()}
        results = wellfit.judge(None, known)
    else:
        results = wellfit.judge(LABELS, runs)
    path = results.report(tmp_path / f"report.{form}")
    if form in ("pdf",):
        assert path.read_bytes().startswith(b"%PDF")
        return
    text = path.read_text()
    assert ("Only the accuracy of each run is known" in text) == (kind == "accuracies")
    assert ("Only the predicted classes are known" in text) == (kind == "classes")
    for never in ("base recipe", "wellfit run", "--until-decided", "learning_rate", " 0 test examples"):
        assert never not in text.split("<script")[0], never


def test_what_is_not_known_is_refused_or_missing():
    runs = all_runs(2)
    classes = wellfit.judge(LABELS, {name: [p.argmax(axis=1) for p in of] for name, of in runs.items()})
    assert classes.mistakes()["probability"].isna().all()
    shown = classes.predictions(5)
    assert shown[["0", "1", "2", "probability"]].isna().all(axis=None)
    assert (shown["argmax"] == runs["baseline"][0].argmax(axis=1)[:5]).all()
    alone = wellfit.judge(None, {"a": [0.8, 0.9], "b": [0.7, 0.9]})
    with pytest.raises(wellfit.WellfitError, match="only accuracies are known, so there are no predictions"):
        alone.predictions([0, 1])
    with pytest.raises(wellfit.WellfitError, match="nothing is known of their validation accuracy"):
        alone.best()
    with pytest.raises(wellfit.WellfitError, match="only accuracies are known, so there is no confusion matrix"):
        difference_between(alone.directory, "b", "a")
