"""The data kept for reports: sufficient, as bytes over the data's range, and updated when a study grows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wellfit
from small_studies import NOWHERE, messy
from wellfit.base import Column, Dataset
from wellfit.data.assemble import make_dataset
from wellfit.engine.predicting import predict_proba
from wellfit.spec.study import StudySpec, study_from_mapping
from wellfit.store import open_existing
from wellfit.store.keepsakes import KEEPSAKES
from wellfit.study import report_data
from wellfit.study.predictions import Probabilities
from wellfit.study.report_details import study_details
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summary_of

Kept = tuple[dict[str, np.ndarray], dict[str, Any]]


def study(seeds: int = 2, scale: str = "unit", **variants: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "made", "scale": scale},
            "model": {"kind": "logistic"},
            "train": {"epochs": 2, "batch_size": 32, "seeds": seeds, "learning_rate": 0.01},
            "variants": {"baseline": {}, **variants},
        }
    )


def pictures(scale: float, shape: tuple[int, ...] = (4, 4), dtype: type = np.float32) -> Dataset:
    """Three classes of noisy images whose pixels reach from 0 to ``scale``."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1, 2], [60, 60, 5])
    means = rng.uniform(0, 1, (3, *shape))
    x = np.clip(means[y] + rng.normal(0, 0.5, (125, *shape)), 0, 1) * scale
    return make_dataset(x[::2].astype(dtype), y[::2], x[1::2].astype(dtype), y[1::2], name="made", pixel_max=scale)


def kept(dataset: Dataset, directory: Path, spec: StudySpec | None = None) -> Kept:
    run_study(Session(spec or study(), dataset, directory))
    with open_existing(directory) as store:
        found = store.keepsakes.load()
    assert found is not None
    return found


@pytest.mark.parametrize(("scale", "dtype"), [(255, np.uint8), (16, np.float32)])
def test_pictures_are_bytes_of_the_datas_own_range(scale: int, dtype: type, tmp_path: Path) -> None:
    dataset = pictures(scale, dtype=dtype)
    arrays, facts = kept(dataset, tmp_path / "study")
    assert arrays["images"].dtype == np.uint8
    rows = arrays["image_rows"]
    expected = dataset.x_test[rows].astype(float) * (255 / scale)
    assert np.abs(arrays["images"] - expected).max() <= 0.5 + 1e-6  # rounded once
    with open_existing(tmp_path / "study") as store:
        predicted = [tested.probabilities.argmax(axis=1) for tested in Probabilities(store, "baseline", (0, 1))]
        wrong = (np.stack(predicted) != dataset.y_test).any(axis=0)
    assert rows.tolist() == np.flatnonzero(wrong).tolist()  # so few that all of them are kept
    assert facts["shape"] == [4, 4]
    assert facts["rows"] == []
    assert not {"x1", "points"} & arrays.keys()


def test_examples_are_the_first_of_every_class_and_black_where_there_are_fewer(tmp_path: Path) -> None:
    dataset = pictures(255, dtype=np.uint8)
    arrays, _ = kept(dataset, tmp_path / "study")
    assert arrays["examples"].shape == (3, 10, 4, 4)
    for label, count in ((0, 10), (1, 10), (2, 3)):
        np.testing.assert_array_equal(
            arrays["examples"][label, :count], dataset.x_train[dataset.y_train == label][:count]
        )
        assert not arrays["examples"][label, count:].any()


def test_every_split_is_counted(tmp_path: Path) -> None:
    dataset = pictures(255, dtype=np.uint8)
    arrays, _ = kept(dataset, tmp_path / "study")
    splits = Session(study(), dataset, NOWHERE).splits
    assert arrays["count/train"].tolist() == np.bincount(dataset.y_train[splits.train]).tolist()
    assert arrays["count/validation"].tolist() == np.bincount(dataset.y_train[splits.validation], minlength=3).tolist()
    assert arrays["count/test"].tolist() == np.bincount(dataset.y_test).tolist()


def test_examples_that_no_run_learns_from_count_apart(tmp_path: Path) -> None:
    dataset = pictures(255, dtype=np.uint8)
    arrays, plain = kept(dataset, tmp_path / "study", study(baseline={"examples": 40}, less={"examples": 35}))
    assert "count/unused" not in kept(dataset, tmp_path / "whole")[0]
    assert (arrays["count/train"].sum(), arrays["count/unused"].sum()) == (40, 10)
    split = np.bincount(dataset.y_train[Session(study(), dataset, NOWHERE).splits.train])
    assert (arrays["count/train"] + arrays["count/unused"]).tolist() == split.tolist()
    assert plain["total"] == 125
    assert ["training examples", "35 to 40 of the 50 in each training split, depending on the variant"] in plain[
        "facts"
    ]
    with open_existing(tmp_path / "study") as store:
        assert store.metadata.note("per_class") == arrays["count/train"].tolist()


@pytest.mark.parametrize(("channels", "shown"), [(1, (2, 4, 4)), (3, (2, 4, 4, 3)), (4, (2, 4, 4, 3))])
def test_colors_are_kept_and_transparency_is_not(channels: int, shown: tuple[int, ...]) -> None:
    images = np.arange(2 * 16 * channels).reshape(2, 4, 4, channels)
    found = report_data.as_bytes(images, 0, 255)
    assert found.shape == shown
    np.testing.assert_array_equal(found, images[..., : shown[-1]] if channels > 1 else images[..., 0])
    assert report_data.are_images((4, 4, channels))


def test_images_of_one_shade_are_black() -> None:
    assert not report_data.as_bytes(np.full((1, 2, 2), 7.0), 7, 7).any()


def test_what_cannot_be_shown_is_left_out(tmp_path: Path) -> None:
    arrays, facts = kept(pictures(255, (4, 4, 2), np.uint8), tmp_path / "study")
    assert set(arrays) == {"count/train", "count/validation", "count/test"}
    assert facts["rows"] == []


def test_pixels_without_a_known_largest_value_span_the_training_images(tmp_path: Path) -> None:
    dataset = pictures(1)
    dataset = replace(dataset, pixel_max=None, x_train=dataset.x_train * 5 - 2, x_test=dataset.x_test * 5 - 2)
    arrays, _ = kept(dataset, tmp_path / "study", study(scale="standardize"))
    low, high = dataset.x_train.min(), dataset.x_train.max()
    expected = (dataset.x_test[arrays["image_rows"]] - low) * (255 / (high - low))
    assert np.abs(arrays["images"] - np.clip(expected, 0, 255)).max() <= 0.5 + 1e-3  # float32 pixels


def test_large_pictures_are_kept_in_smaller_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_data, "_BYTES", 5 * 16 + 3)
    arrays, _ = kept(pictures(255, dtype=np.uint8), tmp_path / "study")
    assert len(arrays["images"]) == len(arrays["image_rows"]) == 5


def test_a_table_shows_some_of_its_rows(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(80, 14)), np.repeat([0, 1], 40)
    dataset = make_dataset(x, y, x, y, name="made", classes=("no", "yes"))
    arrays, facts = kept(dataset, tmp_path / "study", study(scale="standardize"))
    head, *rows = facts["rows"]
    assert head == [*(f"x{i}" for i in range(1, 13)), "…", "class"]
    assert len(rows) == 5
    assert {row[-1] for row in rows} == {"no", "yes"}  # spread over rows that are sorted by class
    first = Session(study(scale="standardize"), dataset, NOWHERE).splits.train[0]
    assert [float(cell) for cell in rows[0][:12]] == pytest.approx(x[first, :12], rel=1e-3)  # four digits
    assert "images" not in arrays


def test_two_features_have_the_answers_of_every_run_on_a_grid(tmp_path: Path) -> None:
    dataset = wellfit.load_dataset("cosines:0.5")
    spec = study_from_mapping(
        {
            "data": {"name": "cosines:0.5", "scale": "standardize"},
            "model": {"hidden": [4]},
            "train": {"epochs": 1, "seeds": 2},
            "variants": {"baseline": {}, "l2": {"l2": 0.1}},
        }
    )
    arrays, facts = kept(dataset, tmp_path / "study", spec)
    assert facts["distance"] == 0.5
    assert arrays["points"].shape == (500, 2)
    assert np.bincount(arrays["point_labels"]).tolist() == [250, 250]
    assert arrays["x1"][0] < dataset.x_train[:, 0].min() < dataset.x_train[:, 0].max() < arrays["x1"][-1]
    assert arrays["grid/l2"].shape == (2, 101, 101, 2)
    ready = Session(spec, dataset, NOWHERE)
    with open_existing(tmp_path / "study") as store:
        (record,) = (r for r in store.runs.records() if (r.spec.variant, r.spec.seed) == ("l2", 1))
        at = np.array([[arrays["x1"][70], arrays["x2"][20]]], np.float32)
        alone = predict_proba(record.spec.recipe.model, store.runs.weights("l2", 1), at, 2, ready.fold(1).data.scaling)
    np.testing.assert_allclose(arrays["grid/l2"][1, 20, 70], alone[0], atol=1e-5)  # [seed, x2, x1], float32


def test_only_points_on_the_curves_are_said_to_be_on_them() -> None:
    x1 = np.linspace(-3, 3, 20)
    x, y = np.stack([x1, np.cos(x1)], axis=1), np.zeros(20, int)
    y[10:] = 1
    x[10:, 1] += 2
    assert report_data.cosine_distance(x, y) == 2
    x[3, 1] += 0.01
    assert report_data.cosine_distance(x, y) is None
    assert report_data.cosine_distance(x[:3], y[:3]) is None  # one curve alone has no distance
    assert report_data.cosine_distance(x, np.arange(20) % 3) is None


def test_a_study_that_grows_keeps_for_all_its_runs_and_one_that_does_not_is_left_alone(tmp_path: Path) -> None:
    directory, dataset = tmp_path / "study", pictures(255, dtype=np.uint8)
    before, facts = kept(dataset, directory)
    written = (directory / KEEPSAKES).stat().st_mtime_ns
    _, same = kept(dataset, directory)
    assert (directory / KEEPSAKES).stat().st_mtime_ns == written
    assert same == facts
    spec = study(seeds=3, other={"learning_rate": 1e-9})
    grown, more = kept(dataset, directory, spec)
    assert more["of"] != facts["of"]
    assert set(before["image_rows"]) < set(grown["image_rows"])
    at_once, whole = kept(dataset, tmp_path / "at once", spec)
    assert {**whole, "of": ""} == {**more, "of": ""}  # the probabilities may differ in the last bits, see ARCHITECTURE
    assert all(np.array_equal(at_once[name], grown[name]) for name in grown)


def test_a_study_without_keepsakes_or_with_damaged_ones_gets_them_when_it_is_run_again(tmp_path: Path) -> None:
    directory, dataset = tmp_path / "study", pictures(255, dtype=np.uint8)
    arrays, _ = kept(dataset, directory)
    (directory / KEEPSAKES).write_bytes(b"damaged")
    with open_existing(directory) as store:
        assert store.keepsakes.load() is None
    (directory / KEEPSAKES).unlink()
    with open_existing(directory) as store:
        assert store.keepsakes.load() is None
    assert np.array_equal(kept(dataset, directory)[0]["images"], arrays["images"])


def test_fresh_removes_them(tmp_path: Path) -> None:
    directory = tmp_path / "study"
    kept(pictures(255, dtype=np.uint8), directory)
    wellfit.store.fresh(directory)
    assert not (directory / KEEPSAKES).exists()
    shutil.rmtree(directory)


def test_before_the_test_set_is_opened_nothing_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wellfit.study.run._open_test_set", lambda *given: None)
    run_study(Session(study(), pictures(255, dtype=np.uint8), tmp_path / "study"))
    with open_existing(tmp_path / "study") as store:
        assert store.keepsakes.load() is None


# --- Tables -----------------------------------------------------------------------------------------------------------


def kept_of(dataset: Dataset, directory: Path) -> tuple[Kept, Session]:
    session = Session(study(scale="auto"), dataset, directory)
    run_study(session)
    with open_existing(directory) as store:
        kept = store.keepsakes.load()
    assert kept is not None
    return kept, session


def test_rows_of_a_table_are_readable_and_facts_are_kept(tmp_path: Path) -> None:
    data = messy()
    (_, plain), session = kept_of(data, tmp_path / "study")
    head, *rows = plain["rows"]
    assert head == ["age", "city", "planet", "height", "class"]
    chosen = session.splits.train[np.linspace(0, len(session.splits.train) - 1, 5).round().astype(int)]
    for row, i in zip(rows, chosen, strict=True):
        x = data.x_train[i]
        assert row[1] == ("" if np.isnan(x[1]) else data.columns[1].categories[int(x[1])])
        assert row[0] == ("" if np.isnan(x[0]) else f"{x[0]:.4g}")
        assert row[2] == "1"
        assert row[4] in ("no", "yes")
    assert [tuple(fact) for fact in plain["facts"]] == list(session.facts)
    assert plain["shape"] == [4]


def test_regions_are_shown_in_the_table_s_own_numbers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 90).astype(np.int32)
    x = np.stack([1.7e9 + 1000 * y + rng.normal(0, 200, 90), np.full(90, 5.0), rng.normal(y, 0.5)], axis=1)
    x[:, 0] = x[:, 0].round()
    columns = (Column("time"), Column("same"), Column("height"))
    data = Dataset("t", x[:70], y[:70], x[70:], y[70:], ("a", "b"), None, "t", "t.csv", "0" * 64, columns)
    (arrays, plain), session = kept_of(data, tmp_path / "study")
    assert plain["axes"] == ["time", "height"]
    assert plain["rows"][1][0] == f"{x[session.splits.train[0], 0]:.0f}"
    train = x[session.splits.train]
    np.testing.assert_allclose(arrays["points"][:, 0].min(), train[:, 0].min(), atol=1e-3)
    assert arrays["x1"][0] < x[:70, 0].min() < x[:70, 0].max() < arrays["x1"][-1]
    (grid,) = (p for name, p in arrays.items() if name.startswith("grid/"))
    at = [np.abs(arrays[axis] - value).argmin() for axis, value in (("x1", 1.7e9 + 1000), ("x2", 1.0))]
    assert grid[:, at[1], at[0]].shape == (2, 2)
    with open_existing(tmp_path / "study") as store:
        regions = study_details(tmp_path / "study", summary_of(store)).regions["baseline"]
    assert regions.axes == ("time", "height")


def test_a_table_with_categories_has_no_plane(tmp_path: Path) -> None:
    x = np.stack([np.arange(60) % 2, np.arange(60) % 7], axis=1).astype(np.float32)
    y = (np.arange(60) % 2).astype(np.int32)
    columns = (Column("color", ("blue", "red")), Column("empty"))
    x[:, 1] = 4
    data = Dataset("t", x[:40], y[:40], x[40:], y[40:], ("a", "b"), None, "t", "t.csv", "0" * 64, columns)
    (arrays, _), session = kept_of(data, tmp_path / "study")
    assert len(session.preparation.features) == 2
    assert not any(name.startswith("grid/") for name in arrays)


def test_images_from_minus_one_to_one_keep_their_blacks(tmp_path: Path) -> None:
    x = np.linspace(-1, 1, 60 * 16, dtype=np.float32).reshape(60, 4, 4)
    y = (np.arange(60) % 2).astype(np.int32)
    data = Dataset("t", x[:40], y[:40], x[40:], y[40:], ("a", "b"), 1.0, "t", "t", "0" * 64)
    (arrays, _), _ = kept_of(data, tmp_path / "study")
    low = float(x[:40].min())
    expected = np.rint((x[0].astype(np.float64) - low) * 255 / (1 - low))
    np.testing.assert_array_equal(arrays["examples"][0, 0], expected)
