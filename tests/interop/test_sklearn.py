"""The estimator: scikit-learn's own checks, what it trains on and chooses, and its life among scikit-learn's tools."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.datasets import make_blobs
from sklearn.ensemble import AdaBoostClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import check_estimator, estimator_checks_generator

import wellfit
from wellfit import layers, logistic, mlp
from wellfit.base import EarlyStopping, Recipe
from wellfit.engine.train import _compiled
from wellfit.interop.sklearn import WellfitClassifier

Fit = Callable[..., WellfitClassifier]

X, Y = make_blobs(60, n_features=4, centers=3, cluster_std=3.0, random_state=1)
NAMES = np.array(["setosa", "versicolor", "virginica"])


def small(**settings: Any) -> WellfitClassifier:
    usual = {"model": (8,), "seeds": 2, "epochs": 10, "batch_size": 8, "random_state": 0}
    return WellfitClassifier(**{**usual, **settings})


@pytest.fixture(scope="module")
def fitted() -> WellfitClassifier:
    return small(seeds=3).fit(X, NAMES[Y])


# --- scikit-learn's checks --------------------------------------------------------------------------------------------

_OF_ONE_SHAPE = {
    *("check_methods_sample_order_invariance", "check_methods_subset_invariance", "check_dict_unchanged"),
    *("check_get_params_invariance", "check_set_params"),
    *("check_estimators_unfitted", "check_estimator_sparse_tag", "check_estimator_sparse_array", "check_fit1d"),
    *("check_estimator_sparse_matrix", "check_complex_data", "check_estimators_empty_data_messages"),
    *("check_classifiers_one_label", "check_classifiers_regression_target", "check_supervised_y_no_nan"),
    *("check_no_attributes_set_in_init", "check_parameters_default_constructible", "check_fit2d_1sample"),
    *("check_estimator_cloneable", "check_estimator_tags_renamed", "check_valid_tag_types", "check_estimator_repr"),
    *("check_do_not_raise_errors_in_init_or_set_params", "check_mixin_order", "check_requires_y_none"),
}
"""These train nothing, or on data of a shape for which one program is compiled; the slow test has all checks."""

CHECKS = [
    (check, estimator)
    for estimator, check in estimator_checks_generator(small(epochs=40))
    if check.func.__name__ in _OF_ONE_SHAPE
]


@pytest.mark.parametrize(("check", "estimator"), CHECKS, ids=[check.func.__name__ for check, _ in CHECKS])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_scikit_learns_checks(check: Any, estimator: WellfitClassifier) -> None:
    check(estimator)


def test_the_quick_checks_are_there() -> None:
    missing = _OF_ONE_SHAPE - {check.func.__name__ for check, _ in CHECKS}
    assert missing <= {"check_estimator_sparse_tag"}  # scikit-learn 1.6.0 does not have it yet


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [small(epochs=40), WellfitClassifier()], ids=["small", "defaults"])
def test_all_of_scikit_learns_checks(estimator: WellfitClassifier) -> None:
    """None may fail; the one that is skipped needs an environment variable, for every estimator."""
    done = check_estimator(estimator, on_skip=None, on_fail=None)
    assert [(one["check_name"], one["exception"]) for one in done if one["status"] == "failed"] == []
    assert {one["check_name"] for one in done if one["status"] != "passed"} <= {"check_array_api_input"}
    assert len(done) > 50


# --- What it trains on, and predicts with -----------------------------------------------------------------------------


def by_hand(classifier: WellfitClassifier, x: NDArray[Any]) -> NDArray[np.float64]:
    """The probabilities of each network of one hidden layer, in double precision.  # (S, N, K)"""
    of = []
    for network in classifier.model_.networks:
        w = {name: array.astype(np.float64) for name, array in network.weights.items()}
        scaled = (x - network.scaling.shift.astype(np.float64)) * network.scaling.factor
        hidden = np.maximum(scaled @ w["dense_1/kernel"] + w["dense_1/bias"], 0)
        logits = hidden @ w["dense_2/kernel"] + w["dense_2/bias"]
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        of.append(powers / powers.sum(axis=1, keepdims=True))
    return np.array(of)


def test_predictions_are_the_mean_of_the_networks(fitted: WellfitClassifier) -> None:
    expected = by_hand(fitted, X).mean(axis=0)
    probabilities = fitted.predict_proba(X)
    np.testing.assert_allclose(probabilities, expected, atol=2e-6)  # float32
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert probabilities.dtype == np.float64
    assert fitted.predict(X).tolist() == NAMES[expected.argmax(axis=1)].tolist()


def test_every_seed_holds_out_other_rows_and_no_row_is_a_test_row(fitted: WellfitClassifier) -> None:
    each, runs = by_hand(fitted, X), fitted.runs_
    held_out = []
    for network, probabilities, accuracy in zip(fitted.model_.networks, each, runs["validation_accuracy"], strict=True):
        mean = network.scaling.shift.astype(np.float64)  # of the 48 rows that it trains on
        rest = (X.sum(axis=0) - 48 * mean) / 12
        rows = fitted_rows(fitted, network.seed)
        np.testing.assert_allclose(rest, X[rows].mean(axis=0), atol=1e-4)  # 5 times float32's rounding of sums of 48
        assert accuracy == pytest.approx((probabilities.argmax(axis=1) == Y)[rows].mean())
        held_out.append(rows)
    assert len(np.unique(np.concatenate(held_out))) == 3 * 12
    assert fitted.validation_score_ == pytest.approx(runs["validation_accuracy"].mean())
    assert "not tested" in fitted.model_.origin.expected


def fitted_rows(classifier: WellfitClassifier, seed: int) -> NDArray[Any]:
    from wellfit.model.direct import held_out_rows

    first = min(network.seed for network in classifier.model_.networks)
    seeds = range(first, first + classifier.seeds)
    return held_out_rows(Y.astype(np.int32), seeds, 0.2, 5, first)[seed]


def test_what_fit_leaves(fitted: WellfitClassifier) -> None:
    assert fitted.classes_.tolist() == NAMES.tolist()
    assert (fitted.n_features_in_, fitted.n_iter_, fitted.variant_) == (4, 10, "baseline")
    assert fitted.history_.groupby("seed").size().tolist() == [10] * 3
    last = fitted.history_[fitted.history_["epoch"] == 10]
    assert last["validation_accuracy"].tolist() == pytest.approx(fitted.runs_["validation_accuracy"].tolist())
    assert "the only variant" in fitted.model_.summary()


def test_random_state_draws_the_seeds(fitted: WellfitClassifier) -> None:
    again = small(seeds=3).fit(X, Y)
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert sorted(again.runs_["seed"]) == sorted(fitted.runs_["seed"])
    other = small(seeds=3, random_state=1).fit(X, Y)
    assert not set(other.runs_["seed"]) & set(again.runs_["seed"])
    drawn = [set(small(random_state=None).fit(X, Y).runs_["seed"]) for _ in range(2)]
    assert not drawn[0] & drawn[1]
    assert small(seeds=[7, 3]).fit(X, Y).runs_["seed"].tolist() == [7, 3]


def test_any_number_of_rows_gets_the_same_probabilities(fitted: WellfitClassifier) -> None:
    many = np.tile(X, (40, 1))  # more than one batch of the predictions
    of_many = fitted.predict_proba(many)
    assert of_many.shape == (2400, 3)
    np.testing.assert_allclose(of_many[-60:], fitted.predict_proba(X), atol=1e-6)


# --- Its choice -------------------------------------------------------------------------------------------------------


def test_validation_chooses_among_variants() -> None:
    variants = {"still": {"learning_rate": 1e-8}, "learns": {"learning_rate": 0.02}, "slower": {"learning_rate": 1e-7}}
    classifier = small(variants=variants, seeds=4).fit(X, Y)
    assert classifier.variant_ == "learns"
    assert "above that of still" in classifier.model_.summary()
    assert len(classifier.runs_) == 12
    assert len(classifier.model_.networks) == 4
    of = classifier.runs_[classifier.runs_["variant"] == "learns"]
    assert classifier.validation_score_ == pytest.approx(of["validation_accuracy"].mean())
    alike = small(variants={"first": {}, "b": {"learning_rate": 1.01e-3}, "c": {"learning_rate": 1.02e-3}}, seeds=4)
    assert alike.fit(X, Y).variant_ == "first"
    assert "supports no other variant" in alike.model_.summary()


def test_early_stopping_ends_before_the_last_epoch() -> None:
    rule = EarlyStopping(patience=0, monitor="val_accuracy")
    classifier = small(early_stopping=rule, seeds=1).fit(X, Y)
    assert classifier.n_iter_ == len(classifier.history_) < 10
    as_table = small(early_stopping={"patience": 0, "monitor": "val_accuracy"}, seeds=1).fit(X, Y)
    assert (as_table.predict_proba(X) == classifier.predict_proba(X)).all()


def test_one_of_many_settings_has_nothing_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    def whole(*_: Any) -> Any:
        raise AssertionError("computed for each of the settings, from all of them")

    monkeypatch.setattr("wellfit.interop.sklearn._tables", whole)
    monkeypatch.setattr("wellfit.interop.sklearn._results", whole)
    monkeypatch.setattr("wellfit.model.direct.supported_variant", whole)
    each = small(epochs=2)._each(X, Y, [{"l2": l2} for l2 in (0.0, 0.1, 1.0)])
    assert [one.l2 for one in each if one is not None and one.n_iter_ == 2] == [0.0, 0.1, 1.0]
    assert not any(hasattr(one, name) for one in each for name in ("results_", "runs_", "history_"))


def test_class_weight_is_scikit_learns() -> None:
    y = np.where(Y == 0, np.arange(60) % 3, Y)
    counts = np.bincount(y)
    assert counts.min() < 10
    balanced = small(class_weight="balanced").fit(X, y)
    as_table = small(class_weight={k: 60 / (3 * counts[k]) for k in range(3)}).fit(X, y)
    as_variant = small(variants={"balanced": {"class_weights": "balanced"}}).fit(X, y)
    assert (as_table.predict_proba(X) == balanced.predict_proba(X)).all()
    assert (as_variant.predict_proba(X) == balanced.predict_proba(X)).all()
    plain = small().fit(X, y).predict_proba(X)[:, 0]
    assert (balanced.predict_proba(X)[:, 0] - plain).mean() > 0.01  # the rare class gains


def test_every_setting_of_train_is_a_parameter() -> None:
    """With the default of the recipe; only what a study says about its data is none."""
    parameters = {name: p.default for name, p in inspect.signature(WellfitClassifier).parameters.items()}
    plain = Recipe()
    for field in dataclasses.fields(Recipe):
        if field.name in ("examples", "label_noise", "class_weights", "model", "augmentation"):
            continue
        assert parameters[field.name] == getattr(plain, field.name), field.name
    assert parameters["model"] == plain.model.hidden
    assert parameters["augmentation"] is parameters["class_weight"] is None


# --- Models -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("given", "kind"), [((), "logistic"), (logistic(), "logistic"), ([8], "mlp"), (mlp(8), "mlp")])
def test_models_are_sizes_or_specifications(given: Any, kind: str) -> None:
    batch = 1000 if kind == "logistic" else 8  # all rows, where there are fewer
    model = small(model=given, seeds=1, batch_size=batch, epochs=1).fit(X, Y).model_
    assert (model.spec.kind, model.origin.recipe["batch_size"]) == (kind, min(batch, 48))


def test_images_are_rows_of_pixels() -> None:
    x = np.random.default_rng(0).normal(size=(60, 24))
    stack = [{"kind": "conv2d", "filters": 2}, {"kind": "flatten"}, {"kind": "dense", "units": 3}]
    classifier = small(model=layers(stack), input_shape=(6, 4), seeds=1, epochs=1).fit(x, Y)
    assert classifier.model_.form.shape == (6, 4)
    of_images = classifier.model_.predict_proba(x.reshape(60, 6, 4))
    np.testing.assert_allclose(classifier.predict_proba(x), of_images, atol=1e-6)
    with pytest.raises(ValueError, match=r"input_shape = \(7, 4\) does not fit rows of 24 features"):
        clone(classifier).set_params(input_shape=(7, 4)).fit(x, Y)
    with pytest.raises(ValueError, match=r"takes images.*give input_shape"):
        clone(classifier).set_params(input_shape=None).fit(x, Y)


# --- Among scikit-learn's tools ---------------------------------------------------------------------------------------


def test_a_pickle_needs_nothing_else(fitted: WellfitClassifier) -> None:
    again = pickle.loads(pickle.dumps(fitted))
    assert (again.predict_proba(X) == fitted.predict_proba(X)).all()
    assert clone(fitted).get_params() == fitted.get_params()
    assert not hasattr(clone(fitted), "model_")


def test_the_model_leaves_by_itself(fitted: WellfitClassifier, tmp_path: Any) -> None:
    frame = pd.DataFrame(X, columns=["a", "b", "c", "d"])
    classifier = small(seeds=3).fit(frame, NAMES[Y])
    assert classifier.feature_names_in_.tolist() == list("abcd")
    path = classifier.model_.save(tmp_path / "model.safetensors")
    loaded = wellfit.load(path)
    assert loaded.predict(frame[list("dcba")]).tolist() == classifier.predict(frame).tolist()
    assert loaded.evaluate(frame, NAMES[Y]).accuracy == pytest.approx(classifier.score(frame, NAMES[Y]))
    np.testing.assert_allclose(classifier.predict_proba(frame), fitted.predict_proba(X), atol=1e-6)


def test_in_a_pipeline_with_columns_of_text() -> None:
    frame = pd.DataFrame(X[:, :3], columns=["a", "b", "c"]).assign(kind=NAMES[Y])
    columns = ColumnTransformer(
        [("numbers", StandardScaler(), ["a"]), ("texts", OneHotEncoder(sparse_output=False), ["kind"])]
    )
    pipeline = make_pipeline(columns, small(epochs=20)).set_output(transform="pandas")
    pipeline.fit(frame, Y)
    assert pipeline[-1].feature_names_in_[0] == "numbers__a"
    assert pipeline.score(frame, Y) > 0.9
    assert cross_val_score(pipeline, frame, Y, cv=2).shape == (2,)


def test_a_grid_search_compiles_once() -> None:
    _compiled.cache_clear()  # of other tests
    search = GridSearchCV(small(epochs=2), {"learning_rate": np.logspace(-3, -1, 3)}, cv=2, refit=False).fit(X, Y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert _compiled.cache_info().currsize == 1  # all candidates and folds


# --- What it refuses --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"dropout": 1.5}, r"WellfitClassifier\(...\), dropout: must be at least 0 and less than 1, got 1.5"),
        ({"optimizer": "adm"}, "unknown optimizer 'adm'.*did you mean 'adam'"),
        ({"epochs": 0}, "epochs: must be"),
        ({"seeds": 0}, "seeds: must be"),
        ({"folds": 0}, "folds: must be"),
        ({"validation": 1.0}, "validation: must be"),
        ({"variants": {"a": {"l3": 1}}}, "unknown key 'l3'.*a"),
        ({"model": 64}, "model = 64: give the units of the hidden layers"),
        ({"model": (0,)}, "hidden"),
        ({"class_weight": "even"}, "class_weight"),
        ({"early_stopping": {"patience": 3}, "average": {"kind": "swa"}}, "swa"),
        ({"learning_rate": 1e38}, "every network diverged; choose a smaller learning_rate"),
    ],
)
def test_settings_that_cannot_be_used(settings: dict[str, Any], line: str) -> None:
    with pytest.raises(ValueError, match=line) as caught:
        small(**settings).fit(X, Y)
    assert "\n" not in str(caught.value)


def test_data_that_cannot_be_used(fitted: WellfitClassifier) -> None:
    with pytest.raises(ValueError, match=r"y has 1 class, 2; a classifier needs two"):
        small().fit(X, np.full(60, 2))
    with pytest.raises(ValueError, match="NaN"):
        small().fit(np.where(X > 0, np.nan, X), Y)
    with pytest.raises(TypeError, match="Sparse data was passed"):
        small().fit(csr_array(X), Y)
    with pytest.raises(ValueError, match="too large for float32"):
        fitted.predict(X * 1e300)


def test_weights_of_rows_are_refused() -> None:
    with pytest.raises(TypeError, match="sample_weight"):
        small().fit(X, Y, sample_weight=np.ones(60))
    with pytest.raises(ValueError, match="sample_weight"):
        AdaBoostClassifier(small()).fit(X, Y)


def test_a_class_may_have_one_row() -> None:
    y = np.where(np.arange(60) == 0, 9, Y % 2)
    classifier = small(epochs=2).fit(X, y)
    assert classifier.classes_.tolist() == [0, 1, 9]
    assert np.isfinite(classifier.predict_proba(X)).all()


def test_progress_is_shown_if_asked(capsys: pytest.CaptureFixture[str]) -> None:
    small(verbose=1, seeds=1).fit(X, Y)
    assert "Trained in" in capsys.readouterr().out
    small(seeds=1).fit(X, Y)
    assert capsys.readouterr() == ("", "")
