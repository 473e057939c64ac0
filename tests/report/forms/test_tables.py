"""Single tables as LaTeX, CSV and Markdown."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.report.forms.tables import FORMS, TABLES, check_names, latex_table, table_text
from wellfit.report.parts import Table
from wellfit.results import Results

LAST_DIGIT = 1e-14
"""pandas before 3 rounds the last digits as it reads; those before 3.1 may read a number as its neighbor."""

HOSTILE = (
    *("a_b", "50 % & more", "C:\\new {x}", "[1] first", "*star", "naïve Größe", "x^2 ~ y", "$a$ #1", "end\\\\", "?`"),
    *(
        '<b> | "q" `c`',
        "--set a=---b",
        "−1 – 2 … × ± ≤ ≥",
        "two\nlines\ttab",
        "bell \a",
        "}",
        "{",
        "%",
        "\\end{tabular}",
    ),
)


@pytest.fixture(scope="module")
def results(finished_study: Path) -> Results:
    return Results(finished_study)


def commands_removed(text: str) -> str:
    r"""LaTeX without what this project writes as commands; a special character that is left would act."""
    text = re.sub(r"\\(text\w+|ldots)\{\}|\$(-|\\times|\\pm|\\leq|\\geq)\$|-\{\}|\?\{\}", "", text)
    return re.sub(r"\\[&%$#_{}]", "", text)


def test_no_text_acts_in_latex() -> None:
    lines = latex_table(Table(("Na_me", "95 % interval"), tuple((name, name) for name in HOSTILE), text=2)).split("\n")
    assert lines[:3] == [r"% \usepackage{booktabs}", r"\begin{tabular}{ll}", r"\toprule"]
    assert lines[3:5] == [r"Na\_me & 95 \% interval \\", r"\midrule"]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    rows = lines[5:-2]
    assert len(rows) == len(HOSTILE)
    for row in rows:
        assert row.endswith(r" \\")
        cells = row.removesuffix(r" \\").removeprefix("{}").split(" & ")
        assert len(cells) == 2
        assert cells[0] == cells[1]
        assert not set(commands_removed(cells[0])) & set('\\&%$#_{}~^<>|"\n\t\a−–…×±')
        assert "--" not in cells[0]  # a dash of another length
        assert not row.startswith(("[", "*"))  # an argument of the end of the row before


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="takes pdflatex")
def test_latex_compiles(results: Results, tmp_path: Path) -> None:
    tables = [latex_table(Table(("Name",), tuple((name,) for name in HOSTILE)))]
    tables += [results.text(table, "latex") for table in TABLES]
    packages = "\\usepackage{booktabs,longtable}\\usepackage[a1paper,landscape]{geometry}"
    body = "\n\n".join(tables)
    (tmp_path / "t.tex").write_text(
        f"\\documentclass{{article}}{packages}\\begin{{document}}\n{body}\n\\end{{document}}"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


def test_a_long_table_may_break_and_sentences_get_room() -> None:
    long = latex_table(Table(("A", "B"), (("x", "1"),) * 41))
    assert long.count("longtable}") == 2 + 1
    assert long.index(r"\endhead") < long.index(r"\endfoot") < long.index("x & 1")
    sentences = latex_table(Table(("Question", "Sentence"), (("Which?", "word " * 30),), text=2))
    assert r"\begin{tabular}{lp{0.9\linewidth}}" in sentences


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("table", TABLES)
def test_every_table_in_every_form(results: Results, table: str, form: str) -> None:
    text = results.text(table, form)
    frame = getattr(results, table)()
    lines = text.splitlines()
    assert text.endswith("\n")
    assert {"latex": lines[0].startswith("% "), "csv": "," in lines[0], "markdown": lines[0].startswith("| ")}[form]
    rows = {
        "latex": sum(line.endswith("\\\\") for line in lines) - 1,
        "csv": len(lines) - 1,
        "markdown": len(lines) - 2,
    }
    assert rows[form] == len(frame)
    if form != "csv":  # no number of a float's full length
        assert not re.search(r"\d\.\d{8}", text)


@pytest.mark.parametrize("table", TABLES)
def test_csv_has_the_same_numbers(results: Results, table: str) -> None:
    frame = getattr(results, table)()
    frame = frame if frame.index.name is None else frame.reset_index()
    read = pd.read_csv(io.StringIO(results.text(table, "csv")))
    numbers = 0
    for column in frame:
        if any(isinstance(cell, tuple) for cell in frame[column]) and column != "sources" and column != "mcnemar_p":
            for at, end in enumerate(("low", "high")):
                cells = [cell[at] for cell in frame[column]]
                np.testing.assert_allclose(read[f"{column}_{end}"], cells, rtol=LAST_DIGIT, atol=1e-15)
        elif pd.api.types.is_numeric_dtype(frame[column]):
            values = frame[column].to_numpy()
            np.testing.assert_allclose(read[column].to_numpy(values.dtype), values, rtol=LAST_DIGIT, atol=1e-15)
            numbers += 1
        elif column in ("variant", "verdict", "question", "state", "letters"):
            assert read[column].tolist() == frame[column].tolist()
    assert numbers or table == "conclusion"


def test_the_table_shows_what_the_report_shows(results: Results) -> None:
    variant = results.summary.variants[1]
    low, high = variant.interval["test_accuracy"] or (0.0, 0.0)
    latex = f"{100 * variant.mean['test_accuracy']:.2f} \\% & [{100 * low:.2f}, {100 * high:.2f}]"
    text = results.table(form="latex")
    assert f"{variant.name} & {latex}" in text
    assert text == results.text() == results.text("table", "LaTeX")
    markdown = latex.replace("\\%", "%").replace("&", "|").replace("[", "\\[").replace("]", "\\]")
    assert f"| {variant.name} | {markdown} |" in results.table("markdown")
    comparison = results.summary.comparisons[0]
    assert f"{comparison.p_adjusted:.3f} & {comparison.verdict}" in results.text("compare", "latex")


def test_what_is_no_table_or_form_is_refused(results: Results) -> None:
    assert check_names("Per-Class", "CSV") == ("per_class", "csv")
    with pytest.raises(UnknownNameError, match="unknown table 'rankings'; did you mean 'ranking'"):
        results.text("rankings")
    with pytest.raises(UnknownNameError, match=r"unknown format 'excel' \(known: csv, latex, markdown\)"):
        results.table(form="excel")


def test_a_table_without_rows_is_refused(results: Results) -> None:
    summary = replace(results.summary, directory="here")
    with pytest.raises(StudyFileError, match=r"here: its table 'ranking' has no rows; run the study first"):
        table_text(summary, pd.DataFrame({"mean": []}), "ranking", "csv")
    with pytest.raises(StudyFileError, match=r"here: its table 'compare' has no rows; run a study of two"):
        table_text(summary, pd.DataFrame(), "compare", "latex")
