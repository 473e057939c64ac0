"""``wellfit.claim``: what a published number can and cannot show."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wellfit.analysis.claims import ClaimEvidence, Seeds, claim_evidence, seeds_of
from wellfit.analysis.crossed import Interval, variance_components
from wellfit.analysis.intervals import prediction_interval
from wellfit.analysis.seeds_needed import PowerCurve, power_curve
from wellfit.base import TestRows
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.plots import Plots

__all__ = ["Claim", "claim"]


@dataclass(frozen=True)
class Claim(ClaimEvidence):
    """What a published number shows, as ``wellfit.claim`` returns it; printed, it says so in sentences.

    Args:
      directory, variant, runs: the comparable runs; None without.
      one_run: the 95 % prediction interval of one more of them, on their own test examples.
      power: how many seeds would decide a true difference as large as the published one; None without a difference or a
        spread over seeds.
    """

    directory: str | None = None
    variant: str | None = None
    runs: int | None = None
    one_run: Interval | None = None
    power: PowerCurve | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the number says of its network, of its recipe, of a difference, and what would decide that."""
        from wellfit.narrative.claims import claim_sentences, run_sentence
        from wellfit.narrative.seeds_needed import power_sentences

        found = list(claim_sentences(self))
        if self.directory is not None and self.variant is not None and self.runs is not None:
            found.insert(2, run_sentence(self.accuracy, self.variant, self.directory, self.runs, self.one_run))
        if self.power is not None:
            found.insert(-1, power_sentences(self.power)[1])
        return tuple(found)

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        plain = {key: value for key, value in vars(self).items() if key != "power"}
        needed = None if self.power is None else self.power.needed
        extra = {"difference": self.difference, "shown": self.shown, "seeds_needed": needed}
        return plain | extra | {"sentences": self.sentences}

    def __str__(self) -> str:
        return "\n".join(self.sentences)


def claim(
    accuracy: float,
    examples: int,
    *,
    other: float | None = None,
    seed_sd: float | None = None,
    against: Plots | str | Path | None = None,
    variant: str | None = None,
    variants: int = 2,
    disagreement: float | None = None,
) -> Claim:
    """What a single published accuracy can and cannot show, or the difference of two.

    Args:
      accuracy: as published, of one run; a share of 1.
      examples: test examples that it was measured on.
      other: the accuracy of another recipe, one run on the same examples.
      seed_sd: standard deviation over the seeds of one recipe's accuracy, if known.
      against: comparable runs that show it: ``Results``, or a study directory.
      variant: which runs of that study; by default its first variant.
      variants: that the published winner was chosen from.
      disagreement: share of the examples on which exactly one of two runs is right; by default three quarters of the
        errors.

    Raises:
      StudyFileError: a number outside its range; both ``seed_sd`` and ``against``; a variant with fewer than two runs.
      UnknownNameError: there is no such variant.
      StoreUnreadableError: there is no study in the directory.

    Example:
      >>> import wellfit
      >>> print(wellfit.claim(0.8835, 10_000, other=0.8803, seed_sd=0.003).sentences[2])
      88.35 % against 88.03 %, a difference of +0.32 points: the finite test set alone leaves -0.26 to +0.90 points \
possible, and with the seeds -0.56 to +1.20. That does not show which recipe is better.
    """
    if seed_sd is not None and against is not None:
        raise StudyFileError("a standard deviation over the seeds and comparable runs; give one of the two")
    if variant is not None and against is None:
        raise StudyFileError(f"variant {variant!r} of no study; give the study directory too")
    extra: dict[str, Any] = {}
    seeds = None
    if against is not None:
        seeds, extra = _comparable(
            against.directory if isinstance(against, Plots) else Path(against), variant, examples
        )
    found = claim_evidence(
        accuracy,
        examples,
        other=other,
        seed_sd=seed_sd,
        seeds=seeds,
        variants=variants,
        disagreement=disagreement,
    )
    return Claim(**vars(found), **extra, power=_power(found, variants))


def _comparable(directory: Path, variant: str | None, examples: int) -> tuple[Seeds, dict[str, Any]]:
    """The spread over the seeds of a study's variant, and what one more run would have."""
    from wellfit.store import open_existing
    from wellfit.study.side_by_side import read_study, scores_in

    with open_existing(directory) as store:
        study = read_study(store)
        names = [v.name for v in study.summary.variants]
        name = names[0] if variant is None else variant
        if name not in names:
            raise UnknownNameError("variant", name, names, f"study {study.summary.name!r}")
        if study.summary.metric != "accuracy":
            study = study._replace(summary=replace(study.summary, metric="accuracy"))
        if study.summary.accuracies_alone:
            raise StudyFileError(f"{directory}: only accuracies are known of its runs; give their standard deviation "
                                 "over the seeds instead: --seed-sd, in Python seed_sd")  # fmt: skip
        of = study.seeds.get(name, ())
        if len(of) < 2:
            raise StudyFileError(f"{directory}: {name} has {len(of)} tested {'run' if len(of) == 1 else 'runs'}; the "
                                 "spread over seeds takes at least two")  # fmt: skip
        scores = scores_in(study, {name: of})[name]
    tested = TestRows(study.rows, len(study.labels), study.groups).only(list(scores))
    components = variance_components(list(scores.values()), tested)
    bounds = prediction_interval([float(one.mean()) for one in scores.values()])
    clipped = None if bounds is None else (max(bounds[0], 0.0), min(bounds[1], 1.0))
    each = sum(map(len, scores.values())) / len(scores)
    return seeds_of(components, each, examples), {
        "directory": str(directory),
        "variant": name,
        "runs": len(of),
        "one_run": clipped,
    }


def _power(found: ClaimEvidence, variants: int) -> PowerCurve | None:
    """What it would take to decide a true difference as large as the published one."""
    if not found.difference or found.seed_sd is None or found.other is None:
        return None
    mean = (found.accuracy + found.other) / 2
    return power_curve(
        mean,
        abs(found.difference),
        found.examples,
        seed_sd=found.seed_sd,
        variants=variants,
        disagreement=found.disagreement,
    )
