"""``wellfit show`` and ``report``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import stores
import wellfit
from commands import VARIANTS, Ended, ended, process

Command = Callable[..., Ended]


STUDY_KEYS = {"name", "data", "state", "seeds", "epochs", "seconds", "directory"}
VARIANT_KEYS = {"name", "settings", "parameters", "runs", "mean", "interval"}
SCORES = {f"{split}_{what}" for split in ("train", "validation", "test") for what in ("accuracy", "loss")}
RUN_KEYS = {"seed", "state", "epochs", "best_epoch", "overfit_onset"} | SCORES
COMPARISON_KEYS = {
    *("variant", "against", "metric", "difference", "interval", "p_value", "p_adjusted", "verdict", "identical")
}  # fmt: skip


def test_show_json_has_every_key(command: Command, finished_study: Path) -> None:
    ended = command("show", finished_study, "--json")
    assert (ended.status, ended.err) == (0, "")
    output = json.loads(ended.out, parse_constant=pytest.fail)  # NaN and Infinity are no JSON
    assert set(output) >= {"wellfit", "study", "variants", "comparisons", "findings"}
    assert output["wellfit"] == wellfit.__version__
    assert set(output["study"]) == STUDY_KEYS
    assert [v["name"] for v in output["variants"]] == VARIANTS
    for variant in output["variants"]:
        assert set(variant) == VARIANT_KEYS
        assert set(variant["mean"]) == set(variant["interval"]) == SCORES | {"generalization_gap"}
        assert all(low <= variant["mean"][metric] <= high for metric, (low, high) in variant["interval"].items())
        assert [run["seed"] for run in variant["runs"]] == [0, 1]
        assert all(set(run) == RUN_KEYS for run in variant["runs"])
        assert {run["state"] for run in variant["runs"]} == {"finished"}
    assert output["variants"][4]["settings"] == {"l2": 1e-3, "dropout": 0.3}
    assert [c["variant"] for c in output["comparisons"]] == VARIANTS[1:]
    assert all(set(c) == COMPARISON_KEYS for c in output["comparisons"])
    assert {c["verdict"] for c in output["comparisons"]} <= {"better", "worse", "equivalent", "undecided"}
    assert all(set(f) == {"code", "level", "message", "fix", "title"} for f in output["findings"])
    assert {f["level"] for f in output["findings"]} <= {"info", "warning", "error"}
    more = {"title", "metric", "margin", "published", "conclusion", "answers", "asked", "evidence", "ranking",
            "friedman_p", "leader_accuracy", "divergences", "earlier_looks",
            "earlier_metrics", "earlier_margins"}  # fmt: skip
    assert more <= set(output)
    assert set(output["evidence"]) == set(VARIANTS[1:])
    assert [set(r) for r in output["ranking"]] == [{"variant", "mean", "letters"}] * len(VARIANTS)


def test_show_and_report_change_only_the_report(command: Command, study_copy: Path) -> None:
    page = (study_copy / "report.html").read_text()
    (study_copy / "report.html").unlink()
    before = stores.tree(study_copy)
    shown = command("show", study_copy)
    assert shown.status == 0
    assert all(f"\n{name} " in shown.out for name in VARIANTS)
    assert "few-seeds" in command("show", study_copy, "--full").out
    assert stores.tree(study_copy) == before
    ended = command("report", study_copy)
    assert ended == (0, f"{study_copy / 'report.html'}\n", "")
    (new,) = stores.tree(study_copy).items() - before.items()
    assert new[0] == "report.html"
    assert new[1].startswith(page[:40].encode())


def test_a_report_is_made_without_weights_that_are_missing(command: Command, study_copy: Path) -> None:
    (study_copy / "weights" / "l2.0.npz").unlink()
    ended = command("report", study_copy, "--format", "md")
    notice = "The weights of 1 run are missing or damaged: l2 seed 0. The report leaves them out. To train it again, "
    assert (ended.status, ended.out) == (0, f"{study_copy / 'report.md'}\n")
    assert ended.err.startswith(f"wellfit: {notice}")
    assert notice in (study_copy / "report.md").read_text().replace("\n> ", " ")


@pytest.mark.usefixtures("short_page")
def test_a_report_that_cannot_be_written(command: Command, study_copy: Path) -> None:
    (study_copy / "report.html").unlink()
    (study_copy / "report.html").mkdir()
    before = stores.tree(study_copy)
    ended = command("report", study_copy)
    assert (ended.status, ended.out) == (2, "")
    assert re.fullmatch(r"wellfit: .*report\.html: the report cannot be written: Is a directory; .*\n", ended.err)
    assert stores.tree(study_copy) == before


def test_an_ascii_pipe_is_enough(finished_study: Path) -> None:
    shown = ended(process("show", finished_study, encoding="ascii"))
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.isascii()
    shown = ended(process("show", finished_study, "--full", encoding="ascii"))
    assert (shown.status, shown.err) == (0, "")
    assert re.search(r"is\s+known\s+to\s+\+/-\s+1.4\s+points", shown.out)  # the sign for plus or minus
    output = ended(process("show", finished_study, "--json", encoding="ascii"))
    assert (output.status, output.err) == (0, "")
    assert "is known to ± 1.4 points" in " ".join(f["message"] for f in json.loads(output.out)["findings"])


def test_show_prints_one_table_as_text(command: Command, finished_study: Path) -> None:
    latex = command("show", finished_study, "--format", "latex")
    assert (latex.status, latex.err) == (0, "")
    assert latex.out == wellfit.Results(finished_study).table(form="latex")
    csv = command("show", finished_study, "--table", "per-class", "--format", "CSV")
    assert csv.out.startswith(
        "variant,class,precision,recall,recall_low,recall_high,f1,support,gain,gain_low,gain_high\n"
    )
    assert command("show", finished_study, "--table", "ranking").out.startswith("| Variant | Test accuracy, % |")


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--table", "tabel"), "unknown table 'tabel'; did you mean 'table'? (known: calibration, compare, "),
        (("--format", "excel"), "unknown format 'excel' (known: csv, latex, markdown)"),
        (("--format", "csv", "--json"), "--json prints every table at once; leave out --json, or --format and --table"),
    ],
)
def test_show_refuses_what_is_no_table(
    command: Command, finished_study: Path, options: tuple[str, ...], line: str
) -> None:
    ended = command("show", finished_study, *options)
    assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert line in ended.err


def test_own_words_are_shown_in_every_form_from_the_store_alone(
    command: Command, study_copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("Before *all*.\n\n## Learning curves\nThey <b>fall</b>.\n\n## Conclusion\nSo it is.\n")
    names = ("--authors", "Ada Lovelace", "--authors", "Bob", "--course", "Deep Learning")
    ended = command("report", study_copy, "--format", "md", "--text", notes, *names)
    assert (ended.status, ended.err) == (0, "")
    notes.unlink()
    text = (study_copy / "report.md").read_text()
    assert "Ada Lovelace, Bob · Deep Learning\n\nBefore *all*.\n" in text
    assert "## Learning curves\n\nThey &lt;b&gt;fall&lt;/b&gt;.\n" in text
    assert text.index("## Conclusion\n\nSo it is.") < text.index("## How to reproduce this")
    assert command("report", study_copy).status == 0
    page = (study_copy / "report.html").read_text()
    assert '<meta name="author" content="Ada Lovelace, Bob">' in page
    assert '<p class="byline">Ada Lovelace, Bob · Deep Learning</p>' in page
    assert page.index("<p>Before <em>all</em>.</p>") < page.index('id="answer"')
    assert '<div class="own-words"><p>They &lt;b&gt;fall&lt;/b&gt;.</p></div>' in page
    assert '<a href="#conclusion">Conclusion</a>' in page
    monkeypatch.setattr("wellfit.report.forms.notebook._outputs", lambda *_: [])  # drawn by other tests
    assert command("report", study_copy, "--format", "ipynb").status == 0
    cells = json.loads((study_copy / "report.ipynb").read_text())["cells"]
    written = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    assert "Ada Lovelace, Bob · Deep Learning" in written[0]
    assert written[1] == "Before *all*."
    assert "They &lt;b&gt;fall&lt;/b&gt;." in written
    assert written[-1] == "## Conclusion\n\nSo it is."
    verified = command("verify", study_copy)
    assert (verified.status, verified.err) == (0, "")


def test_unknown_sections_are_refused_and_nothing_is_written(
    command: Command, study_copy: Path, tmp_path: Path
) -> None:
    notes = tmp_path / "notes.md"
    notes.write_text("## Learning curvs\nx\n")
    before = stores.tree(study_copy)
    ended = command("report", study_copy, "--text", notes, "--authors", "Ada")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err == (
        f"wellfit: {notes}, line 1: no section is called 'Learning curvs'; the nearest are 'Learning curves', "
        f"'Ranking', 'Findings'\n"
    )
    study = tmp_path / "my.toml"
    study.write_text('data.name = "digits"\n[report]\ntext.Rankng = "x"\n')
    ended = command("run", study, "--out", tmp_path / "new")
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.startswith(f"wellfit: {study}, line 3, [report] text: no section is called 'Rankng'; the nearest")
    assert not (tmp_path / "new").exists()
    ended = command("report", study_copy, "--all")
    assert (ended.status, ended.err.count("\n")) == (2, 1)
    assert "--all, --code and --parts are for PDFs" in ended.err
    mine = tmp_path / "mine.md"
    mine.write_text("mine")
    ended = command("report", study_copy, "--out", mine, "--authors", "Ada")
    assert (ended.status, mine.read_text()) == (2, "mine")
    assert stores.tree(study_copy) == before


def test_a_lab_whose_parts_are_missing_says_so(
    command: Command, study_copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wellfit.report.notebook_steps.is_lab", lambda _: True)
    asked = []
    monkeypatch.setattr("wellfit.report.forms.formats.write_report", lambda *given: asked.append(given[-1]))
    assert "--parts trains them first" in command("report", study_copy, "--format", "pdf").err
    assert command("report", study_copy, "--format", "pdf", "--parts", "--code").err == ""
    assert [(printed.parts, printed.code) for printed in asked] == [(False, False), (True, True)]
