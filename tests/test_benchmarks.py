"""The benchmarks' arithmetic, medians, ratios and table; nothing is trained here."""

from __future__ import annotations

import importlib
import importlib.util
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from wellfit.base import ModelSpec
from wellfit.nn.models import build, count_parameters, summary
from wellfit.spec.study import recipes, runs

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@dataclass(frozen=True)
class Scripts:
    """The benchmarks' modules, which are scripts that lie side by side, not a package."""

    machine: ModuleType
    quiet: ModuleType
    reading: ModuleType
    results: ModuleType
    run: ModuleType
    searched: ModuleType
    table: ModuleType
    workloads: ModuleType


@pytest.fixture(scope="module")
def scripts() -> Iterator[Scripts]:
    names = ("machine", "quiet", "reading", "results", "run", "searched", "table", "workloads")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
        yield Scripts(**{name: importlib.import_module(name) for name in names})
        for name in names:
            sys.modules.pop(name, None)


def peer_script(name: str) -> ModuleType:
    """A peer's script, with ``scripts`` in place."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [str(BENCHMARKS / "peers"), *sys.path])
        module = importlib.import_module(name)
    for imported in (name, "common", "clock"):
        sys.modules.pop(imported, None)
    return module


def peer(variant: str, first: float, *epochs: float) -> dict[str, Any]:
    return {"variant": variant, "first_epoch_seconds": first, "epoch_seconds": list(epochs), "validation_accuracy": 0.9}


def measured(*trainings: dict[str, Any]) -> dict[str, Any]:
    return {"import_seconds": 3.0, "data_seconds": 1.0, "examples": [48_000, 12_000], "trainings": list(trainings)}


def ours(*populations: tuple[int, int, float, float]) -> dict[str, Any]:
    """What wellfit prints: of each population trainings, epochs, seconds of the first epoch and of the others."""
    return {
        "import_seconds": 1.0,
        "data_seconds": 0.5,
        "plan_seconds": 0.5,
        "examples": [48_000, 12_000, 12_000],
        "populations": [
            {
                "trainings": n,
                "run_epochs": n * epochs,
                "first_epoch_seconds": first,
                "epoch_seconds": [later, later],
                "finish_seconds": 0.25,
            }
            for n, epochs, first, later in populations
        ],
    }


def block(turn: int, peers: dict[str, Any], workload: str = "lab5", rate: float = 200e9) -> dict[str, Any]:
    rates = {"2048 x 2048 x 2048": rate / 4, "256 x 784 x 128": rate / 5, "registers": rate}
    of_peers = {name: {"processes": p} if isinstance(p, list) else p for name, p in peers.items()}
    return {"turn": turn, "workload": workload, "rates": rates, "peers": of_peers}


# --- Arithmetic -------------------------------------------------------------------------------------------------------


def test_the_arithmetic_of_lab5_is_what_a_pencil_gives(scripts: Scripts) -> None:
    lab5, machine = scripts.workloads.LAB5, scripts.machine
    weights = 784 * 128 + 128 * 64 + 64 * 10
    assert machine.forward_operations(lab5) == 2 * weights
    # forward, kernels' gradients, and inputs' gradients of all layers but the first
    assert machine.training_operations(lab5) == 2 * weights + 2 * weights + 2 * (128 * 64 + 64 * 10)
    assert machine.epoch_operations(lab5, 48_000, 12_000) == pytest.approx(24.4e9, rel=0.005)


@pytest.mark.parametrize("name", ["lab5", "lab-512", "lab-lenet5", "cnn", "digits"])
def test_the_products_are_those_of_the_model_that_wellfit_builds(scripts: Scripts, name: str) -> None:
    workload = scripts.workloads.WORKLOADS[name]
    spec = scripts.workloads.study(workload).base.model
    shape = (8, 8) if workload.data == "digits" else (28, 28)
    model = build(spec, shape, 10)
    rows = [row for row in summary(model) if row.name.startswith(("dense", "conv2d"))]
    biases = sum(2 * row.output_shape[-1] * row.operations // (2 * row.parameters) for row in rows)
    assert scripts.machine.forward_operations(workload) == sum(row.operations for row in rows) - biases


def test_rates_and_facts_are_of_this_machine_and_name_no_path(scripts: Scripts, monkeypatch: Any) -> None:
    monkeypatch.setattr(scripts.machine, "WINDOW_SECONDS", 0.001)
    assert scripts.machine.sgemm_rate(32, 32, 32) > 1e6
    facts = scripts.machine.facts()
    assert facts["cores"] >= 1
    assert facts["versions"]["numpy"]
    assert str(Path.home()) not in str(facts)


# --- Workloads --------------------------------------------------------------------------------------------------------


def test_workloads_are_the_studies_that_they_name(scripts: Scripts) -> None:
    of = scripts.workloads.WORKLOADS
    counts = {name: workload.trainings for name, workload in of.items()}
    assert counts == {
        **{"lab5": 15, "lab-512": 20, "lab-lenet5": 15, "lab-optimizers": 30, "cnn": 5, "l2-path": 192, "digits": 25},
        **{f"growth-{n}": n for n in (1, 4, 16, 64, 256)},
    }
    for workload in of.values():
        assert len(runs(scripts.workloads.study(workload))) == workload.trainings
        assert set(workload.timed_by_peers) <= {v.name for v in workload.variants}
    digits = scripts.workloads.study(of["digits"])
    assert list(recipes(digits)) == ["baseline", "l2", "l1", "dropout", "l2+dropout"]
    assert (digits.data.name_or_path, digits.base.epochs, digits.base.batch_size) == ("digits", 60, 32)
    lenet5 = recipes(scripts.workloads.study(of["lab-lenet5"]))
    assert [r.epochs for r in lenet5.values()] == [10, 15, 15]
    assert [r.model for r in lenet5.values()] == [ModelSpec("lenet5", (), batch_norm=b) for b in (False, False, True)]
    assert lenet5["dropout"].dropout == (0.1, 0.1, 0.5)
    short = recipes(scripts.workloads.study(of["lab-lenet5"], 2))
    assert [r.epochs for r in short.values()] == [2, 2, 2]
    assert recipes(scripts.workloads.study(of["cnn"]))["baseline"].model == ModelSpec("cnn", (16, 32, 64))


def test_labs_are_the_built_in_ones_and_digits_have_its_variants(scripts: Scripts) -> None:
    from wellfit.spec.study import load_study

    lab5 = {name: replace(recipe, learning_rate=None) for name, recipe in recipes(load_study("lab5")).items()}
    assert recipes(scripts.workloads.study(scripts.workloads.LAB5)) == lab5  # it spells out Adam's own learning rate
    optimizers = recipes(scripts.workloads.study(scripts.workloads.OPTIMIZERS))
    assert optimizers == recipes(load_study("lab-optimizers"))
    digits = scripts.workloads.DIGITS
    built_in = recipes(load_study("regularization"))
    for variant in digits.variants:
        recipe = built_in[variant.name]
        assert (recipe.l1, recipe.l2, recipe.dropout or 0.0) == (variant.l1, variant.l2, variant.dropout)
        assert (recipe.batch_size, recipe.epochs, recipe.model.hidden) == (32, 60, digits.hidden)


@pytest.mark.parametrize("library", ["keras", "torch"])
def test_peers_train_networks_of_the_same_size(scripts: Scripts, library: str) -> None:
    imported = pytest.importorskip(library)
    module = peer_script("keras_fit" if library == "keras" else "pytorch")
    for workload in (scripts.workloads.WORKLOADS[name] for name in ("lab5", "lab-lenet5", "lab-optimizers", "cnn")):
        shape = (8, 8) if workload.data == "digits" else (28, 28)
        for variant in workload.variants:
            if library == "keras":
                network = imported.Sequential(module.layers(workload, variant, imported))
                sizes = [weight.shape for weight in network.trainable_weights]
            else:
                sizes = [parameter.shape for parameter in module.network(workload, variant, imported.nn).parameters()]
            ours = build(recipes(scripts.workloads.study(workload))[variant.name].model, shape, 10)
            assert sum(math.prod(size) for size in sizes) == count_parameters(ours), (workload.name, variant.name)


# --- Medians, whole studies, ratios -----------------------------------------------------------------------------------


def test_untimed_variants_of_a_peer_cost_the_plain_ones_median(scripts: Scripts) -> None:
    lab5 = scripts.workloads.LAB5
    alone = measured(peer("baseline", 2.0, 0.3, 0.2, 0.9), peer("dropout", 2.0, 0.6))
    assert scripts.results.epoch_seconds(lab5, [alone]) == pytest.approx((0.3 + 0.3 + 0.6) / 3)


def test_processes_side_by_side_are_counted_by_their_joint_rate(scripts: Scripts) -> None:
    lab5 = scripts.workloads.LAB5
    fast, slow = measured(peer("baseline", 1.0, 0.3)), measured(peer("baseline", 1.0, 0.6))
    assert scripts.results.epoch_seconds(lab5, [fast, slow]) == pytest.approx(0.2)
    assert scripts.results.epoch_seconds(lab5, [fast, fast]) == pytest.approx(0.15)
    steady, whole = scripts.results.study_seconds(lab5, [fast, fast])
    assert steady == pytest.approx(8 * 30 * 0.3)  # 15 trainings: one process has eight
    assert whole == pytest.approx(4.0 + 8 * 0.7 + steady)  # started at once, the first epochs shared
    steady, _ = scripts.results.study_seconds(scripts.workloads.WORKLOADS["growth-1"], [fast, fast])
    assert steady == pytest.approx(30 * 0.3)  # nobody divides a training


def test_a_peers_study_starts_once_and_compiles_each_model(scripts: Scripts) -> None:
    lab5 = scripts.workloads.LAB5
    alone = measured(peer("baseline", 5.2, 0.2), peer("l2", 1.2, 0.2), peer("dropout", 1.3, 0.3))
    steady, whole = scripts.results.study_seconds(lab5, [alone])
    assert steady == pytest.approx(5 * 30 * (0.2 + 0.2 + 0.3))
    assert whole == pytest.approx(3.0 + 1.0 + 5.0 + 14 * 1.0 + steady)


def test_variants_train_their_own_epochs(scripts: Scripts) -> None:
    alone = measured(peer("baseline", 3.0, 3.0), peer("batch-norm", 4.0, 4.0))
    steady, _ = scripts.results.study_seconds(scripts.workloads.LENET5, [alone])
    assert steady == pytest.approx(5 * (10 * 3.0 + 15 * 3.0 + 15 * 4.0))


def test_growth_is_charged_with_the_epochs_of_lab5(scripts: Scripts) -> None:
    growth = scripts.workloads.WORKLOADS["growth-16"]
    of_lab5 = measured(peer("baseline", 1.2, 0.2), peer("dropout", 1.5, 0.5))
    assert scripts.results.epoch_seconds(growth, [of_lab5]) == pytest.approx(0.2)
    steady, whole = scripts.results.study_seconds(growth, [of_lab5])
    assert steady == pytest.approx(16 * 30 * 0.2)
    assert whole == pytest.approx(4.0 + 16 * 1.0 + steady)


def test_our_study_is_the_sum_of_its_populations(scripts: Scripts) -> None:
    lab5 = scripts.workloads.LAB5
    two = ours((10, 30, 3.0, 1.0), (5, 30, 0.6, 0.5))
    assert scripts.results.epoch_seconds(lab5, [two]) == pytest.approx(0.1)
    steady, whole = scripts.results.study_seconds(lab5, [two])
    assert steady == pytest.approx(30 * 1.5)
    assert whole == pytest.approx(2.0 + 2.0 + 0.1 + 2 * 0.25 + steady)


def test_the_share_counts_the_sample_where_it_is_scored(scripts: Scripts) -> None:
    lab5, rates = scripts.workloads.LAB5, {"2048 x 2048 x 2048": 50e9, "registers": 200e9}
    operations = scripts.machine.epoch_operations(lab5, 48_000, 24_000)
    at_limit = ours((15, 30, 1.0, 15 * operations / 200e9))
    assert scripts.results.share_of_limit(lab5, [at_limit], rates) == pytest.approx(1.0)
    half = measured(peer("baseline", 1.0, 2 * scripts.machine.epoch_operations(lab5, 48_000, 12_000) / 200e9))
    assert scripts.results.share_of_limit(lab5, [half], rates) == pytest.approx(0.5)
    assert scripts.results.share_of_limit(lab5, [half], {"2048 x 2048 x 2048": 50e9}) is None


def test_the_limit_of_float32_is_no_limit_of_mixed_precision(scripts: Scripts) -> None:
    measured_alike = {name: [ours((15, 30, 1.5, 1.5))] for name in ("wellfit", "wellfit mixed")}
    rows = scripts.results.summarize([block(1, measured_alike)])
    assert ["share_of_registers" in row for row in rows] == [True, False]


def turns() -> list[dict[str, Any]]:
    """Three turns: a machine that is slow in the second, a peer that is missing or failing, one that lacks dropout."""
    lacks = {"variant": "dropout", "unsupported": "no dropout"}
    return [
        block(1, {"wellfit": [ours((15, 30, 1.5, 1.5))], "PyTorch": [measured(peer("baseline", 0.3, 0.3))]}),
        block(2, {"wellfit": [ours((15, 30, 6.0, 6.0))], "PyTorch": [measured(peer("baseline", 1.2, 1.2))]}, rate=50e9),
        block(
            3,
            {
                "wellfit": [ours((15, 30, 1.5, 1.5))],
                "PyTorch": {"failed": "out of memory"},
                "scikit-learn": [measured(peer("baseline", 0.4, 0.4), lacks)],
                "none": [measured(lacks)],
                "broken": {"failed": "no such option"},
            },
        ),
    ]


def test_ratios_are_per_turn_without_failures(scripts: Scripts) -> None:
    rows = {row["peer"]: row for row in scripts.results.summarize(turns()[:2])}
    assert rows["PyTorch"]["n"] == 2
    assert rows["PyTorch"]["ratio_steady"] == pytest.approx({"median": 3.0, "low": 3.0, "high": 3.0})
    assert rows["PyTorch"]["epoch_seconds"] == pytest.approx({"median": 0.75, "low": 0.3, "high": 1.2})
    assert rows["wellfit"]["share_of_registers"]["low"] == pytest.approx(rows["wellfit"]["share_of_registers"]["high"])
    assert "ratio" not in rows["wellfit"]
    all_three = {row["peer"]: row for row in scripts.results.summarize(turns())}
    assert all_three["wellfit"]["n"] == 3
    assert all_three["scikit-learn"]["ratio_steady"]["median"] == pytest.approx(4.0)
    assert all_three["scikit-learn"]["charged_as_plain"] == "no dropout"
    assert all_three["none"]["why"] == "no dropout"
    assert all_three["broken"]["why"] == "failed: no such option"


def test_a_peer_that_failed_last_keeps_its_earlier_turns(scripts: Scripts) -> None:
    rows = {row["peer"]: row for row in scripts.results.summarize(turns())}
    assert rows["PyTorch"]["n"] == 2


def test_without_us_there_is_no_ratio(scripts: Scripts) -> None:
    (row,) = scripts.results.summarize([block(1, {"PyTorch": [measured(peer("baseline", 0.3, 0.3))]})])
    assert row["n"] == 1
    assert "ratio" not in row


# --- The table and the file -------------------------------------------------------------------------------------------


def result(scripts: Scripts) -> dict[str, Any]:
    blocks = [*turns(), block(3, {"wellfit": [ours((25, 60, 0.5, 0.1))]}, "digits")]
    return {
        "command": "python benchmarks/run.py",
        "started": "2026-01-01T00:00:00+00:00",
        "machine": {"processor": "A chip", "cores": 2, "versions": {"jax": "1.2.3", "torch": "4.5.6"}},
        "blocks": blocks,
        "whole": [{"workload": "digits", "seconds": 10.0, "trainings": 25, "peak_bytes": 2**30}],
        "summary": scripts.results.summarize(blocks),
    }


def test_the_table_has_a_row_for_every_workload_and_peer(scripts: Scripts) -> None:
    text = scripts.table.render(result(scripts))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 2 + 5 + 1
    assert len({line.count("|") for line in lines}) == 1
    (pytorch,) = (line for line in lines if "PyTorch" in line)
    assert "3.0 (3.0 – 3.0)" in pytorch
    assert "0.75" in pytorch
    assert "lab5, 15 trainings" in lines[2]
    assert "scikit-learn (no dropout)" in text
    assert "none: no dropout" in text
    assert "digits, 25 trainings" in lines[-1]
    assert "A chip, 2 cores" in text
    assert "registers alone 50 – 200 GFLOP/s, the limit; NumPy's float32 product 12 – 50 GFLOP/s" in text
    assert "jax 1.2.3, torch 4.5.6" in text
    assert "test set and writing included: 10.0 s, extrapolated" in text


def test_the_glance_has_a_line_per_study_and_marks_gaps(scripts: Scripts) -> None:
    head, _, lab5, digits = scripts.table.glance(result(scripts)).splitlines()
    assert head == "| whole study | wellfit, s | share of limit | PyTorch | scikit-learn |"
    rows = {row["peer"]: row for row in result(scripts)["summary"] if row["workload"] == "lab5"}
    ratios = [f"{rows[name]['ratio']['median']:.1f}" for name in ("PyTorch", "scikit-learn")]
    assert lab5.startswith("| lab5, 15 trainings |")
    assert f"| {ratios[0]} (" in lab5
    assert f"| {ratios[1]} (" in lab5
    assert lab5.endswith(")* |")
    assert digits.startswith("| digits, 25 trainings |")
    assert digits.endswith("|  |  |")  # no peer was timed on it


def test_without_a_limit_no_table_has_shares(scripts: Scripts) -> None:
    """As in files that an earlier runner wrote: they have NumPy's product alone, which is no limit."""
    blocks = [{**of, "sgemm": {"2048 x 2048 x 2048": 50e9}} for of in turns()]
    for of in blocks:
        del of["rates"]
    summary = [{**row, "share_of_limit": {"median": 1.33}} for row in scripts.results.summarize(blocks)]
    old = {**result(scripts), "blocks": blocks, "summary": summary}
    for text in (scripts.table.render(old), scripts.table.glance(old)):
        assert "133" not in text
        assert "share of limit" not in text
        assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert "the limit was not measured; NumPy's float32 product 50 – 50 GFLOP/s" in scripts.table.render(old)


def test_at_a_glance_there_must_be_something_to_compare_with(scripts: Scripts) -> None:
    without = {"summary": [row for row in result(scripts)["summary"] if row["peer"] != "wellfit"]}
    with pytest.raises(SystemExit, match="wellfit itself was not measured"):
        scripts.table.glance(without)


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1234"), (12.345, "12.3"), (0.1, "0.1"), (0.00012, "0.000120")])
def test_numbers_have_no_exponent(scripts: Scripts, value: float, text: str) -> None:
    assert scripts.table._number(value) == text


def test_the_file_is_written_whole_with_its_source(scripts: Scripts, tmp_path: Path) -> None:
    import json
    import time

    path = tmp_path / "results" / "speed.json"
    source = scripts.run.sources()
    assert {"run.py", "workloads.py", "peers/pytorch.py"} <= source.keys()
    scripts.run.save({**result(scripts), "source": source, "began": time.perf_counter()}, path)
    kept = json.loads(path.read_text())
    assert kept["summary"][0]["peer"] == "wellfit"
    assert "began" not in kept
    assert [p.name for p in path.parent.iterdir()] == ["speed.json"]


def test_a_turn_reuses_lab5_for_studies_of_the_same_network(scripts: Scripts, monkeypatch: Any) -> None:
    started: list[list[str]] = []

    def printed(commands: list[list[str]]) -> list[dict[str, Any]]:
        started.extend(commands)
        if commands == [["machine.py"]]:
            return [{"2048 x 2048 x 2048": 100e9, "registers": 200e9}]
        return [ours((15, 30, 2.0, 1.0)) if "wellfit" in commands[0][0] else measured(peer("baseline", 1.0, 0.3))]

    monkeypatch.setattr(scripts.run, "printed", printed)
    monkeypatch.setattr(scripts.run, "measured_quietly", lambda measure, on_noise: (measure(), 0.0))
    workloads = [scripts.workloads.WORKLOADS[name] for name in ("lab5", "growth-4")]
    first, also_first, second, _ = scripts.run.take_turn(
        1, workloads, ["wellfit", "PyTorch", "PyTorch channels last"], None, 0.0
    )
    assert first is also_first  # it grows with every peer
    assert list(first["peers"]) == ["wellfit", "PyTorch"]  # channels last is for convolutions
    assert second["peers"]["PyTorch"]["same_as"] == ["lab5", "baseline"]
    assert [command[0] for command in started].count("peers/pytorch.py") == 1
    assert [command[0] for command in started].count("peers/wellfit_population.py") == 2
    (alone,) = scripts.run.take_turn(1, workloads[1:], ["PyTorch"], 1, 0.0)
    assert started[-1][1:] == ["--workload", "lab5", "--epochs", "1", "--variants", "baseline,baseline"]
    assert "same_as" not in alone["peers"]["PyTorch"]


def test_a_peer_that_fails_says_why_and_is_left_out(scripts: Scripts) -> None:
    failed = scripts.run.measure("scikit-learn", replace(scripts.workloads.LAB5, name="no-such"), 1)
    assert "invalid choice: 'no-such'" in failed["failed"]


def test_numpy_is_not_told_what_its_processor_is(scripts: Scripts, monkeypatch: Any) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.setenv("OPENBLAS_L2_SIZE", "1")
    with scripts.run.environment() as environment:
        assert not [name for name in environment if name.startswith("OPENBLAS")]


def test_results_need_five_turns(scripts: Scripts, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setattr(sys, "argv", ["run.py", "--turns", "4", "--out", str(tmp_path / "new" / "speed.json")])
    with pytest.raises(SystemExit):
        scripts.run.parsed()
    assert "--out needs --turns 5 or more: fewer are a trial, not a result" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr(sys, "argv", ["run.py", "--turns", "1"])
    assert scripts.run.parsed().turns == 1


# --- A quiet machine --------------------------------------------------------------------------------------------------


def test_the_registers_are_the_limit(scripts: Scripts) -> None:
    pytest.importorskip("llvmlite")
    rate = scripts.machine.register_rate()
    assert rate is None or rate > 1e9


def test_others_used_what_was_not_our_own(scripts: Scripts) -> None:
    used = scripts.quiet.Used
    before = used(10.0, 100.0, 5.0)
    assert scripts.quiet.by_others(before, used(20.0, 112.0, 15.0)) == pytest.approx(0.2)
    assert scripts.quiet.by_others(before, used(20.0, 110.0, 15.1)) == 0.0  # a tick late
    assert scripts.quiet.by_others(used(10.0, None, 5.0), used(20.0, None, 15.0)) is None
    assert [scripts.quiet.is_quiet(others) for others in (None, 0.0, 0.1, 0.11, 2.0)] == [
        True,
        True,
        True,
        False,
        False,
    ]


def moments(scripts: Scripts, *others: float) -> Any:
    """What is read before and after measurements of ten seconds each, while others use so many cores."""
    read, clock, busy = [], 0.0, 0.0
    for cores in others:
        read.append(scripts.quiet.Used(clock, busy, clock))
        clock, busy = clock + 10, busy + 10 + 10 * cores
        read.append(scripts.quiet.Used(clock, busy, clock))
    return iter(read)


def test_a_disturbed_measurement_is_repeated_and_reported(scripts: Scripts) -> None:
    measured, told = iter("abc"), []
    read = moments(scripts, 0.5, 0.12, 0.05).__next__
    kept, others = scripts.quiet.measured_quietly(lambda: next(measured), told.append, read)
    assert kept == "c"
    assert others == pytest.approx(0.05)
    assert told == pytest.approx([0.5, 0.12])


def test_on_a_busy_machine_nothing_is_published(scripts: Scripts) -> None:
    told: list[float] = []
    read = moments(scripts, *[0.5] * scripts.quiet.ATTEMPTS).__next__
    with pytest.raises(
        SystemExit, match=r"more than 10% of a core in 5 attempts; nothing of them was kept\. Stop what"
    ):
        scripts.quiet.measured_quietly(lambda: None, told.append, read)
    assert len(told) == scripts.quiet.ATTEMPTS


def test_where_the_system_does_not_say_measurements_count(scripts: Scripts, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(scripts.quiet, "_STAT", tmp_path / "none")
    assert scripts.quiet.used().all is None
    assert scripts.quiet.measured_quietly(lambda: 7, pytest.fail) == (7, None)


def test_what_a_process_and_its_children_use_is_their_own(scripts: Scripts) -> None:
    if not Path("/proc/stat").exists():
        pytest.skip("needs Linux")
    before = scripts.quiet.used()
    work = "import time\nwhile time.process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    after = scripts.quiet.used()
    assert 0.45 < after.own - before.own < 5
    assert after.all - before.all > 0.4


def test_a_turn_names_what_it_discarded(scripts: Scripts, monkeypatch: Any, capsys: Any) -> None:
    def measured_quietly(measure: Any, on_noise: Any) -> Any:
        on_noise(0.34)
        return measure(), 0.0

    monkeypatch.setattr(scripts.run, "measured_quietly", measured_quietly)
    monkeypatch.setattr(scripts.run, "printed", lambda _: [{"2048 x 2048 x 2048": 100e9, "registers": 200e9}])
    monkeypatch.setattr(scripts.run, "measure", lambda *_: {"failed": "no"})
    (block,) = scripts.run.take_turn(2, [scripts.workloads.LAB5], ["wellfit"], 1, 0.0)
    assert "turn 2, lab5, wellfit: other processes used 0.34 of a core; measured again" in capsys.readouterr().out
    assert [discarded["measured"] for discarded in block["discarded"]] == ["the machine", "wellfit"]


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["folder", "parquet"])
def test_both_readers_read_all_examples_of_the_small_files(scripts: Scripts, task: str, tmp_path: Path) -> None:
    write, peer, read_alone = scripts.reading.TASKS[task]
    said = write(tmp_path, True)
    assert "200" in said or "2,000" in said
    examples = 200 if task == "folder" else 2000
    assert read_alone(tmp_path)() == scripts.reading.ours(tmp_path)() == examples
    (block,) = scripts.reading.measure(task, tmp_path, 1)
    assert {measured["examples"] for measured in block.values()} == {examples}
    assert all(measured["peak_bytes"] >= measured["before_bytes"] > 1e7 for measured in block.values())
    assert peer in scripts.reading.line(scripts.reading.row(peer, [block]))


def test_kaggles_table_is_written_from_the_real_data_and_skipped_without(
    scripts: Scripts, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, _, read_alone = scripts.reading.TASKS["fashion-csv"]
    assert "200 + 100 rows" in write(tmp_path, True)
    assert read_alone(tmp_path)() == scripts.reading.ours(tmp_path)() == 300
    monkeypatch.setenv("WELLFIT_DATA", str(tmp_path))
    assert write(tmp_path, True) == ""


def test_ratios_of_reading_are_taken_within_turns(scripts: Scripts) -> None:
    blocks = [
        {"wellfit": {"seconds": 2.0, "peak_bytes": 300}, "peer": {"seconds": 1.0, "peak_bytes": 100}},
        {"wellfit": {"seconds": 9.0, "peak_bytes": 300}, "peer": {"seconds": 9.0, "peak_bytes": 100}},
    ]
    row = scripts.reading.row("pandas", blocks)
    assert row["ratio_seconds"] == {"median": 1.5, "low": 1.0, "high": 2.0}
    assert row["ratio_peak_bytes"]["median"] == 3
    assert row["n"] == 2


def test_the_table_of_searches_has_means_and_ranges(scripts: Scripts) -> None:
    one = {"tried": 10, "epochs": 49, "best": 0.85, "fresh": 0.84, "seconds": 10.0, "processor": 4.0}
    other = {**one, "best": 0.87, "seconds": 20.0}
    lines = scripts.searched.table([{"wellfit": one}, {"wellfit": other}]).splitlines()
    assert len(lines) == 3
    assert "| 10 | 49 | 86.00 (85.00 to 87.00) | 84.00 (84.00 to 84.00) | 15 (10 to 20) | 4 (4 to 4) |" in lines[2]


@pytest.mark.parametrize(
    "stages", [["layers", "lab5 x 16"], pytest.param([], marks=pytest.mark.slow)], ids=["two", "all"]
)
def test_what_is_measured_on_a_gpu_can_be_measured(stages: list[str], tmp_path: Path) -> None:
    """With few examples, on a CPU's devices that are taken for GPUs."""
    command = [sys.executable, str(BENCHMARKS / "accelerator.py"), "--tiny", "--out", str(tmp_path / "found.json")]
    command += ["--only", *stages] if stages else []
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    found = json.loads((tmp_path / "found.json").read_text())
    without = {"keras": "keras", "pytorch": "torch"}  # peers that need not be installed
    allowed = {stage for stage, module in without.items() if importlib.util.find_spec(module) is None}
    assert {stage for stage, of in found.items() if isinstance(of, dict) and "failed" in of} <= allowed, done.stderr
    ran = found["lab5 x 16"]
    assert (ran["trainings"], ran["planned_waves"], ran["waves"]) == (12, [1], [1])
    assert ran["run_epochs_per_second"] == pytest.approx(12 / ran["epoch_seconds"])
    assert found["layers"]["seconds"].keys() == {"ours", "xla"}


def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "accelerator.py"), "--stage", "layers"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "no accelerator: JAX sees the processor only; install JAX for the GPU\n"
