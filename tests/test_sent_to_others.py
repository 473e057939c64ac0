"""A report is sent to others: no form of it, and no model, names a folder of the machine that made it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import wellfit
from wellfit.interop.exports import export_model
from wellfit.report.forms.formats import FORMATS, write_report
from wellfit.report.forms.side_by_side import render_side_by_side
from wellfit.results import Results
from wellfit.study.as_json import to_json
from wellfit.study.side_by_side import compare_studies

FOLDER = "folder of ann"
"""Every place is in it; the space would end a path that is found by its form alone."""


def write_table(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    lines = [f"{a:.3f},{b:.3f},{'yes' if a + b > 0 else 'no'}" for a, b in generator.normal(size=(80, 2))]
    path = folder / "people.csv"
    path.write_text("a,b,label\n" + "\n".join(lines))
    return path


def write_images(folder: Path) -> Path:
    place = folder / "pets"
    generator = np.random.default_rng(0)
    for label in ("cat", "dog"):
        (place / label).mkdir(parents=True)
        for at in range(30):
            pixels = generator.integers(0, 255, (6, 6), dtype=np.uint8)
            Image.fromarray(pixels).save(place / label / f"{at}.png")
    return place


def write_arrays(folder: Path) -> Path:
    generator = np.random.default_rng(0)
    path = folder / "points.npz"
    np.savez(path, x=generator.normal(size=(60, 2)), y=np.arange(60) % 2)
    return path


def study_of(data: object, folder: Path) -> Results:
    """A study whose command, data and directory have whole paths."""
    x = (data,) if isinstance(data, Path) else data
    study = wellfit.Study(*x, wellfit.mlp(4), variants={"baseline": {}, "l2": {"l2": 0.01}}, epochs=1, seeds=2)
    directory = folder / "study"
    study.run(directory, progress=False)
    command = f"wellfit run --data='{folder}/data' --out '{directory}' --set data.label=y"
    with closing(sqlite3.connect(directory / "study.db")) as database, database:
        (text,) = database.execute("SELECT value FROM study WHERE key = 'provenance'").fetchone()
        facts = json.dumps({**json.loads(text), "command": command})
        database.execute("UPDATE study SET value = ? WHERE key = 'provenance'", (facts,))
    return Results(directory)


def contents(path: Path) -> Iterator[bytes]:
    """A file, or all files of a folder; of archives what they hold, and of pictures what they say."""
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_dir():
            continue
        yield file.read_bytes()
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                yield from (archive.read(name) for name in archive.namelist())
        if file.suffix == ".png":
            with Image.open(file) as picture:
                yield repr(picture.info).encode()


def assert_names_none(name: str, content: bytes, leaks: tuple[str, ...]) -> None:
    for leak in leaks:
        at = content.find(leak.encode())
        assert at < 0, (name, content[max(0, at - 80) : at + 120])


@pytest.mark.parametrize(
    "make", [write_table, *(pytest.param(one, marks=pytest.mark.slow) for one in (write_images, write_arrays, None))]
)
def test_no_form_names_a_folder(make, tmp_path, monkeypatch):
    folder = tmp_path / FOLDER
    folder.mkdir()
    monkeypatch.chdir(tmp_path)  # the arrays are nowhere
    generator = np.random.default_rng(0)
    data = make(folder) if make else (generator.normal(size=(60, 2)), np.arange(60) % 2)
    results = study_of(data, folder)
    out = tmp_path / "sent"
    out.mkdir()
    for form, name in FORMATS.items():
        if form == "pdf":
            pytest.importorskip("typst")
        if make is write_table and form not in ("html", "md", "ipynb"):
            continue
        write_report(results.summary, results.details, form, out / f"{form}-{name}", results.directory)
    model = results.model()
    for form in ("safetensors", "joblib"):  # the others hold what the card and `interop.provenance` hold
        export_model(model, form, out / f"model.{form}", results.summary)
    leaks = (str(tmp_path), FOLDER, FOLDER.replace(" ", "%20"))
    for file in sorted(out.iterdir()):
        of_notebook = file.suffix == ".ipynb"  # it says where the study is, seen from itself: else it could not be run
        for content in contents(file):
            assert_names_none(file.name, content, leaks[:1] if of_notebook else leaks)
    plain = to_json(results.summary, "0")
    plain["study"].pop("directory")  # as it was given, for whoever goes on from there
    assert_names_none("json", repr(plain).encode(), leaks)
    assert_names_none("cell", results._repr_html_().encode(), leaks)
    other = shutil.copytree(results.directory, folder / "other")
    page = render_side_by_side(compare_studies(results.directory, other))
    assert_names_none("side by side", page.encode(), leaks)
    if make is not None:
        assert data.name.encode() in (out / f"html-{FORMATS['html']}").read_bytes()  # the last part is there
