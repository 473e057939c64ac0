"""The sentences about a search say what its numbers say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from wellfit.base import SearchResult, Trial, TrialState
from wellfit.narrative.searched import fates, search_sentences

TRIALS = (
    Trial(0, {}, "finished", 2, 9, (0.9, 0.92)),
    Trial(1, {}, "ended", 1, 3, (0.8, 0.8)),
    Trial(2, {}, "diverged", 1, 3, (0.8, None)),
)
RESULT = SearchResult(TRIALS, 3, "validation_accuracy", 2, "found", 0, 36, 54, 0.89, 5)


def test_no_search_says_nothing() -> None:
    assert search_sentences(None) == ()
    assert search_sentences(replace(RESULT, trials=(), best=None)) == ()


def test_how_much_was_tried_is_counted() -> None:
    text = search_sentences(RESULT)[0]
    assert "tried 3 configurations with 2 seeds each on training and validation data alone" in text
    assert "; 1 ended early and 1 diverged. It took 36 epochs, 67 % of the 54 of training all to the end." in text


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (("finished",), ""),
        (("ended", "refused", "ended"), "2 ended early and 1 could not be trained"),
        (("diverged", "ended", "refused"), "1 ended early, 1 diverged and 1 could not be trained"),
    ],
)
def test_states_are_counted_one_by_one(states: tuple[TrialState, ...], words: str) -> None:
    assert fates([Trial(n, {}, state, 1, 3, (None,)) for n, state in enumerate(states)]) == words


def test_an_unfinished_search_says_so() -> None:
    (text,) = search_sentences(replace(RESULT, asked=9, fresh=None, fresh_seeds=0))
    assert "(of 9 that it was asked for)" in text
    assert "(of 9 that it was asked for)" in search_sentences(replace(RESULT, asked=9))[0]


@pytest.mark.parametrize(
    ("fresh", "words"),
    [
        (0.89, "91.00 % there and 89.00 % on 5 fresh seeds. The difference of 2.00 points is the winner's curse"),
        (0.92, "92.00 % on 5 fresh seeds: 1.00 points better, so that no winner's curse shows."),
        (0.91, "91.00 % on 5 fresh seeds: as much, so that no winner's curse shows."),
    ],
)
def test_the_curse_is_the_drop_on_fresh_seeds(fresh: float, words: str) -> None:
    assert words in search_sentences(replace(RESULT, fresh=fresh))[1]


def test_losses_are_losses() -> None:
    text = search_sentences(replace(RESULT, metric="validation_loss", fresh=0.95))[1]
    assert "mean validation loss of 0.9100 there and 0.9500 on 5 fresh seeds. The difference of 0.0400" in text


@pytest.mark.parametrize("fresh", [0.89, 0.91, 0.92])
def test_the_examples_that_chose_the_winner_tell_nothing_of_its_luck(fresh: float) -> None:
    text = search_sentences(replace(RESULT, fresh=fresh, shared=1.0))[1]
    assert f"{100 * fresh:.2f} % on 5 fresh seeds, but on the very validation examples that chose it" in text
    assert "best of 3" in text
    assert "winner's curse" not in text


@pytest.mark.parametrize(
    ("shared", "words"), [(0.4, "40 % of"), (0.001, "Less than 1 % of"), (0.999, "More than 99 % of")]
)
def test_examples_that_had_a_part_in_the_choice_are_counted(shared: float, words: str) -> None:
    told = " the fresh seeds' validation examples had a part in its choice, which hides some of that luck."
    assert words + told in search_sentences(replace(RESULT, shared=shared))[1]
    assert told not in search_sentences(replace(RESULT, shared=0.0))[1]


def test_fresh_seeds_that_diverged_are_counted() -> None:
    assert "89.00 % on 5 fresh seeds (2 more diverged). The" in search_sentences(replace(RESULT, fresh_diverged=2))[1]
    none = replace(RESULT, fresh=None, fresh_seeds=0, fresh_diverged=2)
    assert search_sentences(none)[1] == (
        "The winner, found, reached a mean validation accuracy of 91.00 % there; with 2 fresh seeds it diverged."
    )
