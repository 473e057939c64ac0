"""What came out of a study: its tables, its figures, its report."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wellfit.base import Finding, StudySummary, VariantSummary
from wellfit.errors import StudyFileError
from wellfit.plots import Plots

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Results"]

_PER_CLASS: Final = (
    *("precision", "recall", "recall_low", "recall_high", "f1", "support"),
    *("gain", "gain_low", "gain_high"),
)
"""Columns of `Results.per_class`, as ``ClassTable`` names them."""


class Results(Plots):
    """What a study directory holds, finished or not.

    Args:
      directory: the study directory.

    Raises:
      StoreUnreadableError: there is no study in it.

    Example:
      >>> from wellfit import Study, mlp
      >>> results = Study("digits", mlp(16), epochs=2, seeds=2).run()
      >>> results.table().shape[0]
      1
      >>> results.history().columns[:3].tolist()
      ['variant', 'seed', 'epoch']
    """

    def __init__(self, directory: str | Path, *, _keep: object = None) -> None:
        from wellfit.study.summary import summarize

        self.directory = Path(directory)
        self.summary: StudySummary = summarize(self.directory)
        self._keep = _keep  # a temporary directory lives as long as the results in it

    def table(self) -> pd.DataFrame:
        """One row a variant: means and 95 % intervals of every metric.

        The numbers are for computing: accuracies and gaps are shares of 1, ``table()["test_accuracy"]`` such as 0.88.
        Printed, and in a notebook, the table shows them in percent and points, as the report does.

        The intervals of ``test_accuracy``, ``test_loss`` and ``generalization_gap`` count the seeds and the finite test
        set; those of the training and validation metrics count the seeds alone.
        """
        import pandas as pd

        from wellfit.report.subjects.results.frames import MetricFrame

        rows = {}
        for variant in self.summary.variants:
            row: dict[str, Any] = {}
            for metric, value in variant.mean.items():
                low, high = variant.interval.get(metric) or (float("nan"), float("nan"))
                row |= {metric: value, f"{metric}_low": low, f"{metric}_high": high}
            rows[variant.name] = {**row, "parameters": variant.parameters, "seconds": variant.seconds}
        return MetricFrame(list(rows.values()), index=pd.Index(list(rows), name="variant"))

    def runs(self) -> pd.DataFrame:
        """One row a run: variant, seed, state, epochs, and its metrics; accuracies are shares of 1."""
        import pandas as pd

        return pd.DataFrame([{"variant": v.name, **vars(run)} for v in self.summary.variants for run in v.runs])

    def compare(self) -> pd.DataFrame:
        """One row a comparison: of every variant with the first, then those that the study's questions needed.

        Differences and intervals are shares of 1, so that 0.01 is one percentage point.

        Returns:
          ``variant``, ``against``, ``metric``, ``difference``, ``interval``, ``p_value``, ``p_adjusted`` and
          ``verdict``; then every other method beside each other, see ``wellfit.base.PairedEvidence``: ``seeds``,
          ``interval90``, ``bootstrap_interval``, ``bootstrap_p``, ``paired_t_p``, ``sign_flip_p``, ``mcnemar_p`` (one a
          seed), ``better_on_new_seed``, ``worse_on_new_seed`` and ``further_seeds``. ``attrs`` holds the ``margin``.
        """
        import pandas as pd

        from wellfit.base import Comparison, PairedEvidence

        s = self.summary
        known = [(c.variant, c) for c in s.comparisons] + [(f"{c.variant}/{c.against}", c) for c in s.asked]
        columns = [field.name for kind in (Comparison, PairedEvidence) for field in fields(kind)]
        frame = pd.DataFrame([{**vars(c), **vars(s.evidence[key])} for key, c in known], columns=columns)
        frame.attrs = {"margin": s.margin}
        return frame

    def ranking(self) -> pd.DataFrame:
        """The variants from the best mean test accuracy to the worst, with letters and intervals.

        Returns:
          ``variant``, ``mean``, ``low``, ``high`` (the 95 % interval; all three are shares of 1) and
          ``letters``: two that share one are not told apart. ``attrs`` holds ``friedman_p``, of the test that no
          variant ranks differently, or None.
        """
        import pandas as pd

        intervals = {v.name: v.interval.get("test_accuracy") or (float("nan"),) * 2 for v in self.summary.variants}
        rows = [(r.variant, r.mean, *intervals[r.variant], r.letters) for r in self.summary.ranking]
        frame = pd.DataFrame(rows, columns=["variant", "mean", "low", "high", "letters"])
        frame.attrs = {"friedman_p": self.summary.friedman_p}
        return frame

    def conclusion(self) -> pd.DataFrame:
        """What was asked and what the evidence answers, a sentence a row; printed, every sentence is shown whole.

        Returns:
          ``question`` (the study's title, then its further questions), ``sentence`` and ``sources``: the keys of
          ``wellfit show --json`` that the sentence was made from.
        """
        from wellfit.report.subjects.results.frames import SentenceFrame

        s = self.summary
        told = [(s.title, sentence) for sentence in s.conclusion[1:]]
        told += [(answer.ask, sentence) for answer in s.answers for sentence in answer.sentences]
        rows = [(ask, sentence.text, sentence.sources) for ask, sentence in told]
        return SentenceFrame(rows, columns=["question", "sentence", "sources"])

    def history(self) -> pd.DataFrame:
        """One row an epoch of a run, in long form; accuracies are shares of 1."""
        import pandas as pd

        frames = [
            pd.DataFrame({"variant": name, "seed": seed, "epoch": range(1, len(h) + 1), **h.columns})
            for name, seeds in self.summary.histories.items()
            for seed, h in seeds.items()
        ]
        return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=["variant", "seed", "epoch"])

    def mistakes(self) -> pd.DataFrame:
        """One row a test example that some run got wrong, the most often wrong first.

        Returns:
          ``test_row`` (from 0), ``true``, for every variant ``wrong: NAME`` (how many of its runs), ``wrong`` (of all
          runs), ``predicted`` (the wrong class that most took it for) and ``probability`` (that they gave it, a mean).

        Raises:
          StudyFileError: no run has been tested yet.
        """
        import numpy as np
        import pandas as pd

        from wellfit.report.subjects.mistakes.numbers import choose, tally

        found = self._mistakes()
        rows = choose(found, "most").rows
        told, classes = tally(found), np.array(self.summary.classes, dtype=object)
        columns = {"test_row": rows, "true": classes[found.labels[rows]]}
        columns |= {f"wrong: {name}": found.wrong[v][rows] for v, name in enumerate(found.variants)}
        columns |= {"wrong": told.wrong[rows], "predicted": classes[told.predicted[rows]]}
        return pd.DataFrame({**columns, "probability": told.probability[rows]})

    def per_class(self) -> pd.DataFrame:
        """One row a variant and class: precision, recall and its 95 % interval, F1, support, and the gain in recall.

        All but the support are shares of 1. The gain is over the first variant's recall, paired by seed and image; NaN
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
        """One row a variant: expected calibration error and Brier score, with 95 % intervals over the seeds.

        The calibration error is a share of 1, the Brier score lies between 0 and 2.
        """
        import pandas as pd

        rows = {}
        for name, found in self.details.calibration.items():
            row: dict[str, float] = {}
            for score, value in found.scores.items():
                low, high = found.intervals.get(score) or (float("nan"), float("nan"))
                row |= {score: value, f"{score}_low": low, f"{score}_high": high}
            rows[name] = row
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("variant")

    def best(self) -> VariantSummary:
        """The variant with the highest mean validation accuracy: chosen without looking at the test set.

        A mean is over the runs that did not diverge, so a variant whose runs all hold comes before any that lost some.

        Raises:
          StudyFileError: no run has finished yet.
        """
        scored = [v for v in self.summary.variants if "validation_accuracy" in v.mean]
        if not scored:
            raise StudyFileError(f"no run of the study in {self.directory} has finished; run it first")
        sound = [v for v in scored if all(run.state != "diverged" for run in v.runs)]
        return max(sound or scored, key=lambda variant: variant.mean["validation_accuracy"])

    @property
    def verdict(self) -> str:
        """What the evidence allows one to say."""
        return self.summary.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the checks of data, split and training saw."""
        return self.summary.findings

    def report(self, path: str | Path | None = None, format: str | None = None) -> Path:
        """Write the report.

        Args:
          path: of the file, whose end says the form: ``.html`` (one page, interactive, that needs no network),
            ``.pdf``, ``.md`` or ``.ipynb``. By default ``report.html`` in the study directory. A study that was run
            without ``out`` has none that lasts, and gets ``wellfit-report.html`` in the working directory.
          format: ``"html"``, ``"pdf"``, ``"md"``, ``"ipynb"``, or ``"png"`` for the figures alone in a folder.

        Returns:
          The file, or the folder.

        Raises:
          UnknownNameError, StudyFileError: there is no such form, or the path says another.
          StoreError: it cannot be written.
        """
        from wellfit.report.forms.formats import FORMATS, report_format, report_path, write_report

        given = None if path is None else Path(path)
        form = report_format(format, given)
        lasting = self.directory if self._keep is None else None
        usual = Path(f"wellfit-{FORMATS[form]}") if lasting is None else self.directory / FORMATS[form]
        target = usual if given is None else report_path(form, given, self.directory)
        return write_report(self.summary, self.details, form, target, lasting)

    def _repr_html_(self) -> str:
        from wellfit.report.forms.cells import results_html

        report = self.directory / "report.html"
        return results_html(self.summary, report if report.is_file() else None)

    def __repr__(self) -> str:
        s = self.summary
        return f"Results({s.name!r}, {s.state}, {len(s.variants)} variants, {len(s.seeds)} seeds)\n{s.verdict}"
