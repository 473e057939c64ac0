"""What a reader must know to read the numbers rightly: notices about the study, and notes on each section.

Every form prints all of them. The captions of single figures and tables stay with their subjects.
"""

from __future__ import annotations

from wellfit.base import StudyDetails, StudySummary
from wellfit.narrative.metrics import best, is_loss
from wellfit.narrative.no_effect import no_effect
from wellfit.narrative.searched import search_sentences
from wellfit.report import wording
from wellfit.report.numbers import ends_early
from wellfit.study.comparable import published_caution
from wellfit.study.provenance import several_machines

__all__ = ["LETTERS", "notes", "notices", "without_weights"]

LETTERS = "Variants that share a letter do not differ clearly when every pair is compared."

LISTED = 6
"""Diverged runs that a notice names."""


def notices(summary: StudySummary) -> tuple[str, ...]:
    """What readers must know before any number: unfinished, diverged, too few seeds, not comparable with the source.

    Returns:
      Whole sentences, the most important first; empty for a finished study with nothing unusual.
    """
    runs = [(variant.name, run) for variant in summary.variants for run in variant.runs]
    ended = sum(run.state != "pending" for _, run in runs)
    diverged = [f"{name} seed {run.seed}" for name, run in runs if run.state == "diverged"]
    parts = summary.provenance.get("shard", "").split("; then ")
    several = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else ""
    progress = f"{ended} of {wording.count(len(runs), 'run')} {'has' if ended == 1 else 'have'} ended."
    sentences = (
        (summary.state == "running", f"This study is still running: {progress} Every number may still change."),
        (
            summary.state == "interrupted" and _is_part(summary),
            f"This is part {summary.provenance.get('shard')} of a study: {progress} wellfit merge joins the parts.",
        ),
        (
            summary.state == "interrupted" and several,
            f"This directory holds the parts {several} of a study: {progress} wellfit merge adds the others.",
        ),
        (
            summary.state == "interrupted" and not _is_part(summary) and not several,
            f"This study was interrupted: {progress} Run the same command again; it trains only what is missing.",
        ),
        (not ended, "No run has ended yet, so there is nothing to compare."),
        (diverged, _diverged(diverged)),
        (
            len(summary.seeds) == 1,
            "There is only one seed, so no interval can be given and any difference could be chance. Use five seeds.",
        ),
        (
            summary.accuracies_alone,
            "Only the accuracy of each run is known. The intervals and verdicts count the seeds, not the finite number "
            "of test examples: they hold for this test set, and do not say whether a difference holds for other "
            "examples. There is no confusion matrix, no calibration and no list of mistakes. With the predictions of "
            "every example, all of that is there.",
        ),
        ("caution" in summary.provenance, summary.provenance.get("caution", "")),
        (
            summary.elsewhere and summary.classes and not any("test_loss" in v.mean for v in summary.variants),
            "Only the predicted classes are known, so there is no loss and no calibration; both take probabilities.",
        ),
        (len(summary.variants) == 1, "There is only one variant, so there is nothing to compare it with."),
        (True, published_caution(summary.name, {v.name: v.published for v in summary.variants}, summary.settings)),
    )
    said = (sentence for holds, sentence in sentences if holds and sentence)
    return (*said, *search_sentences(summary.search))


def notes(section: str, summary: StudySummary, details: StudyDetails) -> tuple[str, ...]:
    """What readers must know about a section.

    Args:
      section: its id in the document.

    Returns:
      Whole sentences; empty if the section's captions say enough.
    """
    first = summary.variants[0].name if summary.variants else "the first variant"
    intervals = any(bounds for variant in summary.variants for bounds in variant.interval.values())
    tables = details.by_class.values()
    name = wording.compared(summary)
    lower = ": lower is better" if is_loss(summary.compared) else ""
    known = no_effect(summary)
    sentences = {
        "ranking": (
            f"{wording.capitalized(name)}, the {best(summary.compared)} mean first{lower}.",
            _letters(summary),
        ),
        "results": (
            "Means over the seeds.",
            _brackets(summary) if intervals else "",
            "" if summary.elsewhere else "The gap is training minus test accuracy, in percentage points.",
            f"The verdict is on {name}, compared with {first}.",
        ),
        "comparisons": (
            f"Differences in {name}{_against(summary)}, paired {_paired(summary)}."
            + (" A negative difference is an improvement." if lower else ""),
            "The adjusted p-value accounts for the number of comparisons, and the verdict uses it; "
            f"{wording.of_interval(summary)}.",
            *(
                f"{variant} is identical to {first}: {why}."
                for variant, why in known.items()
                if why != "in every answer"
            ),
        ),
        "curves": (
            "Where the validation loss turns upward while the training loss keeps falling, overfitting begins.",
            _lines(summary),
            "The curves are shown as they were given. Nothing says whether training values were measured with dropout "
            "and penalties, as many libraries report them; then they are no sign of a gap."
            if summary.elsewhere
            else "Both splits are measured in inference mode, without the penalty.",
        ),
        "paths": ("The value is chosen on the validation data; test accuracy plays no part in the choice.",),
        "mistakes": (
            "An image that every run gets wrong is hard or mislabeled; for one that some runs of the same variant get "
            "wrong, the seed decides.",
        ),
        "classes": (
            "Each interval covers one class, unadjusted." if any(t.gain_low is not None for t in tables) else "",
        ),
        "calibration": (
            "A network that says 90 % should be right nine times out of ten: on the dotted diagonal. Below it, the "
            "network is overconfident.",
            "The expected calibration error (ECE) is the average distance between confidence and accuracy.",
            "Brackets: 95 % intervals, where they are known." if intervals else "",
            "Ensemble: the seeds' probabilities are averaged; its gain has no interval." if details.ensembles else "",
        ),
        "weights": (
            ""
            if all(overview.history for overview in details.weights.values())
            else "How the weights were distributed after each epoch is not shown where an earlier version of wellfit, "
            "which did not keep that, trained the network.",
        ),
        "published": (
            "What the source of this study reports, usually from a single training, and what was measured here; "
            "the range over the seeds shows how much a single training can vary.",
        ),
        "techniques": (
            "What the variants use, as wellfit computes it. When each helps, and what we measured: wellfit techniques "
            "NAME.",
        ),
        "runs": (
            ""
            if summary.elsewhere
            else "Read at: the epoch whose weights the run keeps. Rises after: the epoch after which the validation "
            "loss rose for good. Seconds: the run's share of the training time.",
        ),
        "reproduce": (several_machines(summary.provenance),),
    }
    return tuple(filter(None, sentences.get(section, ())))


def without_weights(details: StudyDetails) -> tuple[str, ...]:
    """The notice about runs whose weights are missing or damaged, in a sentence; empty if there are none.

    Example:
      >>> from wellfit.base import StudyDetails
      >>> damaged = StudyDetails(None, None, {}, {}, {}, {}, {}, {}, (), (), (("l2", 0),))
      >>> without_weights(damaged)[0].split(". ")[0]
      'The weights of 1 run are missing or damaged: l2 seed 0'
    """
    runs = [f"{variant} seed {seed}" for variant, seed in details.without_weights]
    if not runs:
        return ()
    listed = ", ".join(runs[:LISTED]) + (f" and {len(runs) - LISTED} more" if len(runs) > LISTED else "")
    return (
        f"The weights of {wording.count(len(runs), 'run')} are missing or damaged: {listed}. The report "
        f"leaves them out. To train {'it' if len(runs) == 1 else 'them'} again, run the study again in its directory.",
    )


def _is_part(summary: StudySummary) -> bool:
    """Whether the directory holds one part of a study, and not several that were merged."""
    return "shard" in summary.provenance and "; then " not in summary.provenance["shard"]


def _diverged(names: list[str]) -> str:
    """How many runs diverged, and which."""
    listed = ", ".join(names[:LISTED]) + (f" and {len(names) - LISTED} more" if len(names) > LISTED else "")
    are = "It is counted in the tables but is not" if len(names) == 1 else "They are counted in the tables but are not"
    return (
        f"{wording.count(len(names), 'run')} diverged (the loss became infinite or NaN): {listed}. "
        f"{are} part of any mean, and verdicts marked * compare the surviving runs alone."
    )


def _brackets(summary: StudySummary) -> str:
    """What the intervals of the means account for."""
    if summary.accuracies_alone:
        return "Brackets: 95 % intervals, over the seeds alone."
    return "Brackets: 95 % intervals, over seeds and test examples."


def _paired(summary: StudySummary) -> str:
    """How the runs of two variants are paired; of runs that others trained, the provenance says it."""
    usual = "by seed and by test example"
    return summary.provenance.get("paired", usual).split("; then ")[0] if summary.elsewhere else usual


def _letters(summary: StudySummary) -> str:
    """What the letters mean; where all variants would share one, what that means. Nothing where none was compared."""
    compared = any(c.p_value is not None for c in (*summary.comparisons, *summary.asked))
    decided = any(c.verdict in ("better", "worse") for c in (*summary.comparisons, *summary.asked))
    if wording.letters(summary) or not compared or decided or len(summary.ranking) < 2:
        return LETTERS if wording.letters(summary) else ""
    return "No two variants differ clearly when every pair is compared."


def _against(summary: StudySummary) -> str:
    """With what all variants are compared, if it is the same for all."""
    against = {c.against for c in (*summary.comparisons, *summary.asked)}
    return f" from {next(iter(against))}" if len(against) == 1 else ""


def _lines(summary: StudySummary) -> str:
    """What the lines of the learning curves are."""
    early = ", up to the epoch after which the first of them stopped" if ends_early(summary) else ""
    if summary.state == "running":
        return f"Lines: mean over the runs that have come as far as the line{early}."
    return f"Lines: mean over the seeds{early}." if len(summary.seeds) > 1 else ""
