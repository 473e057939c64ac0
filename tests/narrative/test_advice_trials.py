"""Sweeps that are extended and regularizers that are combined, by commands that work."""

import shlex

import numpy as np
import pytest

from sweeps import FOUR, NOISE, gaining, scored, tables
from sweeps import advised as texts
from wellfit.spec.study import load_study, recipes


def option(text):
    """What a sentence says after --set, as the shell would pass it."""
    words = shlex.split(text)
    return [words[i + 1] for i, word in enumerate(words) if word == "--set"]


@pytest.mark.parametrize(
    ("best", "further"), [(1e-1, {"l2=1", "l2=10"}), (1e-5, {"l2=1e-06", "l2=1e-07"})], ids=["high", "low"]
)
def test_the_study_takes_the_extension_of_a_sweep(best, further):
    summary = scored("lab5/l2", lambda n, c, s: 0.8 + NOISE[s] - 0.01 * abs(np.log10(c.get("l2", 1e-9) / best)))
    (text,) = (text for text in texts(summary) if text.startswith("Try"))
    extended = load_study("lab5/l2", settings=option(text))
    assert set(extended.variants) - {v.name for v in summary.variants} == further


def test_a_sweep_is_not_extended_towards_nothing():
    summary = scored("lab5/l2", lambda n, c, s: 0.8 + NOISE[s] - c.get("l2", 0.0))
    assert not any(text.startswith("Try") for text in texts(summary))


def test_fractions_stay_below_one_and_integers_whole():
    summary = scored("lab5/dropout", lambda n, c, s: 0.8 + NOISE[s] + 0.1 * c.get("dropout", 0.0))
    assert any("--set 'sweeps.further.dropout=[0.85]'" in text for text in texts(summary))
    summary = scored("lab5/batch-size", lambda n, c, s: 0.8 + NOISE[s] - 1e-4 * c["batch_size"])
    assert any("--set 'sweeps.further.batch_size=[32, 16]'" in text for text in texts(summary))


def test_the_study_takes_a_combination():
    study = tables(FOUR["variants"])
    summary = scored(study, gaining({"dropout": 0.03, "l2": 0.02}, 0.001))
    (text,) = (text for text in texts(summary) if text.startswith("Combine"))
    assert text.startswith(
        "Combine dropout and l2, which both score above baseline and act differently (one by noise, the other on the "
        "weights): --"
    )
    assert recipes(load_study(settings=option(text)))["both"].l2 == 1e-3
    assert recipes(load_study(settings=option(text)))["both"].dropout == 0.3
    tried = tables({**FOUR["variants"], "l2+dropout": {"dropout": 0.3, "l2": 1e-3}})
    given_ = texts(scored(tried, gaining({"dropout": 0.03, "l2": 0.02, "smooth": -0.1, "l2+dropout": -0.1}, 0.001)))
    assert not any(text.startswith("Combine") for text in given_)


def test_two_that_act_alike_are_not_combined():
    study = tables({"baseline": {}, "l2": {"l2": 1e-3}, "l1": {"l1": 1e-4}})
    assert not any(
        text.startswith("Combine") for text in texts(scored(study, gaining({"l2": 0.03, "l1": 0.02}, 0.001)))
    )


def test_a_combination_fits_a_line_of_a_terminal():
    study = tables({"baseline": {}, "l2": {"l2": 1e-3}, "moved": {"augmentation": {"shift": 0.1, "rotation": 15.0}}})
    (text,) = (t for t in texts(scored(study, gaining({"l2": 0.03, "moved": 0.02}, 0.001))) if t.startswith("Combine"))
    assert recipes(load_study(settings=option(text)))["both"].augmentation.rotation == 15
    assert len(text[text.index("--set") :]) <= 96


def test_a_chosen_epoch_is_not_combined():
    study = tables({"baseline": {}, "l2": {"l2": 1e-3}, "stop": {"early_stopping": {"patience": 3}}})
    given = texts(scored(study, gaining({"l2": 0.03, "stop": 0.02}, 0.001)))
    assert not any(text.startswith("Combine") for text in given)
