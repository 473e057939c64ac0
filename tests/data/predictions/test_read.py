"""Files and folders of predictions: which reader takes them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from predictions import archives
from wellfit.data.predictions.read import read_predictions
from wellfit.errors import DataError


def test_other_files_of_a_folder_are_left_out(tmp_path: Path):
    folder = archives(tmp_path / "runs")
    (folder / "readme.txt.md").write_text("x")
    (folder / "keepsakes.npz").write_bytes(b"x")
    assert len(read_predictions([folder]).runs) == 9


def test_what_holds_no_predictions_is_one_line(tmp_path: Path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "pickles").mkdir()
    (tmp_path / "pickles" / "a.pkl").write_bytes(b"\x80\x04.")
    (tmp_path / "alone").mkdir()
    np.savez(tmp_path / "alone" / "labels.npz", labels=np.arange(2))
    twice = archives(tmp_path / "twice")
    np.save(twice / "y.npy", np.arange(200))
    for name, message in (
        ("empty", "empty: no predictions in it"),
        ("pickles", "a.pkl: is a pickled file"),
        ("alone", "alone: no predictions; give tables"),
        ("gone", "gone: no such file or folder"),
        ("twice", "y.npy: holds other labels than .*labels.npz; keep one of the files"),
    ):
        with pytest.raises(DataError, match=message):
            read_predictions([tmp_path / name])


def test_a_pipe_is_refused(tmp_path: Path):
    import os

    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match=r"pipe.csv: .*not a file or folder"):
        read_predictions([tmp_path / "pipe.csv"])


def test_folders_with_the_same_labels_are_judged_together(tmp_path: Path):
    for at, name in enumerate(("first", "second")):
        archives(tmp_path / name)
        for file in (tmp_path / name).glob("*.npz"):
            stem, dot, rest = file.name.partition(".")
            if stem != "labels":
                file.rename(file.with_name(f"{stem}{dot}{int(rest.split('.')[0]) + 10 * at}.npz"))
    given = read_predictions([tmp_path / "first", tmp_path / "second"])
    assert all(len(seeds) == 6 for seeds in given.variants.values())


def test_a_study_directory_is_one_line(tmp_path: Path):
    (tmp_path / "study.db").touch()
    with pytest.raises(
        DataError, match=r"is a study directory, which wellfit show .* opens; judge the folder test in it"
    ):
        read_predictions([tmp_path])
