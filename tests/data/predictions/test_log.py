"""``wellfit.log``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from permissions import enforced
from predictions import LABELS, all_runs, probabilities
from wellfit.data.predictions.log import check_log, log
from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError, StoreError, WellfitError

P = probabilities("l2", 0)
NAMES = ("cat", "dog", "eel")


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_logged_runs_are_judged_like_arrays(tmp_path: Path):
    curves = {"loss": [0.9, 0.5], "val_loss": [0.8, 0.6], "learning_rate": [0.1, 0.1]}
    for name, of in all_runs(2).items():
        for seed, p in enumerate(of):
            log(name, seed, p, y_test=LABELS, out=tmp_path / "runs", curves=curves, settings={"l2": name == "l2"})
    given = read_predictions([tmp_path / "runs"])
    assert {name: len(of) for name, of in given.variants.items()} == {"baseline": 2, "l1": 2, "l2": 2}
    assert given.settings["l2"] == {"l2": True}
    np.testing.assert_array_equal(given.histories["l2", 1]["validation_loss"], [0.8, 0.6])
    for run in given.runs:
        assert run.values().tobytes() == probabilities(run.variant, run.seed).tobytes()


def test_every_kind_of_answer(tmp_path: Path):
    truth = np.array(NAMES)[LABELS]
    log("classes", 0, truth, y_test=truth, out=tmp_path / "a")
    assert (read_predictions([tmp_path / "a"]).runs[0].values() == LABELS).all()
    log("logits", 0, np.log(P), y_test=truth, class_names=NAMES, groups=LABELS, out=tmp_path / "b", softmax=True)
    given = read_predictions([tmp_path / "b"])
    assert (given.classes, given.groups is not None) == (NAMES, True)
    np.testing.assert_allclose(given.runs[0].values(), P, atol=1e-6)
    log("one-column", 0, np.array([0.25, 1.0]), y_test=[0, 1], out=tmp_path / "c")
    assert read_predictions([tmp_path / "c"]).runs[0].values().tolist() == [[0.75, 0.25], [0, 1]]
    log("one-logit", 0, np.array([[0.0], [9.0]]), y_test=[0, 1], out=tmp_path / "d", softmax=True)
    assert read_predictions([tmp_path / "d"]).runs[0].values()[0].tolist() == [0.5, 0.5]


def test_folds(tmp_path: Path):
    for seed, fold in enumerate((np.array([4, 0, 2]), np.array([1, 3, 5]))):
        log("a", seed, P[fold], y_test=LABELS[:6], fold=fold, out=tmp_path)
    first = read_predictions([tmp_path]).runs[0]
    assert first.rows is not None
    assert first.rows.tolist() == [0, 2, 4]
    np.testing.assert_array_equal(first.values(), P[[0, 2, 4]])


@pytest.mark.parametrize("name", ["l2=0.001", "labels", "y", "target.0", "-+_,=."[:5]])
def test_every_name_that_a_study_takes(tmp_path: Path, name: str):
    """Also one that labels have."""
    log(name, 7, P, y_test=LABELS, out=tmp_path)
    assert read_predictions([tmp_path]).variants == {name: (7,)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"variant": "a/b"}, r"log\('a/b', 0, ...\): variant 'a/b': a name has at most 64 letters"),
        ({"variant": "../a"}, "a name has"),
        ({"variant": ""}, "a name has"),
        ({"variant": 3}, "variant of type int; give its name"),
        ({"seed": -1}, "seed -1 is not a whole number from 0 to 999,999,999"),
        ({"seed": 0.5}, "seed 0.5 is not a whole number"),
        ({"seed": True}, "seed True is not a whole number"),
        ({"predictions": np.log(P)}, r"is not a probability; if these are logits, give --softmax \(softmax=True\)"),
        ({"predictions": P / 2}, "sum to 0.5, not to 1"),
        ({"predictions": P * np.nan}, "NaN or infinity in row 0"),
        ({"predictions": P[:7]}, "7 predictions for 200 labels"),
        ({"predictions": 0.9}, "one number; give what the run predicts for each test example"),
        ({"predictions": [[0.5, 0.5], [1.0]]}, "list is no array"),
        ({"predictions": np.zeros((200, 3, 2))}, "probabilities of shape"),
        ({"predictions": np.array(["x"] * 200)}, "predicts x, none of which is a label"),
        ({"predictions": np.full((200, 2), 0.5)}, "3 different labels .*, but 2 probabilities"),
        ({"y_test": [0, None]}, "y_test: the label of example 1 is missing"),
        ({"y_test": None, "groups": [1]}, "groups without y_test; give both"),
        ({"y_test": None, "class_names": NAMES}, "class_names without y_test"),
        ({"groups": [1, 2]}, r"groups of shape \(2,\) for 200 labels"),
        ({"class_names": ["cat", "dog"]}, "2 class names for 3 probabilities"),
        ({"fold": [0.5]}, r"fold: float64, \(1,\); give the position of each"),
        ({"fold": [True] * 200}, "fold: bool"),
        ({"fold": [0, 0]}, "fold: has an example twice"),
        ({"fold": [200]}, "fold: position 200, but there are 200 labels"),
        ({"fold": [0, 1]}, "200 predictions for 2 examples of the fold"),
        ({"settings": {"f": len}}, "settings: holds more than texts"),
        ({"curves": [(1, "auc", "val", 0.5)]}, "curves, row 0 .from 0.: metric 'auc' of split 'val'; give loss"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(tmp_path: Path, arguments: dict[str, Any], message: str):
    given = {"variant": "a", "seed": 0, "predictions": P, "y_test": LABELS, "out": tmp_path / "runs", **arguments}
    with pytest.raises(DataError, match=message) as caught:
        log(**given)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"seed": 0}, r"a.0.npz: this run has been logged before; choose another seed, or give overwrite=True"),
        ({"variant": "A"}, "variants 'a' and 'A' would share a file"),
        ({"y_test": (LABELS + 1) % 3}, r"y_test has 0 for example 0, but .*labels.npz has 2; give the same examples"),
        ({"y_test": LABELS[:9], "predictions": P[:9]}, "y_test has 9 labels, but .* has 200"),
        ({"groups": LABELS}, "other groups than .*labels.npz"),
        ({"class_names": NAMES}, "class_names cat, dog, eel, but .*labels.npz has none"),
        ({"y_test": None, "predictions": P[:9]}, "9 predictions for 200 labels"),
        ({"settings": {"lr": 2}}, "setting 'lr' is 2, but is 1 in .*a.0.npz; settings are the same for all seeds"),
        ({"settings": {}}, "setting 'lr' is missing, but is 1"),
    ],
)
def test_what_contradicts_the_folder_is_one_line(tmp_path: Path, arguments: dict[str, Any], message: str):
    log("a", 0, P, y_test=LABELS, out=tmp_path, settings={"lr": 1})
    before = contents(tmp_path)
    with pytest.raises(WellfitError, match=message):
        log(**{"variant": "a", "seed": 1, "predictions": P, "y_test": LABELS, "out": tmp_path, **arguments})
    assert contents(tmp_path) == before


def test_overwrite(tmp_path: Path):
    log("a", 0, P, y_test=LABELS, out=tmp_path, settings={"lr": 1})
    log("a", 0, P[:, ::-1], out=tmp_path, settings={"lr": 2}, overwrite=True)
    given = read_predictions([tmp_path])
    assert given.settings == {"a": {"lr": 2}}
    np.testing.assert_array_equal(given.runs[0].values(), P[:, ::-1])


def test_labels_may_be_a_table(tmp_path: Path):
    pd.DataFrame({"label": LABELS}).to_csv(tmp_path / "labels.csv", index=False)
    log("a", 0, P, y_test=LABELS, out=tmp_path)
    assert not (tmp_path / "labels.npz").exists()
    with pytest.raises(DataError, match=r"but .*labels.csv has"):
        log("a", 1, P, y_test=(LABELS + 1) % 3, out=tmp_path)


def test_a_place_that_cannot_be_written(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="file: is no folder; choose another out"):
        log("a", 0, P, y_test=LABELS, out=tmp_path / "file")
    (tmp_path / "closed").mkdir(mode=0o500)
    with enforced(), pytest.raises(StoreError, match="cannot be written: Permission denied; choose another out"):
        log("a", 0, P, y_test=LABELS, out=tmp_path / "closed")


def test_the_settings_of_a_folder_must_agree_when_it_is_read(tmp_path: Path):
    """Two processes that log at once do not see each other."""
    log("a", 0, P, y_test=LABELS, out=tmp_path / "one", settings={"lr": 1})
    log("a", 1, P, y_test=LABELS, out=tmp_path / "two", settings={"lr": 2})
    (tmp_path / "two" / "a.1.npz").rename(tmp_path / "one" / "a.1.npz")
    with pytest.raises(DataError, match=r"a.1.npz: setting 'lr' is 2, but is 1 in a.0.npz"):
        read_predictions([tmp_path / "one"])


def test_a_faster_process_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Another process writes labels and run between our look at the folder and our writing."""
    real = np.savez

    def late(stream: Any, **arrays: Any) -> None:
        monkeypatch.setattr(np, "savez", real)
        log("a", 0, P, y_test=others, out=tmp_path / str(others is LABELS))
        real(stream, **arrays)

    for others, error, message in (
        (LABELS, StoreError, "this run has been logged before"),
        ((LABELS + 1) % 3, DataError, "y_test has 2 for example 0"),
    ):
        monkeypatch.setattr(np, "savez", late)
        with pytest.raises(error, match=message):
            log("a", 0, P, y_test=LABELS, out=tmp_path / str(others is LABELS))


SOME = """
import sys
from pathlib import Path
import numpy as np
from wellfit.data.predictions.log import log
from wellfit.errors import StoreError

p, labels = np.full((500, 2), 0.5), np.arange(500) % 2
for seed in range(8):
    for variant in ("shared", sys.argv[2]):
        try:
            log(variant, seed, p, y_test=labels, out=Path(sys.argv[1]))
        except StoreError:
            assert variant == "shared"
"""
"""Log runs that others log too, and runs of its own."""


def test_processes_log_into_one_folder(tmp_path: Path):
    workers = [subprocess.Popen([sys.executable, "-c", SOME, tmp_path, f"own{which}"]) for which in range(4)]
    assert [worker.wait(200) for worker in workers] == [0] * 4
    given = read_predictions([tmp_path])
    seeds = tuple(range(8))
    assert given.variants == {"shared": seeds, **{f"own{which}": seeds for which in range(4)}}
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_threads_log_into_one_folder(tmp_path: Path):
    """They share a process id."""

    def one(which: int) -> bool:
        try:
            log("shared", which % 4, P, y_test=LABELS, out=tmp_path)
        except StoreError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(one, range(32))) == 4
    assert read_predictions([tmp_path]).variants == {"shared": (0, 1, 2, 3)}


KILLED = """
import os, signal, sys
import numpy as np
from wellfit.data.predictions.log import log

def half(stream, **arrays):
    stream.write(b"PK")
    stream.flush()
    os.kill(os.getpid(), signal.SIGKILL)

np.savez = half
log("a", 1, np.full((200, 3), 1 / 3), out=sys.argv[1])
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_process_leaves_nothing_that_is_read(tmp_path: Path):
    log("a", 0, P, y_test=LABELS, out=tmp_path)
    killed = subprocess.run([sys.executable, "-c", KILLED, tmp_path], check=False, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name[:9] for path in tmp_path.iterdir() if path.name.startswith(".")] == [".a.1.npz."]
    assert read_predictions([tmp_path]).variants == {"a": (0,)}
    log("a", 1, P, out=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.0.npz", "a.1.npz", "labels.npz"]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def refused(*_: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    log("a", 0, P, y_test=LABELS, out=tmp_path)
    assert read_predictions([tmp_path]).variants == {"a": (0,)}
    with pytest.raises(StoreError, match="logged before"):
        check_log("a", 0, out=tmp_path)


@pytest.mark.parametrize("library", ["torch", "keras", "jax"])
def test_tensors_of_other_libraries(tmp_path: Path, library: str):
    module = pytest.importorskip(library)

    def of(values: np.ndarray) -> Any:
        if library == "torch":
            return module.tensor(values, requires_grad=values.dtype.kind == "f")
        return module.ops.convert_to_tensor(values) if library == "keras" else module.numpy.asarray(values)

    log("a", 0, of(P), y_test=of(LABELS), groups=of(LABELS), out=tmp_path)
    given = read_predictions([tmp_path])
    assert given.runs[0].values().tobytes() == P.tobytes()
    np.testing.assert_array_equal(given.labels, LABELS)
