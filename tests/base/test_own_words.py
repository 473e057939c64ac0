"""What the authors of a report say themselves."""

from __future__ import annotations

import pytest

from wellfit.base import OwnWords


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (OwnWords(), False),
        (OwnWords(authors=("Ada",)), True),
        (OwnWords(course="Deep Learning"), True),
        (OwnWords(text={"curves": "Flat."}), True),
    ],
)
def test_own_words_are_true_where_something_is_said(words: OwnWords, said: bool) -> None:
    assert bool(words) is said
