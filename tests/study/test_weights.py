from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from wellfit.base.histograms import BINS
from wellfit.store import open_existing
from wellfit.study.weights import filter_pictures, kernels, weight_history, weight_overviews


class Shelf:
    """A store that has weights and nothing else."""

    def __init__(self, weights: dict[tuple[str, int], dict[str, np.ndarray]]) -> None:
        self.runs = SimpleNamespace(
            weights=lambda variant, seed: weights[variant, seed], histograms=lambda variant, seed: {}
        )


def test_shares_are_means_over_the_seeds_in_common_bins() -> None:
    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(0, 2, (2, 6, 5)), rng.normal(0, 0.1, (2, 6, 5))
    narrow[0, 0], narrow[1, 1, 0] = 0, 5e-4
    shelf = Shelf(
        {
            **{("wide", seed): {"dense_1/kernel": wide[seed], "dense_1/bias": np.zeros(5)} for seed in (0, 1)},
            **{("narrow", seed): {"dense_1/kernel": narrow[seed]} for seed in (0, 1)},
        }
    )
    found = weight_overviews(shelf, {"wide": (0, 1), "narrow": (1, 0)}, None)  # type: ignore[arg-type]
    assert found.overviews["narrow"].layers == ("dense_1/kernel",)
    edge = np.quantile(np.abs(wide[0]), 0.995)
    for name, arrays in (("wide", wide), ("narrow", narrow)):
        overview = found.overviews[name]
        np.testing.assert_allclose(overview.edges, np.linspace(-edge, edge, 62))
        counts = [np.histogram(np.clip(a, -edge * 0.999999, edge * 0.999999), overview.edges)[0] / 30 for a in arrays]
        np.testing.assert_allclose(overview.histogram[0], np.mean(counts, axis=0), atol=1e-12)
    assert found.overviews["narrow"].zeros.tolist() == [5 / 60]
    assert found.zeros["narrow"] == 5 / 60
    expected = np.mean([(np.abs(a) < 1e-3).mean() for a in narrow])
    assert found.overviews["narrow"].small.tolist() == [pytest.approx(expected)]
    assert expected >= 0.1 - 1e-12  # the five zeros and the one that was made small


def test_all_kernels_of_a_variant_count_by_their_size() -> None:
    shelf = Shelf({("v", 0): {"dense_1/kernel": np.zeros((3, 2)), "dense_2/kernel": np.ones((2, 1))}})
    assert weight_overviews(shelf, {"v": (0,)}, None).zeros == {"v": 0.75}  # type: ignore[arg-type]


def test_weights_that_are_all_zero_or_missing_have_an_overview() -> None:
    zero = {"dense_1/kernel": np.zeros((4, 2))}
    found = weight_overviews(Shelf({("v", 0): zero, ("w", 0): {}}), {"v": (0,), "w": (0,)}, (2, 2))  # type: ignore[arg-type]
    assert list(found.overviews) == ["v"]
    assert (found.overviews["v"].filters == 128).all()
    assert found.overviews["v"].histogram[0, 30] == 1  # the middle bin


def test_filters_of_a_dense_layer_have_the_pixels_in_their_places() -> None:
    kernel = np.zeros((6, 2))
    kernel[4, 0], kernel[2, 1] = 1, -3
    pictures = filter_pictures(kernel, (2, 3))
    assert pictures is not None
    assert pictures.dtype == np.uint8
    assert pictures.shape == (2, 2, 3)
    assert np.argwhere(pictures[0] < 128).tolist() == [[0, 2]]  # the stronger first: row 2 of (2, 3) is (0, 2)
    assert np.argwhere(pictures[1] > 128).tolist() == [[1, 1]]
    in_color = filter_pictures(kernel, (2, 1, 3))  # channels last: their mean
    assert in_color is not None
    assert in_color.shape == (2, 2, 1)


def test_filters_of_a_convolution_are_its_kernel_the_strongest_first() -> None:
    kernel = np.random.default_rng(0).normal(size=(5, 5, 1, 40)).astype(np.float32)
    pictures = filter_pictures(kernel, None)
    assert pictures is not None
    assert pictures.shape == (32, 5, 5)
    strongest = np.linalg.norm(kernel.reshape(25, 40), axis=0).argmax()
    off = pictures[0].astype(float) - 128
    assert np.corrcoef(off.ravel(), kernel[:, :, 0, strongest].ravel())[0, 1] > 0.99


def test_weights_of_features_are_no_pictures() -> None:
    assert filter_pictures(np.ones((4, 2)), (4,)) is None
    assert filter_pictures(np.ones((4, 2)), None) is None
    assert filter_pictures(np.ones((4, 2)), (3, 3)) is None


def test_the_kernels_of_a_real_run_stand_in_the_order_of_its_layers(finished_study: Path) -> None:
    with open_existing(finished_study) as store:
        found = kernels(store.runs.weights("baseline", 0))
    assert [array.shape for array in found.values()] == [(64, 16), (16, 10)]


def test_a_history_has_the_first_and_the_last_epoch_and_no_more_than_24() -> None:
    counts = np.zeros((100, BINS), np.int64)
    counts[:, 3], counts[:, 57] = np.arange(100), 100 - np.arange(100)
    counts[98:] = 0  # the run diverged
    history = weight_history({"dense_1/bias": counts, "dense_1/kernel": counts}, ("dense_1/kernel",), 4)
    assert history is not None
    assert (history.seed, history.layers) == (4, ("dense_1/kernel", "dense_1/bias"))
    assert (len(history.epochs), history.epochs[0], history.epochs[-1]) == (24, 1, 98)
    np.testing.assert_allclose(history.shares[0][:, 3], (history.epochs - 1) / 100)
    np.testing.assert_allclose(history.shares.sum(axis=2), 1)


def test_without_histograms_there_is_no_history() -> None:
    assert weight_history({}, ("dense_1/kernel",), 0) is None
    assert weight_history({"dense_1/kernel": np.zeros((2, BINS), np.int64)}, ("dense_1/kernel",), 0) is None
