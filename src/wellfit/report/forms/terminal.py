"""The report in the terminal, conclusion first. Color only where there is a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wellfit.base import Answer, Finding, StudySummary
from wellfit.narrative.advice import codes_fixed_by
from wellfit.report import wording
from wellfit.report.forms.terminal_tables import HEADINGS, evidence_table, results_table, training_table
from wellfit.report.legible import legible_summary
from wellfit.report.notes import LETTERS, notices
from wellfit.report.subjects.curves.sparklines import Sparklines, validation_sparklines

__all__ = ["print_findings", "print_summary", "wrapped"]

LEVEL_STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "dim"}

_ADJUSTED: Final = r", adjusted p = [\d.e-]+"
_WORD: Final = re.compile(r"""--(?:set|epochs|seeds) (?:"[^"]*"|'[^']*'|\S+)\S*|\S+""")
_BESIDE_CURVE: Final = 54  # characters that test accuracy, verdict, gap and best epoch take
_SHOWN: Final = 3  # errors and warnings with their message at a glance; of the rest, a sentence each


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print findings, errors first: level, title and code, evidence, fix."""
    if not findings:
        console.print("No problems found.")
    for finding in sorted(findings, key=wording.urgency):
        _print_title(finding, console, with_code=True)
        for text in filter(None, (finding.message, finding.fix)):
            _say(console, text, indent="  ")


def print_summary(summary: StudySummary, console: Console, *, full: bool = False, timed: bool = True) -> None:
    """Print a study, conclusion first, then answers, advice, a table, and findings.

    Args:
      summary: in any state.
      console: its width decides which columns are shown.
      full: print everything: how certain the conclusion is, every comparison, the training of every variant, every
        finding. Otherwise about one screen.
      timed: say how long it took; False where that was just said.
    """
    summary = legible_summary(summary)
    _print_head(summary, console, timed)
    console.print()
    _say(console, summary.verdict if full else _conclusion_at_a_glance(summary) or summary.verdict)
    for number, answer in enumerate(summary.answers):
        if full or not number:
            console.print()
        _say(console, answer.ask, style="bold")
        _say(console, answer.text if full else _answer_at_a_glance(answer), indent="  ")
    if summary.advice:
        console.print()
        console.print(Text("What to try next (judged on validation data only)", style="bold"))
    for sentence in summary.advice:
        _say(console, sentence.text, indent="  ", first="- ")
    console.print()
    _print_tables(summary, console, full)
    if full and summary.findings:
        console.print()
        print_findings(summary.findings, console)
    elif not full:
        _print_findings_at_a_glance(summary, console)
        more = f"wellfit show {shlex.quote(summary.directory)} --full"
        console.print(Text(f"More: {more}", style="dim"), soft_wrap=True)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Break text into lines; an option and its value stay on one line if they fit, so that they can be copied.

    Args:
      width: characters in a line; only a longer word exceeds it.
      indent: what every line but the first begins with.

    Example:
      >>> wrapped('Stop earlier: --set "train.x={a = 1, b = 2}" does.', 32)
      ['Stop earlier:', '--set "train.x={a = 1, b = 2}"', 'does.']
      >>> wrapped("Columns left out: id, name", 18, indent="  ")
      ['Columns left out:', '  id, name']
    """
    words: list[str] = []
    for word in _WORD.findall(text):
        words += [word] if cell_len(word) <= width else word.split()
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(f"{indent}{word}" if lines else word)
    return lines


# --- Parts ------------------------------------------------------------------------------------------------------------


def _print_head(summary: StudySummary, console: Console, timed: bool) -> None:
    """The question, the key figures, and the notices."""
    runs = [run for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for run in runs)
    took = f"{wording.duration(summary.seconds)}, " if timed and not summary.elsewhere else ""
    epochs = "" if summary.elsewhere else f"{wording.count(summary.epochs, 'epoch')}, "
    seeds = wording.count(len(summary.seeds), "seed")
    figures = f"{summary.data}, {seeds}, {epochs}{ended} of {len(runs)} runs, {took}{summary.state}"
    _say(console, summary.title, style="bold")
    _say(console, figures, style="dim")
    for notice in notices(summary):
        _say(console, notice, style="yellow")


def _conclusion_at_a_glance(summary: StudySummary) -> str:
    """The conclusion without its certainty, without what an answer repeats, and without the number of further seeds."""
    ranked = any(answer.kind == "best" for answer in summary.answers)
    texts = []
    for sentence in summary.conclusion[1:]:
        fields = {source.rpartition(".")[2] for source in sentence.sources}
        leads = all(source.startswith("ranking[") for source in sentence.sources)
        if not fields & {"p_adjusted", "further_seeds"} and not (ranked and leads):
            texts.append(sentence.text)
    return " ".join(texts)


def _answer_at_a_glance(answer: Answer) -> str:
    texts = [s.text for s in answer.sentences if not all(key.endswith(".further_seeds") for key in s.sources)]
    # an interval without 0 that decides nothing, in words that need no statistics
    return re.sub(_ADJUSTED, ", not enough when several are compared", " ".join(texts)) or answer.text


def _print_tables(summary: StudySummary, console: Console, full: bool) -> None:
    names = max((cell_len(variant.name) for variant in summary.variants), default=0)
    cells = min(max(console.width - names - _BESIDE_CURVE, 8), 24)
    curves = validation_sparklines(summary, cells, ascii_only=console.options.ascii_only)
    results = results_table(summary, console.width, curves)
    _print_table(results, console)
    best = any(column.header == HEADINGS["best"] for column in results.columns)
    _say(console, _full_legend(summary, curves) if full else _legend(summary, curves, best), style="dim")
    if not full:
        return
    console.print()
    if not summary.elsewhere:
        _print_table(training_table(summary, console.width), console)
    if (table := evidence_table(summary, console.width)) is not None:
        console.print()
        _print_table(table, console)


def _print_table(table: Table, console: Console) -> None:
    """Print a table without spaces at the ends of its lines, which rich fills up to the width of the last column."""
    for line in console.render_lines(table, pad=False):
        text = Text.assemble(*((segment.text, segment.style or "") for segment in line if not segment.control))
        text.rstrip()
        console.print(text, soft_wrap=True)


def _legend(summary: StudySummary, curves: Sparklines | None, best: bool) -> str:
    """What the columns mean, on two lines of 80 characters; ``best`` is whether the best epochs have one."""
    lowest = "Best" if best else "" if curves is None else curves.mark
    return "".join(
        (
            "Brackets: 95 % interval. " if _has_intervals(summary) else "",
            "Shared letter: no clear difference. " if wording.letters(summary) else "",
            "" if _without_gap(summary) else "Gap: train − test, in points.",
            f" {lowest}: epoch of the lowest validation loss." if lowest else "",
            "" if curves is None else " Curves: own scale each.",
        )
    )


def _full_legend(summary: StudySummary, curves: Sparklines | None) -> str:
    texts = (
        _intervals(summary) if _has_intervals(summary) else "",
        "" if _without_gap(summary) else "Gap: training minus test accuracy, in points.",
        "" if summary.elsewhere else "Best: the epoch of the lowest validation loss, median of the seeds.",
        LETTERS if wording.letters(summary) else "",
        "" if curves is None else curves.legend,
    )
    return " ".join(filter(None, texts))


def _intervals(summary: StudySummary) -> str:
    which = "the same test set" if summary.accuracies_alone else "new test examples"
    return f"Brackets: 95 % intervals, for new seeds and {which}."


def _without_gap(summary: StudySummary) -> bool:
    """Whether others trained the runs, and no training accuracy is known."""
    return summary.elsewhere and not any("generalization_gap" in v.mean for v in summary.variants)


def _has_intervals(summary: StudySummary) -> bool:
    return any(bounds is not None for variant in summary.variants for bounds in variant.interval.values())


def _print_findings_at_a_glance(summary: StudySummary, console: Console) -> None:
    """Errors and warnings with their strongest case and fix; of the rest, one sentence each."""
    findings = sorted(summary.findings, key=wording.urgency)
    if not findings:
        return
    pressing = [finding for finding in findings if finding.level != "info"][:_SHOWN]
    console.print()
    advised = codes_fixed_by(summary.advice)
    for finding in pressing:
        _print_title(finding, console)
        _say(console, _strongest(finding.message), indent="  ")
        if finding.fix and finding.code not in advised:
            _say(console, finding.fix, indent="  ")
    rest = {f.code: f.note for f in findings if f not in pressing and f.code not in advised}
    if rest:
        first, *more = rest.values()
        _say(console, f"Notes: {'; '.join([first, *map(_within_sentence, more)])}.", style="dim")


def _within_sentence(note: str) -> str:
    """A note that follows a semicolon; the name of a variant keeps its capital.

    Example:
      >>> _within_sentence("The test set is small"), _within_sentence("Adam kept improving")
      ('the test set is small', 'Adam kept improving')
    """
    return (
        f"{note[0].lower()}{note[1:]}" if note.startswith(("The ", "Each ", "Some ", "Class ", "A ", "An ")) else note
    )


def _print_title(finding: Finding, console: Console, with_code: bool = False) -> None:
    code = (f"  {finding.code}" if with_code else "", "dim")
    level = (finding.level, LEVEL_STYLES[finding.level])
    console.print(Text.assemble(level, f"  {finding.title}", code))


def _strongest(message: str) -> str:
    """Of a message about several variants, the first; the sentence before it says how many there are.

    Example:
      >>> _strongest("2 of 6 variants overfit. a: by 66%; the gap is 46.9 points. b: by 44%.")
      '2 of 6 variants overfit. a: by 66%; the gap is 46.9 points.'
    """
    sentences = re.split(r"(?<=\.) (?=\S+: )", message)
    return " ".join(sentences[:2]) if re.match(r"\d+ of \d+ variants ", message) else message


def _say(console: Console, text: str, *, style: str = "", indent: str = "", first: str = "") -> None:
    """Print a paragraph, without blanks at the ends of its lines."""
    if console.options.ascii_only:
        text = wording.ascii_only(text)
    lead = indent
    for line in wrapped(text, max(console.width - len(indent) - len(first), 1)):
        console.print(Text(f"{lead}{first}{line}", style=style), soft_wrap=True)
        lead, first = lead + " " * len(first), ""
