"""The table of runs, as Weights & Biases exports it."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from wellfit.data.tracked.read import read_runs
from wellfit.data.tracked.runs import Tracked
from wellfit.data.tracked.wandb import is_wandb, read_wandb
from wellfit.errors import DataError

HEADER = (
    '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","batch_size","dropout","loss_fn","seed","epoch",'
    '"test/acc","val_loss"'
)


def row(name: str, dropout: str, seed: str, accuracy: str, state: str = "finished", loss: str = "ce") -> str:
    about = f'"{name}","{state}","-","me","","2026-01-02T10:00:00.000Z","120",""'
    return f'{about},"64","{dropout}","{loss}","{seed}","9","{accuracy}","0.3"'


def table(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


ROWS = [row(f"swift-{d}-{s}", d, s, f"0.9{s}") for d in ("0.1", "0.3") for s in ("1", "2")]


def test_an_exported_table(tmp_path: Path):
    file = table(tmp_path / "wandb_export.csv", *ROWS, row("odd", "0.3", "3", "", "crashed"))
    assert is_wandb(file)
    found = read_runs([file])
    assert [(r.variant, r.seed, r.accuracy) for r in found.runs] == [
        ("dropout=0.1", 1, 0.91), ("dropout=0.1", 2, 0.92), ("dropout=0.3", 1, 0.91), ("dropout=0.3", 2, 0.92)
    ]  # fmt: skip
    assert found.settings["dropout=0.1"] == {"batch_size": "64", "dropout": "0.1", "loss_fn": "ce"}
    assert "Settings: the columns batch_size, dropout, loss_fn, seed; --by names others." in found.notes
    assert "Left out: runs that are not finished (1 crashed)." in found.notes


def test_a_text_is_no_metric_and_the_name_can_make_a_variant(tmp_path: Path):
    rows = [row("a" if at < 2 else "b", "0.1", str(at % 2), "0.9", loss="ce" if at < 2 else "mse") for at in range(4)]
    file = table(tmp_path / "w.csv", *rows)
    assert read_runs([file]).variants == {"ce": (0, 1), "mse": (0, 1)}
    assert read_runs([file], tracked=Tracked(by=("Name",))).variants == {"a": (0, 1), "b": (0, 1)}


def test_a_text_among_numbers_of_a_metric_is_one_line_where_its_run_counts(tmp_path: Path):
    crashed = row("odd", "0.3", "3", "error", "crashed")
    assert len(read_runs([table(tmp_path / "w.csv", *ROWS, crashed)]).runs) == 4
    message = r"w.csv, line 6: '91%' in the column 'test/acc' is no number; correct the cell, or empty it"
    with pytest.raises(DataError, match=message):
        read_runs([table(tmp_path / "w.csv", *ROWS, row("odd", "0.3", "3", "91%"))])
    loss = ROWS[0].removesuffix('"0.3"') + '"low"'
    with pytest.raises(DataError, match=r"'low' in the column 'val_loss' is no number"):
        read_runs([table(tmp_path / "w.csv", loss, *ROWS[1:])])


def test_runs_that_are_there_twice_are_one_line(tmp_path: Path):
    with pytest.raises(DataError, match=r"line 6: variant 'dropout=0.1', seed 1 is there twice, .*line 2; .*with --by"):
        read_runs([table(tmp_path / "w.csv", *ROWS, ROWS[0])])


def test_a_table_without_finished_runs_is_one_line(tmp_path: Path):
    with pytest.raises(DataError, match="has no finished run"):
        read_wandb(table(tmp_path / "w.csv", row("a", "0", "1", "", "running"), row("b", "0", "2", "", "failed")))
    (tmp_path / "other.csv").write_text("name,state\na,b\n")
    assert not is_wandb(tmp_path / "other.csv")


def test_numbers_that_are_set_are_no_metrics_and_metrics_can_make_a_variant(tmp_path: Path):
    names = "grad_clip", "aux_loss_weight", "val_fraction", "test_size"
    header = f'"Name","State","User","seed","best_step",{",".join(names)},"test/acc"'
    rows = [f"r,finished,me,{at},{at // 2},{at // 2},0.1,0.2,100,0.9{at}" for at in range(4)]
    file = table(tmp_path / "w.csv")
    file.write_text("\n".join([header, *rows]) + "\n")
    found = read_runs([file])
    assert found.variants == {"grad_clip=0": (0, 1), "grad_clip=1": (2, 3)}
    assert found.settings["grad_clip=0"] == dict(zip(names, ("0", "0.1", "0.2", "100"), strict=True))
    assert "Metrics, not settings: the columns best_step, test/acc." in found.notes
    assert len(read_runs([file], tracked=Tracked(by=("best_step",))).variants) == 2
    assert read_runs([file], tracked=Tracked(seed="best_step", by="seed")).variants["seed=3"] == (1,)


def scripted(path: Path, *rows: tuple[dict[str, object] | str, dict[str, object] | str]) -> Path:
    """As the script in the documentation of W&B writes it, with pandas."""
    summaries, configs = zip(*rows, strict=True)
    names = [f"swift-{at}" for at in range(len(rows))]
    pd.DataFrame({"summary": summaries, "config": configs, "name": names}).to_csv(path)
    return path


def test_the_table_of_the_script_with_dictionaries(tmp_path: Path):
    rows = [
        (
            {"_step": 9, "_wandb": {"runtime": 3}, "test": {"acc": 0.9 + seed / 100}, "loss": float("nan")},
            {"seed": seed, "opt": {"name": "adam", "lr": rate}, "note": "it's 'quoted', with commas"},
        )
        for rate in (0.1, 0.01)
        for seed in (1, 2)
    ]
    file = scripted(tmp_path / "project.csv", *rows)
    assert is_wandb(file)
    found = read_runs([file])
    assert [(r.variant, r.seed, r.accuracy) for r in found.runs] == [
        ("lr=0.1", 1, 0.91), ("lr=0.1", 2, 0.92), ("lr=0.01", 1, 0.91), ("lr=0.01", 2, 0.92)
    ]  # fmt: skip
    assert found.settings["lr=0.01"]["opt/name"] == "adam"
    assert "The table does not say which runs are finished, so all are read." in found.notes
    assert read_runs([file], tracked=Tracked(by="name", seed="seed")).variants["swift-0"] == (1,)


def test_runs_whose_state_is_known_are_left_out_unless_finished(tmp_path: Path):
    rows = [({"test_acc": 0.9}, {"seed": s, "wd": w}) for w in (0, 1) for s in (3, 4)]
    file = scripted(tmp_path / "p.csv", *rows)
    frame = pd.read_csv(file)
    frame["state"] = ["finished", "finished", "finished", "crashed"]
    frame.to_csv(file, index=False)
    found = read_runs([file])
    assert found.variants == {"wd=0": (3, 4), "wd=1": (3,)}
    assert "Left out: runs that are not finished (1 crashed)." in found.notes
    assert not any("does not say" in note for note in found.notes)


@pytest.mark.parametrize("large", ["0x" + "f" * 5000, "-0b1" + "0" * 2000])
@pytest.mark.parametrize("cell", ["{{'seed': {}}}", "{{{}: 1}}", "{{'a': [1, {{'b': {}}}]}}"])
def test_numbers_that_python_refuses_to_write_are_one_line(tmp_path: Path, cell: str, large: str):
    usual = {"test_acc": 0.9}, {"seed": 1}
    file = scripted(tmp_path / "p.csv", usual, ({"test_acc": 0.9}, cell.format(large)))
    with pytest.raises(DataError, match=r"p\.csv, line 3: config is not a Python dictionary"):
        read_wandb(file)


def test_settings_as_an_older_interface_writes_them(tmp_path: Path):
    rows = [
        ({"test_acc": 0.9}, {"seed": {"desc": None, "value": s}, "wd": {"value": w}}) for w in (0, 1) for s in (3, 4)
    ]
    assert read_runs([scripted(tmp_path / "p.csv", *rows)]).variants == {"wd=0": (3, 4), "wd=1": (3, 4)}


@pytest.mark.parametrize("cell", ["", "[1]", "<Config>", "__import__('os').getcwd()", "{'a': "])
def test_what_is_no_dictionary_is_one_line(tmp_path: Path, cell: str):
    file = scripted(tmp_path / "p.csv", ({"test_acc": 0.9}, {"seed": 1}), ({"test_acc": 0.9}, cell))
    with pytest.raises(
        DataError, match=r"p\.csv, line 3: config is not a Python dictionary.*; write dict\(run\.config\)"
    ):
        read_wandb(file)
