from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from summaries import diverged, empty, study
from wellfit.base import History, RunSummary, StudySummary, VariantSummary
from wellfit.report.subjects.curves.sparklines import BLOCKS, PLAIN, validation_sparklines


def run(losses, seed):
    return RunSummary(seed, "finished", len(losses), len(losses), *[None] * 9)


def result(**losses):
    """A study whose variants have these validation losses, a list a seed."""
    histories = {
        n: {s: History({"validation_loss": np.array(c)}) for s, c in enumerate(runs)} for n, runs in losses.items()
    }
    variants = tuple(
        VariantSummary(n, {}, 1, tuple(map(run, runs, range(9))), {}, {}, 1.0, {}) for n, runs in losses.items()
    )
    return StudySummary("s", "?", "d", "finished", (0,), 4, 1.0, "", variants, (), (), "", histories, {}, (), {}, {})


def test_the_mark_stands_at_the_lowest_epoch_of_the_mean():
    found = validation_sparklines(result(a=[[0.5, 0.2, 0.3, 0.6], [0.5, 0.3, 0.1, 0.6]]))
    assert found.lines["a"].index("•") == 2  # means 0.25 and 0.2
    assert "lowest at •" in found.legend


def test_every_curve_has_its_own_scale():
    found = validation_sparklines(result(a=[[2.0, 1.0, 0.5, 0.7]], b=[[20.0, 10.0, 5.0, 7.0]]))
    assert found.lines["a"] == found.lines["b"]
    assert "of its own" in found.legend


def test_a_rise_is_visible_after_a_deep_fall():
    first, second, lowest, *rise = validation_sparklines(result(a=[[50.0, 0.6, 0.4, 0.45, 0.5, 0.55]])).lines["a"]
    assert (first, second, lowest) == ("█", "█", "•")
    heights = [BLOCKS.index(character) for character in rise]
    assert heights == sorted(heights)
    assert heights[0] >= 2


def test_what_is_noise_makes_no_mountains():
    found = validation_sparklines(result(a=[[0.300, 0.301, 0.300, 0.302]]))
    assert set(found.lines["a"]) <= {"▁", "•"}


def test_a_curve_ends_with_its_shortest_run_and_shares_the_axis():
    found = validation_sparklines(result(long=[[0.5] * 40], short=[[0.5] * 20, [0.5] * 30]), width=8)
    assert [len(line) for line in found.lines.values()] == [8, 4]


def test_what_has_no_curve_has_no_line():
    assert validation_sparklines(empty()) is None
    assert validation_sparklines(result(a=[[0.5]])) is None
    assert list(validation_sparklines(result(a=[[0.5, np.nan]], b=[[0.5, 0.4]])).lines) == ["b"]
    assert validation_sparklines(result(a=[[0.5, 0.0]])).lines["a"] == "█•"
    assert len(validation_sparklines(diverged()).lines) >= 1


def test_an_encoding_without_blocks_gets_plain_characters():
    found = validation_sparklines(study(), ascii_only=True)
    assert all(line.isascii() for line in found.lines.values())
    assert found.legend.isascii()
    assert all(line.count("v") == 1 for line in found.lines.values())


@given(st.lists(st.floats(1e-4, 50), min_size=2, max_size=60), st.integers(1, 24))
@pytest.mark.filterwarnings("error")
def test_any_curve_fits_and_is_marked_once(losses, width):
    found = validation_sparklines(result(a=[losses]), width)
    line = found.lines["a"]
    assert len(line) == min(width, len(losses))
    assert set(line) <= {*BLOCKS, "•"}
    assert line.index("•") == int(np.argmin(losses)) * len(line) // len(losses)
    assert len(PLAIN) == len(BLOCKS)
