"""Variants over several data sets, in the terminal."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from ranked import ACCURACIES, ranked
from wellfit.report.forms.over_datasets import print_over_datasets
from wellfit.study.over_datasets import DatasetStudies


def printed(width: int) -> str:
    found = DatasetStudies(
        **vars(ranked()),
        metric="test_accuracy",
        margin=0.001,
        directories={name: f"studies/{name}" for name in ACCURACIES},
        sizes=dict.fromkeys(ACCURACIES, (4, 400)),
        left_out=("l1",),
        notes=(),
    )
    console = Console(file=io.StringIO(), width=width, height=50)
    print_over_datasets(found, ("bell \a",), console)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_it_fits_the_terminal(width):
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    assert "dropout" in text
    assert "3.00" in text


def test_it_says_what_was_compared():
    text = printed(120)
    assert "digits: 4 seeds, 400 test examples (studies/digits)" in text
    assert "Left out, because not every study has tested them: l1." in text
    assert "bell \\x07" in text
    assert "on others" in text
    assert "wine" in text.splitlines()[3]
