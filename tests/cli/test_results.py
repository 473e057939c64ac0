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
