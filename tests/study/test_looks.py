"""Test results that were seen before more seeds were added are recorded, once and for all."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from saved_runs import STUDY, opened, probabilities, record
from small_studies import points, small
from wellfit.store import Store
from wellfit.study.as_json import to_json
from wellfit.study.looks import KEY, combined_looks, earlier_looks, note_look, note_seen
from wellfit.study.run import run_study
from wellfit.study.session import Session
from wellfit.study.summarize import summarize


def judged(store, *seeds, planned=False):
    """Test runs of these seeds, as a command does."""
    note_look(store, set(seeds), planned=planned)
    for seed in seeds:
        run = ("l2", seed)
        store.runs.save([record("l2", seed)], {run: probabilities(seed)}, {run: (0.5, 0.7)})
    note_seen(store)


def test_added_seeds_make_a_second_look(tmp_path: Path) -> None:
    with opened(tmp_path / "s", STUDY) as store:
        judged(store, 0)
        assert earlier_looks(store).seeds == ()
        judged(store, 0)  # again, for instance another variant: no more seeds
        assert earlier_looks(store).seeds == ()
        judged(store, 1)
        assert earlier_looks(store).seeds == (1,)
        judged(store, 2)
        assert earlier_looks(store).seeds == (1, 2)


def test_a_killed_command_has_shown_nothing(tmp_path: Path) -> None:
    with opened(tmp_path / "s", STUDY) as store:
        note_look(store, {0, 1})
        run = ("l2", 0)
        store.runs.save([record("l2", 0)], {run: probabilities(0)}, {run: (0.5, 0.7)})  # killed after this
        judged(store, 1)
        assert earlier_looks(store).seeds == ()


def test_results_of_an_earlier_version_were_seen(tmp_path: Path) -> None:
    with opened(tmp_path / "s", STUDY) as store:
        run = ("l2", 0)
        store.runs.save([record("l2", 0)], {run: probabilities(0)}, {run: (0.5, 0.7)})
        judged(store, 1)
        assert earlier_looks(store).seeds == (1,)


def test_planned_interim_analyses_are_no_such_looks(tmp_path: Path) -> None:
    with opened(tmp_path / "s", STUDY) as store:
        judged(store, 0, planned=True)
        judged(store, 1, planned=True)
        assert earlier_looks(store).seeds == ()


def test_merged_studies_keep_the_looks_of_their_parts(tmp_path: Path) -> None:
    with opened(tmp_path / "a") as a, opened(tmp_path / "b") as b, opened(tmp_path / "c") as c:
        judged(a, 0)
        judged(a, 1)
        judged(b, 2)
        combined_looks(c, [a, b])
        assert earlier_looks(c).seeds == (1,)
        combined_looks(b, [c])
        assert earlier_looks(b).seeds == (1,)


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets the clock of the store, in seconds."""
    return lambda second: monkeypatch.setattr("wellfit.store.metadata.now", lambda: f"2026-01-01T00:00:{second:02d}")


def part(directory: Path, at: Callable[[int], None], begin: int, end: int, *seeds: int) -> Store:
    """A study of some seeds, trained from one second to another."""
    at(begin)
    store = opened(directory, dataclasses.replace(STUDY, seeds=seeds))
    at(end)
    store.metadata.mark_test_opened()
    judged(store, *seeds)
    return store


@pytest.mark.parametrize(
    ("second", "looks"),
    [
        ((0, 9, 2, 3), ()),  # side by side
        ((5, 9, 2, 3), ()),  # it began just when the first was tested
        ((6, 9, 2, 3), (2,)),  # it began when the first could be seen
        ((6, 9, 0, 1), ()),  # the same seeds again, for instance other variants
        ((6, 9, 1, 2, 3), (2,)),
    ],
)
def test_a_part_that_began_after_another_was_seen_is_a_look(
    second: tuple[int, ...], looks: tuple[int, ...], tmp_path: Path, at: Callable[[int], None]
) -> None:
    parts = [part(tmp_path / "a", at, 0, 5, 0, 1), part(tmp_path / "b", at, second[0], second[1], *second[2:])]
    with parts[0], parts[1], opened(tmp_path / "c") as both:
        combined_looks(both, parts)
        assert earlier_looks(both).seeds == looks
        combined_looks(both, parts[::-1])
        assert earlier_looks(both).seeds == looks


def test_parts_of_one_seed_and_parts_without_a_conclusion_show_nothing(
    tmp_path: Path, at: Callable[[int], None]
) -> None:
    parts = [part(tmp_path / f"{seed}", at, 10 * seed, 10 * seed + 1, seed) for seed in range(3)]
    never = part(tmp_path / "never", at, 40, 41, 3, 4)
    never.metadata.write_note(KEY, {"seeds": [], "looks": []})
    later = part(tmp_path / "later", at, 50, 51, 5, 6)
    with contextlib.ExitStack() as stack:
        for store in (*parts, never, later):
            stack.enter_context(store)
        with opened(tmp_path / "whole") as whole:
            combined_looks(whole, [*parts, never, later])
            assert earlier_looks(whole).seeds == ()
            last = stack.enter_context(part(tmp_path / "last", at, 60, 61, 7))
            combined_looks(whole, [*parts, never, later, last])
            assert earlier_looks(whole).seeds == (2,)


def test_parts_of_an_earlier_version_could_be_seen(tmp_path: Path, at: Callable[[int], None]) -> None:
    old, new = part(tmp_path / "a", at, 0, 5, 0, 1), part(tmp_path / "b", at, 6, 9, 2, 3)
    old.metadata.write_note(KEY, None)  # as if it had none
    with old, new, opened(tmp_path / "c") as both:
        combined_looks(both, [old, new])
        assert earlier_looks(both).seeds == (2,)


def test_a_study_with_more_seeds_says_so(tmp_path: Path) -> None:
    for seeds in (2, 3):
        run_study(Session(small(1, seeds), points(), tmp_path / "study"))
        summary = summarize(tmp_path / "study")
        said = "Second look, unadjusted: the results of 2 seeds were seen" in summary.verdict
        assert (summary.earlier_looks.seeds, said) == (((2,), True) if seeds == 3 else ((), False))
    assert to_json(summary, "1")["earlier_looks"] == [2]


def test_a_metric_chosen_after_results_were_seen_is_said(tmp_path: Path) -> None:
    """The first metric may be returned to: it was chosen before."""
    study, said = small(1, 2), {}
    for metric in ("accuracy", "macro_f1", "log_loss", "accuracy"):
        run_study(Session(dataclasses.replace(study, metric=metric), points(), tmp_path / "study"))
        said[metric] = summarize(tmp_path / "study")
    assert {metric: summary.earlier_looks.metrics for metric, summary in said.items()} == {
        "accuracy": (),
        "macro_f1": ("accuracy",),
        "log_loss": ("accuracy", "macro_f1"),
    }
    sentence = "first compared by test accuracy and test macro F1, so the probability of a false claim is above 5 %."
    assert sentence in said["log_loss"].verdict
    assert "The metric was chosen" not in said["accuracy"].verdict
    assert to_json(said["macro_f1"], "1")["earlier_metrics"] == ["accuracy"]


def test_merged_studies_keep_the_metrics_of_their_parts(tmp_path: Path, at: Callable[[int], None]) -> None:
    early, late = part(tmp_path / "a", at, 0, 5, 0, 1), part(tmp_path / "b", at, 6, 9, 2, 3)
    late.metadata.write_note(KEY, {"seeds": [2, 3], "looks": [], "asked": [["brier", 0.1]]})
    early.metadata.write_note(KEY, {"seeds": [0, 1], "looks": [], "asked": [["macro_f1", 0.1], ["macro_f1", 0.2]]})
    with early, late, opened(tmp_path / "c") as both:
        combined_looks(both, [late, early])
        assert earlier_looks(both).metrics == ("macro_f1", "brier")


def test_a_margin_chosen_after_results_were_seen_is_kept(tmp_path: Path) -> None:
    """Another metric has another margin, which is no change."""
    for metric, margin, seen in (("accuracy", 0.1, ()), ("brier", 0.3, ()), ("accuracy", 0.2, (0.1,))):
        study = dataclasses.replace(small(1, 2), metric=metric, margin=margin)
        run_study(Session(study, points(), tmp_path / "study"))
        summary = summarize(tmp_path / "study")
        assert summary.earlier_looks.margins == seen
    assert to_json(summary, "1")["earlier_margins"] == [0.1]


def test_results_of_a_command_that_was_killed_at_its_end_are_seen_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All runs are tested, but that they can be seen is not recorded: the next command shows them."""

    def killed(_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("wellfit.study.run.note_seen", killed)
        with pytest.raises(KeyboardInterrupt):
            run_study(Session(small(1, 2), points(), tmp_path / "study"))
    for seeds, looks in ((2, ()), (3, (2,))):
        run_study(Session(small(1, seeds), points(), tmp_path / "study"))
        assert summarize(tmp_path / "study").earlier_looks.seeds == looks
