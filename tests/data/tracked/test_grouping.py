"""Which variant and seed a tracked run is."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from wellfit.data.tracked.grouping import grouped, named
from wellfit.data.tracked.runs import Tracked, TrackedRun
from wellfit.errors import DataError


def runs(*params: Mapping[str, str]) -> list[TrackedRun]:
    return [TrackedRun(f"run {at}", of, {"run_name": f"r{at % 2}"}) for at, of in enumerate(params)]


def grid(**more: str) -> list[TrackedRun]:
    return runs(*({"l2": l2, "seed": seed, "epochs": "9", **more} for l2 in ("0", "0.1") for seed in ("3", "4")))


def test_runs_that_agree_in_all_but_the_seed_are_a_variant():
    found = grouped(grid(), Tracked())
    assert found.runs == [("l2=0", 3), ("l2=0", 4), ("l2=0.1", 3), ("l2=0.1", 4)]
    assert found.settings == {"l2=0": {"l2": "0", "epochs": "9"}, "l2=0.1": {"l2": "0.1", "epochs": "9"}}
    assert found.notes == ["Seed: seed.", "Variant: l2."]


@pytest.mark.parametrize("name", ["random_state", "Random Seed", "trainer/seed", "cfg.rng_seed", "seed_everything"])
def test_seeds_have_many_names(name: str):
    found = grouped(runs(*({"l2": l2, name: seed} for l2 in "ab" for seed in ("0", "1.0"))), Tracked())
    assert [seed for _, seed in found.runs] == [0, 1, 0, 1]
    assert found.notes[0] == f"Seed: {name}."


def test_of_seeds_that_stay_the_same_or_move_together_one_is_taken():
    assert grouped(grid(random_state="0"), Tracked()).runs[1] == ("l2=0", 4)
    together = runs(*({"l2": l2, "seed": s, "torch_seed": s} for l2 in "ab" for s in "01"))
    assert grouped(together, Tracked()).runs == [("a", 0), ("a", 1), ("b", 0), ("b", 1)]


def test_names_of_variants():
    one = grouped(runs({"seed": "0"}, {"seed": "1"}), Tracked())
    assert (one.runs, one.notes[1]) == ([("runs", 0), ("runs", 1)], "Variant: all runs are one.")
    both = [{"lr": lr, "opt/name": opt, "seed": s} for lr, opt in (("1", "adam"), ("2", "sgd")) for s in "01"]
    assert grouped(runs(*both), Tracked()).runs[0] == ("lr=1,name=adam", 0)
    says = [{**of, "variant": of["opt/name"]} for of in both]
    assert grouped(runs(*says), Tracked()).runs[0] == ("adam", 0)
    odd = [{"path": path, "seed": s} for path in ("a b/" + "x" * 80, "a b/" + "y" * 80) for s in "01"]
    assert grouped(runs(*odd), Tracked()).runs[2] == ("v2", 0)
    absent = runs({"seed": "0"}, {"seed": "1"}, {"seed": "0", "l1": "3"}, {"seed": "1", "l1": "3"})
    assert {variant for variant, _ in grouped(absent, Tracked()).runs} == {"default", "l1=3"}


def test_the_user_can_say_what_makes_a_variant():
    apart = [TrackedRun(f"run {at}", {**run.params, "out": str(at)}, {"tag": "x"}) for at, run in enumerate(grid())]
    assert grouped(apart, Tracked(by=("l2",))).runs[2] == ("l2=0.1", 3)
    assert grouped(apart, Tracked(by=("tag",), seed="out")).runs == [("x", 0), ("x", 1), ("x", 2), ("x", 3)]
    single = runs({"l2": "0", "seed": "0"}, {"l2": "1", "seed": "0"})
    assert grouped(single, Tracked(by=("l2",))).runs == [("l2=0", 0), ("l2=1", 0)]


def test_runs_without_seeds_are_numbered_if_they_are_unpaired():
    found = grouped(runs({"l2": "0"}, {"l2": "0"}, {"l2": "1"}, {"l2": "1"}), Tracked(), unpaired=True)
    assert found.runs == [("l2=0", 0), ("l2=0", 1), ("l2=1", 2), ("l2=1", 3)]
    assert found.notes[0] == "Seed: none is known; runs are numbered in their order."


def test_names_of_folders_come_first():
    of = [TrackedRun("x", {"seed": "9"}, named=("l2", seed)) for seed in (0, 1)]
    assert grouped(of, Tracked()).runs == [("l2", 0), ("l2", 1)]
    assert "l2, seed 0 is the first" in grouped(of, Tracked()).notes[0]


def test_names():
    assert named(["exp", "l2", "seed_3"]) == ("exp-l2", 3)
    assert named(["l2 (new).7"]) == ("l2-new", 7)
    assert named(["3"]) is None


def test_decimals_in_names_are_no_seeds():
    for parts in (["dropout0.05"], ["runs", "seed0", "lr0.1"], ["run-10.0.0.12"], ["seed0", "adam.1"], ["seed0", "3"]):
        assert named(parts) is None, parts
    assert named(["lr0.1.3"]) == ("lr0.1", 3)
    assert named(["l2=0.5.3"]) == ("l2=0.5", 3)
    assert named(["x-l1.2"]) == ("x-l1", 2)
    assert named(["seed_study", "l2_seed3"]) == ("seed_study-l2", 3)


@pytest.mark.parametrize(
    "names", [["dropout0.1", "dropout0.2"], ["a/lr=0.1.csv", "b/lr=0.1.csv"], ["xl2.1", "p.3"], ["x=1.1", "y=1.1"]]
)
def test_names_that_may_end_in_decimals_are_one_line_or_left_to_the_settings(names: list[str]):
    of = [(name, named(name.removesuffix(".csv").split("/"))) for name in names]
    with pytest.raises(DataError, match="its name may end in a seed or in a decimal number; name all runs as in l2_"):
        grouped([TrackedRun(name, named=run) for name, run in of], Tracked())
    logged = [TrackedRun(name, {"seed": "0", "at": str(at // 2)}, named=run) for at, (name, run) in enumerate(of * 2)]
    assert grouped(logged, Tracked()).runs[-1] == ("at=1", 0)


def test_names_beside_others_with_the_same_seeds_end_in_seeds():
    names = [f"{stem}.{seed}" for stem in ("l2=0", "l2=0.01") for seed in (3, 4)]
    found = grouped([TrackedRun(name, named=named([name])) for name in names], Tracked()).runs
    assert found == [("l2=0", 3), ("l2=0", 4), ("l2=0.01", 3), ("l2=0.01", 4)]
    of = [(f"units={n}", s) for n in (2, 8) for s in (0, 1)]
    assert grouped([TrackedRun(f"{n}.{s}.csv", named=(n, s)) for n, s in of], Tracked()).runs == of
    assert grouped([TrackedRun(f"{n}.{s}", named=(n, s)) for n in ("l2", "mlp64") for s in (0, 1)], Tracked()).runs


def test_settings_that_say_other_seeds_than_names_come_first():
    of = [TrackedRun("x", {"seed": seed, "lr": lr}, named=("adam", at)) for at, (seed, lr) in
          enumerate((s, lr) for s in ("7", "8") for lr in ("1", "2"))]  # fmt: skip
    assert grouped(of, Tracked()).runs == [("lr=1", 7), ("lr=2", 7), ("lr=1", 8), ("lr=2", 8)]
    agree = [TrackedRun("x", {"seed": str(s), "data_seed": "3"}, named=("adam", s)) for s in (7, 8)]
    assert grouped(agree, Tracked()).runs == [("adam", 7), ("adam", 8)]


@pytest.mark.parametrize(
    ("of", "tracked", "message"),
    [
        (runs({"l2": "0"}, {"l2": "0"}), Tracked(), r"run 0: no setting is called seed or random_state; name it with "
         r"--seed-param NAME, or give --unpaired .*\(settings: l2\)"),
        (runs({"seed": "0", "data_seed": "1"}, {"l2": "0"}), Tracked(seed="sed"), "has the setting 'sed'; did you"),
        (runs({"seed": "0", "random_state": "1"}, {"seed": "1", "random_state": "3"}), Tracked(),
         "'seed', 'random_state' could each be the seed; choose with --seed-param NAME"),
        (runs({"seed": "0"}, {"l2": "3"}), Tracked(), "run 1: has no seed, which is the seed of other runs"),
        (runs({"seed": "0"}, {"seed": "x"}), Tracked(), "run 1: seed 'x' is not a whole number from 0"),
        (runs({"seed": "0"}, {"seed": "4294967296"}), Tracked(), "run 1: seed '4294967296' is not a whole number"),
        (runs({"seed": "0"}, {"seed": "-1"}), Tracked(), "run 1: seed '-1' is not a whole number"),
        (grid(), Tracked(by=("l1",)), "no run has the setting 'l1'; did you mean 'l2'"),
        (runs({"seed": "0", "out": "a"}, {"seed": "1", "out": "b"}), Tracked(),
         r"no two runs agree in all settings but the seed \(seed\); name those that make a variant with --by \(they "
         r"differ in out\)"),
    ],
)  # fmt: skip
def test_runs_that_cannot_be_grouped_are_one_line(of: list[TrackedRun], tracked: Tracked, message: str):
    with pytest.raises(DataError, match=message) as caught:
        grouped(of, tracked)
    assert "\n" not in str(caught.value)
