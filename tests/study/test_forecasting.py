"""What a command says before it trains."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stores
from small_studies import NOWHERE, few_points, messy, perceptrons, points, small
from wellfit.data.catalog import load_dataset
from wellfit.errors import OtherStudyError
from wellfit.nn.kernels.availability import NOT_INSTALLED
from wellfit.spec.study import study_from_mapping
from wellfit.study.planned import to_json
from wellfit.study.planning import Forecast
from wellfit.study.run import run_study
from wellfit.study.session import Session

CURVED: dict[str, Any] = {"baseline": {}, "dropout": {"dropout": 0.3}}
MIXED = "products in bfloat16, sums in float32"


def test_a_forecast_is_what_the_run_reports_and_writes_nothing(tmp_path: Path) -> None:
    variants = {**CURVED, "few": {"examples": 40}, "wrong": {"label_noise": 0.4}}
    spec, directory, reported = perceptrons(variants, precision="mixed"), tmp_path / "study", list[Forecast]()
    forecast = Session(spec, few_points(), directory).forecast
    assert stores.tree(tmp_path) == {}
    run_study(Session(spec, few_points(), directory), on_plan=reported.append)
    measured: dict[str, Any] = {"seconds": 0.0, "memory": 0, "between": (0.0, 0.0)}  # differ every time
    assert dataclasses.replace(forecast, **measured) == dataclasses.replace(reported[0], **measured)
    assert (forecast.plan.runs, forecast.done, forecast.precision) == (8, 0, MIXED)

    before = stores.tree(tmp_path)
    more = Session(dataclasses.replace(spec, seeds=(0, 1, 2)), few_points(), directory).forecast
    assert (more.plan.runs, more.done) == (4, 8)
    assert Session(spec, few_points(), directory).forecast.plan.runs == 0
    assert Session(spec, few_points(), directory, fresh=True).forecast.plan.runs == 8
    other = Session(perceptrons(variants), few_points(), directory)
    with pytest.raises(OtherStudyError, match=r"study: holds another study: \[train\] precision is \"mixed\" there"):
        other.forecast  # noqa: B018
    assert stores.tree(tmp_path) == before


def test_the_forecast_and_its_json_say_what_was_decided() -> None:
    session = Session(perceptrons({"a": {}}), messy(), NOWHERE)
    assert session.forecast.data == "people, from people.csv"
    assert to_json(session, "1")["facts"] == dict(session.facts) == dict(session.forecast.facts)
    assert list(session.facts[0]) == ["label column", "Churn, the last of 5 columns"]


def test_a_plan_warns_where_accuracy_says_little() -> None:
    plain = points()
    rare = dataclasses.replace(plain, y_train=(np.arange(len(plain.y_train)) < 4).astype(np.int32))
    (caution,) = Session(small(1), rare, NOWHERE).forecast.cautions
    assert caution.endswith("add --set compare.metric=balanced_accuracy")
    balanced = dataclasses.replace(small(1), metric="balanced_accuracy")
    assert Session(balanced, rare, NOWHERE).forecast.cautions == ()


@pytest.mark.parametrize(
    ("kind", "precision", "missing", "said"),
    [
        ("cnn", "float32", NOT_INSTALLED, True),
        ("mlp", "float32", NOT_INSTALLED, False),  # no convolutions
        ("cnn", "mixed", NOT_INSTALLED, False),  # for which there are no kernels
        ("cnn", "float32", "WELLFIT_KERNELS = off", False),  # as the user wants it
    ],
)
def test_a_forecast_says_once_that_convolutions_could_be_faster(
    kind: str, precision: str, missing: str, said: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("planning", "session", "forecasting"):
        monkeypatch.setattr(f"wellfit.study.{module}.obstacle", lambda: missing)
    train = {"epochs": 1, "precision": precision}
    spec = study_from_mapping({"data": {"name": "digits"}, "train": train, "model": {"kind": kind, "hidden": [4]}})
    cautions = [c for c in Session(spec, load_dataset("digits"), tmp_path / "s").forecast.cautions if "llvmlite" in c]
    expected = "llvmlite is not installed, so that convolutions take about twice as long; pip install 'wellfit[fast]'"
    assert cautions == ([f"{expected} adds it"] if said else [])
