"""``wellfit.judge_datasets`` and ``wellfit.plot_ranks``."""

from __future__ import annotations

import json

import pytest
from matplotlib.figure import Figure

import wellfit
from ranked import ACCURACIES, ranked
from wellfit.across import JudgedDatasets, judge_datasets
from wellfit.errors import OtherStudyError, StoreError, UnknownNameError
from wellfit.report.marks.static import alt_text


@pytest.fixture(scope="module")
def judged() -> JudgedDatasets:
    return JudgedDatasets(
        **vars(ranked()),
        metric="test_accuracy",
        margin=0.001,
        directories={name: f"studies/{name}" for name in ACCURACIES},
        sizes=dict.fromkeys(ACCURACIES, (4, 400)),
        left_out=("l1",),
        notes=("studies/wine is not finished; its numbers may still change.",),
    )


def test_the_table_has_ranks_intervals_and_means(judged):
    table = judged.table()
    assert list(table.index) == list(judged.variants)
    assert list(table.columns) == ["mean_rank", "rank_low", "rank_high", "here_low", "here_high", *ACCURACIES]
    assert table.loc["dropout", "mean_rank"] == 3
    assert table.attrs["nemenyi"] == judged.nemenyi


def test_every_pair_is_compared_on_every_data_set_and_on_average(judged):
    frame = judged.compare()
    assert frame["dataset"].tolist() == [""] * 3 + ["digits"] * 3 + ["wine"] * 3
    assert frame["over_datasets_p"].notna().sum() == 3
    assert frame.loc[0, "verdict"] == judged.averages[0].verdict


def test_the_sentences_end_with_the_notes(judged):
    assert judged.sentences[-1] == judged.notes[0]
    assert str(judged) == "\n".join(judged.sentences)
    assert repr(judged).startswith("JudgedDatasets(3 variants on digits, wine: On average")
    assert json.loads(json.dumps(judged.to_json(), allow_nan=False))["variants"][2]["name"] == "dropout"


def test_the_figure_is_returned_or_written(judged, tmp_path):
    figure = judged.plot()
    assert alt_text(figure).startswith("Mean ranks over digits, wine: ")
    assert hasattr(figure, "_repr_png_")
    axes = Figure().add_subplot()
    assert wellfit.plot_ranks(judged, ax=axes) is axes
    assert judged.save(tmp_path / "ranks.svg").read_text().startswith("<?xml")
    assert judged.save(tmp_path / "ranks.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(UnknownNameError, match="unknown format 'gif'"):
        judged.save(tmp_path / "ranks.gif")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be written"):
        judged.save(tmp_path / "file" / "ranks.svg")


def test_results_and_directories_are_taken(finished_study):
    results = wellfit.Results(finished_study)
    for given in ({"one": results, "two": finished_study}, {"one": str(finished_study), "two": results}):
        with pytest.raises(OtherStudyError, match="the same data as"):
            judge_datasets(given)
