"""``wellfit compare``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from commands import VARIANTS, Ended
from wellfit import Study, mlp
from wellfit.results import Results

Command = Callable[..., Ended]


def test_compare_prints_writes_and_dumps(
    command: Command, finished_study: Path, study_copy: Path, tmp_path: Path
) -> None:
    page = tmp_path / "compared.html"
    ended = command("compare", finished_study, study_copy, "--output", page)
    assert (ended.status, ended.err) == (0, "")
    assert f"B is identical to A with {len(VARIANTS)} variants." in ended.out
    assert ended.out.endswith(f"Page: {page}\n")
    assert "B is identical to A" in page.read_text()
    ended = command("compare", finished_study, study_copy, "--json")
    output = json.loads(ended.out)
    assert output["paired"]
    assert [c["variant"] for c in output["comparisons"]] == VARIANTS
    assert "page" not in output
    frame = Results(study_copy).against(Results(finished_study))
    assert frame["identical"].all()
    assert Results(study_copy).against(finished_study).equals(frame)


def test_what_cannot_be_compared_is_one_line(command: Command, finished_study: Path, tmp_path: Path) -> None:
    ended = command("compare", finished_study, finished_study)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == f"wellfit: {finished_study}: the same directory as {finished_study}; give two directories\n"
    ended = command("compare", finished_study, tmp_path / "gone", "--out", tmp_path / "page.html")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "gone: no such directory; wellfit run makes one" in ended.err
    assert not list(tmp_path.iterdir())
    shutil.copytree(finished_study, tmp_path / "study")
    ended = command("compare", finished_study, tmp_path / "study", "--out", tmp_path / "gone" / "page.html")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert "there is no folder" in ended.err


def test_datasets_are_compared_over_all_of_them(command: Command, finished_study: Path, tmp_path: Path) -> None:
    cosines = tmp_path / "cosines"
    Study("cosines", mlp(8), variants={"l2": {"l2": 1e-2}, "dropout": {"dropout": 0.5}}, epochs=1, seeds=2).run(
        cosines, progress=False
    )
    ended = command("compare", finished_study, cosines, "--datasets", "--out", tmp_path / "ranks.svg")
    assert (ended.status, ended.err) == (0, "")
    assert "On other data sets like these: nothing yet." in ended.out
    assert ended.out.endswith(f"Figure: {tmp_path / 'ranks.svg'}\n")
    output = json.loads(command("compare", finished_study, cosines, "--datasets", "--json").out)
    assert [one["name"] for one in output["datasets"]] == ["digits", "cosines"]
    assert sorted(one["name"] for one in output["variants"]) == ["dropout", "l2"]
    ended = command("compare", finished_study, cosines, "--datasets", "--out", tmp_path / "ranks.html")
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)


def test_other_numbers_of_directories_are_one_line(command: Command, finished_study: Path) -> None:
    for given, count in (((finished_study,), "1 study directory"), ((finished_study,) * 3, "3 study directories")):
        ended = command("compare", *given)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err == (
            f"wellfit: {count}; give two, or add --datasets to compare variants over several data sets\n"
        )
