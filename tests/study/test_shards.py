"""The parts of a study: together they are the whole, and merged they have the bits of one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from small_studies import clouds
from wellfit.base import RunSpec
from wellfit.engine.plan import make_plan
from wellfit.errors import StudyFileError
from wellfit.report.notes import notices
from wellfit.spec.study import StudySpec, recipes, study_from_mapping
from wellfit.store import contents, open_existing
from wellfit.study import run
from wellfit.study.merge import merge_studies
from wellfit.study.run import Interrupted, run_study
from wellfit.study.session import Session
from wellfit.study.shards import Shard, part_of, read_shard, restricted, runs_of
from wellfit.study.summarize import summarize

VARIANTS: dict[str, Any] = {
    "plain": {},
    "l2": {"l2": 0.01},
    "early": {"early_stopping": {"patience": 1}},
    "sgd": {"optimizer": "sgd"},
    "wide": {"model": {"hidden": [12]}},
    "longer": {"epochs": 5},
}


def study(seeds: int = 3, folds: int = 1, **variants: Any) -> StudySpec:
    return study_from_mapping(
        {
            "data": {"name": "clouds", "scale": "standardize", "folds": folds},
            "model": {"hidden": [8]},
            "train": {"epochs": 3, "batch_size": 32, "seeds": seeds},
            "variants": variants or VARIANTS,
        }
    )


@settings(max_examples=30, deadline=None)
@given(
    seeds=st.integers(1, 6),
    of=st.integers(1, 9),
    devices=st.integers(1, 3),
    names=st.sets(st.sampled_from(sorted(VARIANTS)), min_size=2),
    costs=st.sampled_from([((1, 1.0),), ((1, 1.0), (2, 0.6), (3, 0.5))]),
)
def test_parts_are_disjoint_and_complete(seeds: int, of: int, devices: int, names: set[str], costs: Any) -> None:
    spec = study(seeds, **{name: VARIANTS[name] for name in sorted(names)})
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in range(seeds)]
    plan = make_plan(runs, (28, 28), 2, (50_000, 100, 100), devices, costs=costs)
    groups = [group for population in plan.populations for group in population.groups if group]
    if of > len(groups):
        with pytest.raises(StudyFileError, match=f"at most {len(groups)} part"):
            part_of(plan, Shard(1, of))
        return
    parts = [part_of(plan, Shard(number, of)) for number in range(1, of + 1)]
    found = [group for part in parts for population in part.populations for group in population.groups if group]
    assert sorted(group[0].name for group in found) == sorted(group[0].name for group in groups)
    assert all(part.populations for part in parts)
    assert sum(part.runs for part in parts) == plan.runs == len(set().union(*map(runs_of, parts)))
    assert sum(part.work for part in parts) == pytest.approx(plan.work)
    programs = {population.program for population in plan.populations}
    for part in parts:
        assert {population.program for population in part.populations} <= programs
        assert all(len(p.groups) % p.program.groups == 0 for p in part.populations)


def test_parts_have_about_equal_work() -> None:
    spec = study(8, a={}, b={"epochs": 9}, c={"optimizer": "sgd"})
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in range(8)]
    plan = make_plan(runs, (28, 28), 2, (50_000, 100, 100), 2)
    work = [part_of(plan, Shard(number, 4)).work for number in range(1, 5)]
    largest = 9 / 120 * plan.work  # 120 epochs, in groups of 3 and 9
    assert all(abs(of_part - plan.work / 4) <= largest for of_part in work)


def test_a_part_of_some_runs_keeps_whole_groups() -> None:
    spec = study(2, a={}, b={"early_stopping": {"patience": 1}}, c={"l2": 0.1})
    runs = [RunSpec(name, seed, recipe) for name, recipe in recipes(spec).items() for seed in range(2)]
    plan = make_plan(runs, (28, 28), 2, (50_000, 100, 100), 2)
    part = restricted(plan, [run for run in runs if run.variant == "b" and run.seed == 1])
    assert runs_of(part) == {("a", 1), ("b", 1)}  # one training
    assert runs_of(restricted(plan, [])) == frozenset()


@pytest.mark.parametrize("text", ["3", "a/b", "-1/3", "1/3/5", "", "1.5/3", "1/" + "9" * 40])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(StudyFileError, match="not a part; write I/N, such as 3/10"):
        read_shard(text)


@pytest.mark.parametrize("text", ["0/3", "4/3", "1/0"])
def test_a_part_outside_of_the_parts_is_refused(text: str) -> None:
    with pytest.raises(StudyFileError, match=f"^--shard {text}: there is no such part; in I/N, I is from 1 to N$"):
        read_shard(text)


def test_more_parts_than_can_be_trained_say_how_many_can(tmp_path: Path) -> None:
    session = Session(study(2, plain={}), clouds(), tmp_path / "s", shard=read_shard("1/1000000"))
    with pytest.raises(StudyFileError, match="1/1000000: the study can be divided into at most 2 parts; use"):
        _ = session.plan


def test_a_part_does_not_grow_in_a_directory_with_other_parts(tmp_path: Path) -> None:
    variants: dict[str, Any] = {"plain": {}, "sgd": {"optimizer": "sgd"}}
    for number in (1, 2):
        run_study(Session(study(1, **variants), clouds(), tmp_path / "s", shard=Shard(number, 2)))
        told = notices(summarize(tmp_path / "s"))
    assert not any("part" in notice for notice in told)  # it is whole
    longer = replace(study(1, **variants), base=replace(study(1).base, epochs=4))
    one = Session(longer, clouds(), tmp_path / "s", shard=Shard(1, 2))
    with pytest.raises(StudyFileError, match=r"1/2: .*s also holds one result of other parts, which more epochs conti"):
        one.check()
    assert Session(longer, clouds(), tmp_path / "s").forecast.plan.runs == 2


def test_several_parts_in_one_directory_say_so(tmp_path: Path) -> None:
    variants: dict[str, Any] = {"plain": {}, "sgd": {"optimizer": "sgd"}, "wide": {"model": {"hidden": [12]}}}
    for number in (1, 3):
        run_study(Session(study(1, **variants), clouds(), tmp_path / "s", shard=Shard(number, 3)))
    said = notices(summarize(tmp_path / "s"))[0]
    assert said.startswith("This directory holds the parts 1/3 and 3/3 of a study: 2 of 3 runs have ended.")


@pytest.mark.parametrize(("folds", "of"), [(1, 3), (5, 2)])
def test_merged_parts_have_the_bits_of_one_run(folds: int, of: int, tmp_path: Path) -> None:
    spec = study(3, folds)
    run_study(Session(spec, clouds(), tmp_path / "whole"))
    parts = [tmp_path / f"part {number}" for number in range(1, of + 1)]
    for number, directory in enumerate(parts, 1):
        run_study(Session(spec, clouds(), directory, shard=Shard(number, of)))
    before = summarize(parts[0])
    assert before.state == "interrupted"
    assert notices(before)[0].startswith(f"This is part 1/{of} of a study: ")
    assert "wellfit merge joins the parts" in notices(before)[0]
    merged = merge_studies(parts, tmp_path / "merged")
    assert (merged.runs, merged.missing, merged.duplicates) == (18, 0, 0)
    with open_existing(tmp_path / "whole") as one, open_existing(tmp_path / "merged") as other:
        assert contents.files(one) == contents.files(other)  # the checksums of weights and test results
        kinds = [{(r.spec.variant, r.spec.seed): (r.epochs, r.readout_epoch, r.scores) for r in store.runs.records()}
                 for store in (one, other)]  # fmt: skip
        assert kinds[0] == kinds[1]
    whole, together = summarize(tmp_path / "whole"), summarize(tmp_path / "merged")
    assert together.state == "finished"
    assert together.comparisons == whole.comparisons
    assert not together.earlier_looks.seeds


def test_an_interrupted_part_continues_with_the_same_programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest is planned as the whole study planned it, not as a study of its own."""
    spec, shard, trained = study(3), Shard(2, 2), []

    def once(*args: Any) -> None:
        if trained:
            raise Interrupted("stopped")
        trained.append(args[0])
        original(*args)

    original = run._train_together
    session = Session(spec, clouds(), tmp_path / "s", shard=shard)
    programs = [population.program for population in session.plan.populations]
    assert len(programs) > 1
    with monkeypatch.context() as patch:
        patch.setattr(run, "_train_together", once)
        with pytest.raises(Interrupted):
            run_study(session)
    again = Session(spec, clouds(), tmp_path / "s", shard=shard)
    assert [population.program for population in again.remaining.plan.populations] == programs[1:]
    run_study(again)
    assert Session(spec, clouds(), tmp_path / "s", shard=shard).forecast.plan.runs == 0


def test_a_finished_part_trains_nothing_and_the_whole_study_trains_the_rest(tmp_path: Path) -> None:
    spec = study(2, plain={}, l2={"l2": 0.1}, sgd={"optimizer": "sgd"})
    run_study(Session(spec, clouds(), tmp_path / "s", shard=Shard(2, 2)))
    again = Session(spec, clouds(), tmp_path / "s", shard=Shard(2, 2))
    assert (again.forecast.plan.runs, again.forecast.done) == (0, len(again.asked))
    rest = Session(spec, clouds(), tmp_path / "s")
    assert rest.forecast.plan.runs == 6 - len(again.asked)
    run_study(rest)
    assert summarize(tmp_path / "s").state == "finished"


def test_parts_of_a_grown_study_are_a_further_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first three seeds were merged and could be seen before the parts with six were begun."""
    variants: dict[str, Any] = {"plain": {}, "l2": {"l2": 0.1}}

    def parts(name: str, seeds: int, begun: int) -> list[Path]:
        monkeypatch.setattr("wellfit.store.metadata.now", lambda: f"2026-01-01T00:00:{begun:02d}")
        places = [tmp_path / f"{name}{number}" for number in (1, 2)]
        for number, place in enumerate(places, 1):
            run_study(Session(study(seeds, **variants), clouds(), place, shard=Shard(number, 2)))
        return places

    first = merge_studies(parts("a", 3, 0), tmp_path / "first").directory
    later = merge_studies([first, *parts("b", 6, 9)], tmp_path / "both").directory
    assert not summarize(first).earlier_looks.seeds
    assert summarize(later).earlier_looks.seeds == (3,)
    incomplete = merge_studies([tmp_path / "a1", tmp_path / "b2"], tmp_path / "some").directory
    assert not any("This is part" in notice for notice in notices(summarize(incomplete)))
