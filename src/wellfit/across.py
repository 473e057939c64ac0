"""``wellfit.judge_datasets`` and ``wellfit.plot_ranks``: the same variants on several data sets."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellfit.plots import Plots, shown
from wellfit.study.over_datasets import DatasetStudies, study_datasets

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["JudgedDatasets", "judge_datasets", "plot_ranks"]


@dataclass(frozen=True, eq=False, repr=False)
class JudgedDatasets(DatasetStudies):
    """The same variants on several data sets, as ``wellfit.judge_datasets`` returns them; printed, in sentences."""

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is known on these data sets, on each of them, and on others like them."""
        from wellfit.narrative.over_datasets import dataset_sentences

        return (*dataset_sentences(self), *self.notes)

    def table(self) -> pd.DataFrame:
        """One row per variant, the best mean rank first.

        Returns:
          ``mean_rank``; ``rank_low`` and ``rank_high`` of other data sets like these; ``here_low`` and ``here_high`` on
          these data sets; then the mean on every data set. ``attrs`` has ``friedman`` and ``nemenyi``.
        """
        import pandas as pd

        rows = [
            {
                "mean_rank": float(self.mean_ranks[v]),
                **dict(zip(("rank_low", "rank_high"), self.intervals[name], strict=True)),
                **dict(zip(("here_low", "here_high"), self.bounds[name], strict=True)),
                **dict(zip(self.datasets, map(float, self.means[:, v]), strict=True)),
            }
            for v, name in enumerate(self.variants)
        ]
        frame = pd.DataFrame(rows, index=pd.Index(self.variants, name="variant"))
        frame.attrs = {"metric": self.metric, "friedman": self.friedman, "nemenyi": self.nemenyi}
        return frame

    def compare(self) -> pd.DataFrame:
        """One row per pair and data set, and one per pair for the average over them (``dataset`` is empty).

        Returns:
          ``dataset`` and the fields of a comparison; ``over_datasets_p`` is the p-value of the signed-rank test.
        """
        import pandas as pd

        rows = [{"dataset": name, **vars(c)} for name, of in self.verdicts.items() for c in of]
        averages = [
            {"dataset": "", **vars(c), "over_datasets_p": self.p_values[c.variant, c.against]} for c in self.averages
        ]
        return pd.DataFrame([*averages, *rows])

    def plot(self, *, ax: Axes | None = None) -> Figure | Axes:
        """The mean ranks, see ``wellfit.plot_ranks``."""
        return plot_ranks(self, ax=ax)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure, ``.svg`` or ``.pdf``, whole or not at all.

        Raises:
          UnknownNameError: another ending.
          StoreError: the file cannot be written.
        """
        from wellfit.report.marks.column import save_figure
        from wellfit.report.subjects.over_datasets.static import plot_ranks as drawn

        return save_figure(Path(path), lambda: drawn(self))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "metric": self.metric,
            "margin": self.margin,
            "datasets": [
                {"name": name, "directory": self.directories[name], "seeds": seeds, "examples": examples}
                for name, (seeds, examples) in self.sizes.items()
            ],
            "variants": [
                {
                    "name": name,
                    "mean_rank": float(self.mean_ranks[v]),
                    "interval": self.intervals[name],
                    "bounds": self.bounds[name],
                    "ranks": dict(zip(self.datasets, map(float, self.ranks[:, v]), strict=True)),
                    "means": dict(zip(self.datasets, map(float, self.means[:, v]), strict=True)),
                }
                for v, name in enumerate(self.variants)
            ],
            "friedman": self.friedman,
            "nemenyi": self.nemenyi,
            "averages": [vars(c) | {"over_datasets_p": self.p_values[c.variant, c.against]} for c in self.averages],
            "verdicts": {name: [vars(c) for c in of] for name, of in self.verdicts.items()},
            "left_out": self.left_out,
            "sentences": self.sentences,
        }

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def __repr__(self) -> str:
        return f"JudgedDatasets({len(self.variants)} variants on {', '.join(self.datasets)}: {self.sentences[0]})"


def judge_datasets(results: Mapping[str, Plots | str | Path]) -> JudgedDatasets:
    """Compare the variants of several studies, each on another data set.

    Variants of the same name are the same; what a study lacks is left out of all.

    Args:
      results: the name of a data set -> its ``Results``, or the study directory.

    Raises:
      StoreUnreadableError: one of them is not a study directory, or is damaged.
      OtherStudyError: fewer than two data sets, the same data twice, another metric, or no two common variants.
      StudyFileError: no run of one of them has been tested.

    Example:
      >>> import wellfit
      >>> variants = {"baseline": {}, "l2": {"l2": 1e-2}}
      >>> options = {"variants": variants, "epochs": 2, "seeds": 2}
      >>> digits = wellfit.Study("digits", wellfit.mlp(16), **options).run(progress=False)
      >>> cosines = wellfit.Study("cosines", wellfit.mlp(16), **options).run(progress=False)
      >>> found = wellfit.judge_datasets({"digits": digits, "cosines": cosines})
      >>> found.sentences[-1]
      'On other data sets like these: nothing yet. 2 data sets cannot separate 2 variants; that takes at least 6.'
    """
    places = {name: of.directory if isinstance(of, Plots) else Path(of) for name, of in results.items()}
    return JudgedDatasets(**vars(study_datasets(places)))


def plot_ranks(found: DatasetStudies, *, ax: Axes | None = None) -> Figure | Axes:
    """A critical-difference diagram that counts examples and seeds too: the mean ranks over several data sets.

    The thick line of a variant has the mean ranks on these data sets that no verdict excludes, for new seeds and new
    examples; the thin one is the interval for other data sets like these. Solid bars join variants that no verdict on
    the average over these data sets separates, dashed bars those that no signed-rank test over the data sets separates.

    Args:
      found: from ``judge_datasets``.
      ax: draw on these axes instead of a new figure.
    """
    from wellfit.report.subjects.over_datasets.static import plot_ranks as drawn

    return shown(drawn(found, ax), ax)
