"""What a notebook shows, tested on its HTML and in notebooks that run."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

import wellfit
from summaries import diverged, empty, hostile, running, study
from wellfit.base import StudySummary
from wellfit.report.forms import cells as notebook
from wellfit.report.marks.colors import DARK, LIGHT
from wellfit.spec.study import StudySpec


class Reader(HTMLParser):
    """The tags of a text, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.words.append(data)


# --- What a cell shows ------------------------------------------------------------------------------------------------


def test_results_show_the_answer_the_table_and_the_figure() -> None:
    summary = study()
    shown = Reader(notebook.results_html(summary))
    words = " ".join(shown.words)
    assert {"table", "svg"} <= shown.tags
    assert summary.title in words
    assert summary.verdict in words
    for variant in summary.variants:
        assert variant.name in shown.words
        assert f"{100 * variant.mean['test_accuracy']:.2f} %" in shown.words
    verdicts = [word for word in shown.words if word in ("reference", "better", "worse", "equivalent", "undecided")]
    assert verdicts == ["reference", *(c.verdict for c in summary.comparisons)]
    assert "results.report() writes the report" in words
    assert "The report: here/report.html" in notebook.results_html(summary, Path("here/report.html"))


@pytest.mark.parametrize("make", [empty, running, diverged, lambda: study(variants=("baseline",), seeds=1)])
def test_every_state_is_shown_with_what_must_be_known_first(make: Callable[[], StudySummary]) -> None:
    summary = make()
    words = " ".join(Reader(notebook.results_html(summary)).words)
    assert summary.state in words
    assert any(sign in words for sign in ("still running", "diverged", "only one seed"))


def test_names_are_text_whatever_they_are() -> None:
    shown = Reader(notebook.results_html(hostile()))
    assert not shown.tags & {"script", "img", "i", "body"}
    assert "onerror" not in shown.attributes
    assert "<i>Nothing</i> is certain." in shown.words
    spec = wellfit.Study("digits", title="<script>alert(1)</script>").spec
    shown = Reader(notebook.study_html(replace(spec, variants={"<img src=x>": {"l2": 1e-3}}), "<b>data</b>"))
    assert not shown.tags & {"script", "img"}
    assert {"<script>alert(1)</script>", "<img src=x>", "<b>data</b>"} <= set(shown.words)


def test_every_head_says_of_what_it_is_and_every_mean_has_its_interval() -> None:
    summary = study()
    text = notebook.results_html(summary)
    for metric in ("test_accuracy", "validation_accuracy", "generalization_gap"):
        low, high = summary.variants[1].interval[metric]
        assert f"[{100 * low:.2f}, {100 * high:.2f}]".replace("-", "−") in text
    assert "Brackets" in text
    alone = study(variants=("baseline",), seeds=1)
    assert "Brackets" not in notebook.results_html(alone)
    for html in (text, wellfit.Study("digits")._repr_html_()):
        assert set(re.findall(r"<th\b[^>]*>", html)) <= {"<th scope=col>", "<th scope=row>"}


def test_a_notice_in_a_title_is_no_color() -> None:
    """Colors are replaced where they are colors, not where a name looks like one."""
    odd = replace(study(variants=("baseline",)), title=f"var(--s1) {LIGHT['s1']}")
    assert f"var(--s1) {LIGHT['s1']}" in Reader(notebook.results_html(odd)).words


def test_colors_follow_the_theme() -> None:
    text = notebook.results_html(study())
    for role in ("s1", "s3"):
        assert f"var(--wellfit-{role}, {LIGHT[role]})" in text
        assert f"--wellfit-{role}:{DARK[role]}" in text
    for theme in ("data-jp-theme-light=false", ".vscode-dark", "theme=dark"):
        assert theme in text
    assert "currentColor" in text
    assert not re.search(r"var\(--(?!wellfit-)", text)  # nothing that a theme could redefine
    assert LIGHT["ink"] not in text
    assert not re.search(r"url\((?!#)|src=|https?://(?!www\.w3\.org)", text)  # it needs nothing outside itself


def test_a_study_says_what_running_it_will_do() -> None:
    variants = {"baseline": {}, "long": {"epochs": 9, "l2": 1e-3}, "stopped": {"early_stopping": {"patience": 2}}}
    words = Reader(wellfit.Study("digits", wellfit.mlp(8, 4), variants, epochs=3, seeds=2)._repr_html_()).words
    assert {
        "digits",
        "mlp 8-4",
        "0, 1",
        "the base recipe",
        "epochs = 9, l2 = 0.001",
        "early_stopping: patience = 2",
    } <= set(words)
    printed = "run() trains 6 runs (3 variants, 2 seeds) of at most 9 epochs, opens the test set once"
    assert any(word.startswith(printed) for word in words)
    one = wellfit.Study(wellfit.load_dataset("digits"), wellfit.logistic(), epochs=1, seeds=1)
    assert "1 run (1 variant, 1 seed) of at most 1 epoch," in one._repr_html_()
    assert one.dataset is not None
    assert one.dataset.title in one._repr_html_()


def test_many_seeds_are_cut_short() -> None:
    spec: StudySpec = wellfit.Study("digits", seeds=30).spec
    assert "8, 9 …" in notebook.study_html(spec)


def test_results_show_themselves(finished_study: Path, study_copy: Path) -> None:
    assert "results.report() writes" not in wellfit.Results(finished_study)._repr_html_()  # the command wrote one
    (study_copy / "report.html").unlink()
    assert "results.report() writes" in wellfit.Results(study_copy)._repr_html_()


# --- A notebook that runs ---------------------------------------------------------------------------------------------

CELLS = (
    "import wellfit",
    "study = wellfit.Study('digits', wellfit.mlp(8), {'a': {}, 'b': {'l2': 1e-3}}, epochs=300, batch_size=512)",
    "results = study.run()",
    "results.table()",
    "results.plot_intervals()",
    "study",
    "results",
)


def test_five_lines_run_and_training_shows_one_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="there is no kernel: install ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(Path(wellfit.__file__).parents[1]))
    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    book = nbformat.v4.new_notebook(cells=cells)
    client = nbclient.NotebookClient(
        book, timeout=120, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    outputs: dict[str, list[Any]] = {cell.source: cell.outputs for cell in book.cells}
    (progress,) = outputs["results = study.run()"]
    assert progress.output_type == "display_data"
    assert progress.data["text/plain"].startswith("Trained in")
    assert len(str(progress)) < 1000
    kinds = {cell: set(outputs[cell][0].data) for cell in CELLS[3:]}
    assert "image/png" in kinds["results.plot_intervals()"]
    for cell in ("results.table()", "study", "results"):
        assert "text/html" in kinds[cell]
    assert "<svg" in outputs["results"][0].data["text/html"]
    assert all("Warning" not in str(output) for cell in book.cells for output in cell.outputs)
