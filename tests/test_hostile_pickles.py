"""A pickle that would run a program, in every place where a stranger's file can be: it never runs."""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import joblib
import numpy as np
import pandas as pd
import pytest
import scipy.io

from small_studies import command, points, small
from wellfit.base import Reading
from wellfit.data.catalog import load_dataset
from wellfit.errors import WellfitError
from wellfit.study.run import run_study
from wellfit.study.session import Session

Y = np.arange(20) % 2
X = np.arange(80.0).reshape(20, 4)


class Bomb:
    """Unpickled, it writes a file."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.mark,))


def objects(mark: Path) -> Any:
    """An array of objects, as long as the labels."""
    array = np.empty(len(Y), object)
    array[:] = [Bomb(mark) for _ in Y]
    return array


def saved(write: Callable[[io.BytesIO], Any]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def torch_zip(mark: Path) -> bytes:
    """What torch.save writes: a pickle in a zip archive."""

    def write(file: io.BytesIO) -> None:
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr("model/data.pkl", pickle.dumps(Bomb(mark)))

    return saved(write)


def parquet(mark: Path) -> bytes:
    frame = pd.DataFrame({"a": X[:, 0], "label": Y, "odd": [pickle.dumps(Bomb(mark))] * len(Y)})
    return saved(frame.to_parquet)


def hdf5(mark: Path) -> bytes:
    def write(file: io.BytesIO) -> None:
        with h5py.File(file, "w") as archive:
            archive["x"], archive["y"] = X, Y
            archive["x"].attrs["python"] = np.void(pickle.dumps(Bomb(mark)))
            archive["odd"] = np.void(pickle.dumps(Bomb(mark)))

    return saved(write)


FORMS: dict[str, Callable[[Path], bytes]] = {
    "a.npy": lambda mark: saved(lambda file: np.save(file, objects(mark), allow_pickle=True)),
    "x.npz": lambda mark: saved(lambda file: np.savez(file, x=objects(mark), y=Y)),
    "y.npz": lambda mark: saved(lambda file: np.savez(file, x=X, y=objects(mark))),
    "other.npz": lambda mark: saved(lambda file: np.savez(file, x=X, y=Y, other=objects(mark))),
    "a.joblib": lambda mark: saved(lambda file: joblib.dump(Bomb(mark), file)),
    "z.joblib": lambda mark: saved(lambda file: joblib.dump(Bomb(mark), file, compress=3)),
    "a.pkl": lambda mark: pickle.dumps(Bomb(mark)),
    "old.pkl": lambda mark: pickle.dumps(Bomb(mark), protocol=0),
    "a.pt": torch_zip,
    "a.mat": lambda mark: saved(lambda file: scipy.io.savemat(file, {"x": X, "y": Y, "odd": pickle.dumps(Bomb(mark))})),
    "a.h5": hdf5,
    "a.parquet": parquet,
}
AS = ("", ".npy", ".npz", ".csv", ".h5", ".png")
"""Suffixes under which each of them is tried too."""


def test_the_payload_works(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "mark")))
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("name", FORMS)
def test_no_reader_runs_it(name: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    content = FORMS[name](mark)
    for suffix in {Path(name).suffix, *AS}:
        folder = tmp_path / f"as{suffix}"
        (folder / "cat").mkdir(parents=True)
        for place in (folder / f"a{suffix}", folder / "cat" / f"a{suffix}"):
            place.write_bytes(content)
        for path in (folder / f"a{suffix}", folder, folder / "cat"):
            with contextlib.suppress(WellfitError):  # any other error is a defect
                load_dataset(path)
        (folder / "t.csv").write_text("a,b,label\n" + "".join(f"{i / 7},{i % 3},{i % 2}\n" for i in range(20)))
        for setting in ("test_file", "validation_file"):
            with pytest.raises(WellfitError):
                load_dataset(folder / "t.csv", Reading(**{setting: f"a{suffix}"}))
    assert not mark.exists()


@pytest.mark.parametrize("name", ["a.npy", "x.npz", "a.joblib", "a.pkl", "a.pt"])
def test_a_study_directory_does_not_run_it(name: str, tmp_path: Path) -> None:
    """Its checksums are those of the hostile files, as a stranger would make them."""
    mark, study = tmp_path / "mark", tmp_path / "study"
    run_study(Session(small(2, l2={"l2": 0.01}), points(), study))
    content = FORMS[name](mark)
    files = list(study.rglob("*.npz"))
    assert len(files) > 2
    with contextlib.closing(sqlite3.connect(study / "study.db")) as connection, connection:
        replaced = 0
        for path in files:
            sums = (hashlib.sha256(content).hexdigest(), hashlib.sha256(path.read_bytes()).hexdigest())
            for column in ("weights_sha256", "test_sha256"):
                replaced += connection.execute(f"UPDATE runs SET {column} = ? WHERE {column} = ?", sums).rowcount
            path.write_bytes(content)
    assert replaced > 2
    shutil.copytree(study, tmp_path / "twin")
    for arguments in (["show"], ["verify"], ["report"], ["merge", tmp_path / "twin", "--out", tmp_path / "both"]):
        status, _, err = command(arguments[0], study, *arguments[1:])
        assert status in (1, 2), (arguments, err)
        assert "Traceback" not in err
    assert not mark.exists()
