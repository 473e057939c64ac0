"""The terminal: what came out of a study, the conclusion first. Color only where there is a terminal."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from wellfit.base import Answer, Finding, Sentence, StudySummary
from wellfit.narrative.advice import mends
from wellfit.report import wording
from wellfit.report.comparable import published_caution
from wellfit.report.forms.evidence_table import evidence_table
from wellfit.report.forms.terminal_tables import results_table, training_table
from wellfit.report.notes import notices
from wellfit.report.subjects.curves.sparklines import validation_sparklines

__all__ = ["print_findings", "print_summary", "wrapped"]

LEVEL_STYLES: Final = {"error": "bold red", "warning": "yellow", "info": "dim"}

_HOLM: Final = r", p = [\d.e-]+ after Holm's correction"
_WORD: Final = re.compile(r"""--(?:set|epochs|seeds) (?:"[^"]*"|'[^']*'|\S+)\S*|\S+""")
_BESIDE: Final = 54  # characters that test accuracy, verdict, gap and best epoch take beside a curve
_SHOWN: Final = 3  # findings that are told in full at a glance; of the others, the codes


def print_findings(findings: Sequence[Finding], console: Console) -> None:
    """Print findings, errors first: level and code, what was seen, how to mend it.

    Args:
      findings: of data, split and training.
      console: where to print.
    """
    if not findings:
        console.print("No findings: the checks saw nothing to report.")
    for finding in sorted(findings, key=wording.urgency):
        console.print(Text.assemble((finding.level, LEVEL_STYLES[finding.level]), f"  {finding.code}"))
        for text in (finding.message, finding.fix):
            _say(console, text, indent="  ")


def print_summary(summary: StudySummary, console: Console, *, full: bool = False) -> None:
    """Print a study, the conclusion first: what was found, the answers, what to do next, a table, the findings.

    Args:
      summary: the study, in any state.
      console: where to print; its width decides which columns are shown.
      full: tell all of it: how sure the conclusion is, how every comparison came out, what training says of every
        variant, every finding. Otherwise a screen or so.
    """
    _print_head(summary, console)
    console.print()
    _say(console, summary.verdict if full else _at_a_glance(summary.conclusion[1:], summary) or summary.verdict)
    caution = published_caution(summary)
    for number, answer in enumerate(summary.answers):
        if full or not number:
            console.print()
        _say(console, answer.ask, style="bold")
        told = answer.text if full else _answer_at_a_glance(answer)
        _say(console, f"{told} {caution}" if answer.kind in ("winner", "matches") else told, indent="  ")
    if summary.advice:
        console.print()
        console.print(Text("What to try next, by validation", style="bold"))
    for sentence in summary.advice:
        _say(console, sentence.text, indent="  ", first="- ")
    console.print()
    _print_tables(summary, console, full)
    if full and summary.findings:
        console.print()
        print_findings(summary.findings, console)
    elif not full:
        _print_checks(summary, console)
        more = f"wellfit show {shlex.quote(summary.directory)} --full"
        console.print(Text(f"More: {more}", style="dim"), soft_wrap=True)


def wrapped(text: str, width: int) -> list[str]:
    """Text in lines; an option with its value that fits a line stays in one, so that it can be copied.

    Args:
      text: words.
      width: characters in a line; only a word that is longer goes beyond.

    Example:
      >>> wrapped('Stop earlier: --set "train.x={a = 1, b = 2}" does.', 32)
      ['Stop earlier:', '--set "train.x={a = 1, b = 2}"', 'does.']
    """
    words: list[str] = []
    for word in _WORD.findall(text):
        words += [word] if cell_len(word) <= width else word.split()
    lines: list[str] = []
    for word in words:
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


# --- The parts --------------------------------------------------------------------------------------------------------


def _print_head(summary: StudySummary, console: Console) -> None:
    """What was asked, on what, how far it is, and what must be known before any number."""
    runs = [run for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for run in runs)
    facts = (
        f"{summary.data}, {wording.count(len(summary.seeds), 'seed')}, {wording.count(summary.epochs, 'epoch')}, "
        f"{ended} of {len(runs)} runs, {wording.duration(summary.seconds)}, {summary.state}"
    )
    _say(console, summary.title, style="bold")
    _say(console, facts, style="dim")
    for notice in notices(summary):
        _say(console, notice, style="yellow")


def _at_a_glance(conclusion: Sequence[Sentence], summary: StudySummary) -> str:
    """What the conclusion finds: without how sure that is, what an answer says as well, and how many more seeds."""
    ranked = any(answer.kind == "best" for answer in summary.answers)
    told = []
    for sentence in conclusion:
        fields = {source.rpartition(".")[2] for source in sentence.sources}
        leads = all(source.startswith("ranking[") for source in sentence.sources)
        if not fields & {"p_adjusted", "further_seeds"} and not (ranked and leads):
            told.append(sentence.text)
    return " ".join(told)


def _answer_at_a_glance(answer: Answer) -> str:
    told = [s.text for s in answer.sentences if not all(key.endswith(".further_seeds") for key in s.sources)]
    # an interval without 0 that decides nothing, in words that need no statistics
    return re.sub(_HOLM, ", too little where several are compared", " ".join(told)) or answer.text


def _print_tables(summary: StudySummary, console: Console, full: bool) -> None:
    names = max((cell_len(variant.name) for variant in summary.variants), default=0)
    cells = min(max(console.width - names - _BESIDE, 8), 24)
    curves = validation_sparklines(summary, cells, ascii_only=console.options.ascii_only)
    console.print(results_table(summary, console.width, curves))
    some = any(bounds is not None for variant in summary.variants for bounds in variant.interval.values())
    told = "Brackets: 95 % intervals, for new seeds and new test examples. " if some else ""
    told += "Gap: train minus test accuracy, in points."
    told += " Best: the epoch of the lowest validation loss, median of the seeds."
    if wording.letters(summary):
        told += " Variants that share a letter are not told apart where every pair is compared."
    if curves is not None:
        told += f" {curves.legend}"
    _say(console, told, style="dim")
    if not full:
        return
    console.print()
    console.print(training_table(summary, console.width))
    if (table := evidence_table(summary, console.width)) is not None:
        console.print()
        console.print(table)


def _print_checks(summary: StudySummary, console: Console) -> None:
    """The findings in short: errors and warnings with their strongest case, of the rest the codes, each once."""
    found = sorted(summary.findings, key=wording.urgency)
    if not found:
        return
    pressing = [finding for finding in found if finding.level != "info"][:_SHOWN]
    console.print()
    advised = mends(summary.advice)
    for finding in pressing:
        level = (finding.level, LEVEL_STYLES[finding.level])
        console.print(Text.assemble(level, f"  {finding.code}"))
        _say(console, _strongest(finding.message), indent="  ")
        if finding.code not in advised:
            _say(console, finding.fix, indent="  ")
    rest = list(dict.fromkeys(f.code for f in found if f not in pressing and f.code not in advised))
    if rest:
        _say(console, f"{'Also seen' if pressing else 'The checks saw'}: {', '.join(rest)}.", style="dim")


def _strongest(message: str) -> str:
    """Of a message with several variants, the first; the sentence before it says how many there are.

    Example:
      >>> _strongest("2 of 6 variants over-fit. a: by 66%; the gap is 46.9 points. b: by 44%.")
      '2 of 6 variants over-fit. a: by 66%; the gap is 46.9 points.'
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
