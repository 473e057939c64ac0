"""The tables of a study, as methods of ``Results``."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from wellfit.single_runs import SingleRuns

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ResultTables"]

_PER_CLASS: Final = (
    *("precision", "recall", "recall_low", "recall_high", "f1", "support"),
    *("gain", "gain_low", "gain_high"),
)
"""Columns of `Results.per_class`: fields of ``ClassTable``."""


class ResultTables(SingleRuns):
    """Every table of a study."""

    @overload
    def table(self, form: None = None) -> pd.DataFrame: ...
    @overload
    def table(self, form: str) -> str: ...
    def table(self, form: str | None = None) -> pd.DataFrame | str:
        """One row per variant: means and 95 % intervals of every metric.

        Accuracies and gaps are shares of 1 (``table()["test_accuracy"]`` is 0.88, say). When printed or displayed, the
        table shows them in percent and percentage points, as the report does.

        ``attrs`` has the ``metric`` that variants are compared on, which is among the columns as ``test_METRIC``.

        The intervals of test metrics and ``generalization_gap`` account for the seeds and the
        finite test set, those of training and validation metrics for the seeds only.

        Args:
          form: ``"latex"``, ``"csv"`` or ``"markdown"``: the same as ``text("table", form)``.
        """
        import pandas as pd

        from wellfit.report.subjects.results.frames import MetricFrame

        if form is not None:
            return self.text("table", form)

        rows = {}
        for variant in self.summary.variants:
            row: dict[str, Any] = {}
            for metric, value in variant.mean.items():
                low, high = variant.interval.get(metric) or (float("nan"), float("nan"))
                row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
            rows[variant.name] = {**row, "parameters": variant.parameters, "seconds": variant.seconds}
        frame = MetricFrame(list(rows.values()), index=pd.Index(list(rows), name="variant"))
        frame.attrs = {"metric": self.summary.metric}
        return frame

    def runs(self) -> pd.DataFrame:
        """One row per run: variant, seed, state, epochs and metrics; accuracies are shares of 1.

        ``test_score`` is the metric that variants are compared on, unless that is accuracy. ``attrs`` has its name.
        """
        import pandas as pd

        frame = pd.DataFrame([{"variant": v.name, **vars(run)} for v in self.summary.variants for run in v.runs])
        frame.attrs = {"metric": self.summary.metric}
        return frame

    def compare(self) -> pd.DataFrame:
        """One row per comparison: every variant with the first, then the pairs that the study's questions ask for.

        Differences and intervals are shares of 1 (0.01 is one percentage point), or those of losses, where negative
        differences are better.

        Returns:
          ``variant``, ``against``, ``metric``, ``difference``, ``interval``, ``p_value``, ``p_adjusted`` and
          ``verdict``; then the results of other methods, see ``wellfit.base.PairedEvidence``: ``seeds``,
          ``interval90``, ``bootstrap_interval``, ``bootstrap_p``, ``paired_t_p``, ``sign_flip_p``, ``mcnemar_p`` (one
          per seed), ``better_on_new_seed``, ``worse_on_new_seed``, ``further_seeds`` and ``decided_at_last``; then
          ``survivors``, whether diverged runs were left out. ``attrs`` has ``metric`` and ``margin``.
        """
        import pandas as pd

        from wellfit.base import Comparison, PairedEvidence
        from wellfit.narrative.outcomes import of_survivors

        s = self.summary
        known = [(c.variant, c) for c in s.comparisons] + [(f"{c.variant}/{c.against}", c) for c in s.asked]
        columns = [field.name for kind in (Comparison, PairedEvidence) for field in fields(kind)]
        by_name = {v.name: v for v in s.variants}
        rows = [
            {
                **vars(c),
                **vars(s.evidence[key]),
                "survivors": of_survivors(c, by_name),
            }
            for key, c in known
        ]
        frame = pd.DataFrame(rows, columns=[*columns, "survivors"])
        frame.attrs = {"metric": s.metric, "margin": s.margin}
        return frame

    def against(self, other: ResultTables | str | Path) -> pd.DataFrame:
        """One row per variant that another study has too, compared with it.

        If both have the same data and split, they are paired by seed and test example; otherwise their means are
        compared as independent ones. ``wellfit compare OTHER THIS`` prints and draws the same.

        Args:
          other: the results of another study, or its directory; differences are this study minus the other.

        Returns:
          ``variant``, ``mean`` and ``other_mean``, each with ``_low`` and ``_high`` (95 % intervals), ``difference``,
          ``interval``, ``p_value``, ``p_adjusted``, ``verdict`` (on this study), ``identical`` and ``survivors``, as
          in ``compare``. ``attrs`` has ``metric``, ``margin``, ``paired``, ``how`` (why not paired, as sentences),
          ``only_here`` and ``only_there`` (variants that one study lacks) and ``differences`` (settings and facts:
          name -> both values, the other's first).

        Raises:
          OtherStudyError: they have other classes, another metric or no variant in common, or are the same.
          StudyFileError: no run of one of them has been tested.
        """
        from wellfit.report.subjects.side_by_side.frames import side_by_side_frame
        from wellfit.study.side_by_side import compare_studies

        directory = other.directory if isinstance(other, ResultTables) else Path(other)
        return side_by_side_frame(compare_studies(directory, self.directory))

    def ranking(self) -> pd.DataFrame:
        """The variants from the best to the worst mean of the compared metric, with intervals and letters.

        Returns:
          ``variant``, ``mean``, ``low``, ``high`` (the 95 % interval; shares of 1 unless of a loss) and ``letters``: no
          pairwise comparison separates variants that share a letter. ``attrs`` has ``friedman_p``, the p-value of the
          hypothesis that all variants rank equally, or None, and the ``metric``.
        """
        import pandas as pd

        intervals = {
            v.name: v.interval.get(self.summary.compared) or (float("nan"),) * 2 for v in self.summary.variants
        }
        rows = [(r.variant, r.mean, *intervals[r.variant], r.letters) for r in self.summary.ranking]
        frame = pd.DataFrame(rows, columns=["variant", "mean", "low", "high", "letters"])
        frame.attrs = {"metric": self.summary.metric, "friedman_p": self.summary.friedman_p}
        return frame

    def conclusion(self) -> pd.DataFrame:
        """The questions and the answers, one row per sentence; sentences are printed in full.

        Returns:
          ``question`` (the study's title, then its further questions), ``sentence``, and ``sources``: the keys of
          ``wellfit show --json`` that the sentence is based on.
        """
        from wellfit.report.subjects.results.frames import SentenceFrame

        s = self.summary
        pairs = [(s.title, sentence) for sentence in s.conclusion[1:]]
        pairs += [(answer.ask, sentence) for answer in s.answers for sentence in answer.sentences]
        rows = [(ask, sentence.text, sentence.sources) for ask, sentence in pairs]
        return SentenceFrame(rows, columns=["question", "sentence", "sources"])

    def history(self) -> pd.DataFrame:
        """One row per epoch and run, in long form; accuracies are shares of 1."""
        import pandas as pd

        frames = [
            pd.DataFrame({"variant": name, "seed": seed, "epoch": range(1, len(h) + 1), **h.columns})
            for name, seeds in self.summary.histories.items()
            for seed, h in seeds.items()
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "seed", "epoch"])

    def mistakes(self) -> pd.DataFrame:
        """One row per test example that any run misclassified, the most frequently misclassified first.

        Returns:
          ``test_row`` (from 0), ``true``, ``wrong: NAME`` for every variant (the number of its runs that misclassified
          it), ``wrong`` (of all runs), ``predicted`` (the most frequent wrong class) and ``probability`` (of that
          class, averaged over these runs).

        Raises:
          StudyFileError: no run has been tested.
        """
        import numpy as np
        import pandas as pd

        from wellfit.report.subjects.mistakes.numbers import choose, tally

        mistakes = self._mistakes()
        rows = choose(mistakes, "most").rows
        totals, classes = tally(mistakes), np.array(self.summary.classes, dtype=object)
        columns = {"test_row": rows, "true": classes[mistakes.labels[rows]]}
        columns |= {f"wrong: {name}": mistakes.wrong[v][rows] for v, name in enumerate(mistakes.variants)}
        columns |= {"wrong": totals.wrong[rows], "predicted": classes[totals.predicted[rows]]}
        unknown = np.isnan(mistakes.probability).all()  # of runs that others trained, perhaps only classes are known
        return pd.DataFrame({**columns, "probability": np.nan if unknown else totals.probability[rows]})

    def per_class(self) -> pd.DataFrame:
        """One row per variant and class: precision, recall with its 95 % interval, F1, support, and gain in recall.

        All but the support are shares of 1. The gain is relative to the first variant, paired by seed and example; NaN
        for the first variant itself.
        """
        import numpy as np
        import pandas as pd

        frames = []
        for name, table in self.details.by_class.items():
            columns = {key: getattr(table, key) for key in _PER_CLASS}
            none = np.full(len(self.summary.classes), np.nan)
            plain = {key: none if value is None else value for key, value in columns.items()}
            frames.append(pd.DataFrame({"variant": name, "class": self.summary.classes, **plain}))
        return (
            pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "class", *_PER_CLASS])
        )

    def calibration(self) -> pd.DataFrame:
        """One row per variant: expected calibration error and Brier score, with 95 % intervals over the seeds.

        The calibration error is a share of 1; the Brier score is between 0 and 2.
        """
        import pandas as pd

        rows = {}
        for name, calibration in self.details.calibration.items():
            row: dict[str, float] = {}
            for score, value in calibration.scores.items():
                low, high = calibration.intervals.get(score) or (float("nan"), float("nan"))
                row |= {score: value, f"{score}_low": low, f"{score}_high": high}
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")

    def text(self, table: str = "table", form: str = "latex") -> str:
        """One of the tables as text, for a paper or another program.

        Args:
          table: the method that makes it: ``"table"``, ``"runs"``, ``"compare"``, ``"ranking"``, ``"conclusion"``,
            ``"history"``, ``"mistakes"``, ``"per_class"`` or ``"calibration"``.
          form: ``"latex"`` (for the package booktabs) and ``"markdown"`` show numbers as the report does, accuracies in
            percent with their intervals; ``"csv"`` has every column in full precision, accuracies as shares of 1, so
            that ``pandas.read_csv`` reads the same numbers.

        Raises:
          UnknownNameError: there is no such table or form.
          StudyFileError: the table has no rows, or no run has been tested.
        """
        from wellfit.report.forms.tables import check_names, table_text

        name, form = check_names(table, form)
        return table_text(self.summary, getattr(self, name)(), name, form)
