"""The summary of a model."""

from __future__ import annotations

from fitted import of_a_table, of_images
from wellfit.base import ModelSpec
from wellfit.model.words import summary_lines


def test_layers_parameters_input_and_expectation() -> None:
    lines = summary_lines(of_images(ModelSpec("lenet5"), (28, 28)))
    assert lines[:3] == [
        "l2 of toy: an ensemble of the seeds 0, 1",
        "Data: toy data",
        "Input: images of 28 x 28 pixels from 0 to 255, scaled to [0, 1]",
    ]
    assert any(line.split() == ["conv2d_1", "28", "x", "28", "x", "6", "156"] for line in lines)
    assert "Parameters of a network: 61,111" in lines  # 61,706 with ten classes; seven classes less save 7 * 85
    assert lines[-2:] == ["Choice: l2, as asked", f"Expected: {of_images().origin.expected}"]


def test_a_table_and_an_array() -> None:
    assert "Input: 3 columns (age, color, share), standardized" in summary_lines(of_a_table(seeds=1))
    assert summary_lines(of_a_table(seeds=1))[0] == "l2 of toy: the network of seed 0"
    assert "Input: rows of 5 values, used as they are" in summary_lines(of_images(shape=(5,), pixel_max=None))
