"""The results of a study: tables, figures, report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wellfit.base import Finding, StudySummary, VariantSummary
from wellfit.errors import StudyFileError
from wellfit.result_tables import ResultTables

if TYPE_CHECKING:
    from wellfit.base import Dataset
    from wellfit.model.fitted import FittedModel

__all__ = ["Results"]


class Results(ResultTables):
    """The results in a study directory, finished or not.

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
        from wellfit.study.summarize import summarize

        self.directory = Path(directory)
        self.summary: StudySummary = summarize(self.directory)
        self._keep = _keep  # a temporary directory lives as long as the results in it

    def best(self) -> VariantSummary:
        """The variant with the highest mean validation accuracy; the test set is not used.

        Means exclude diverged runs, so variants without diverged runs take precedence.

        Raises:
          StudyFileError: no run has finished, or others trained the runs.
        """
        scored = [v for v in self.summary.variants if "validation_accuracy" in v.mean]
        if self.summary.elsewhere:
            raise StudyFileError(
                f"{self.directory}: its runs were trained elsewhere, and nothing is known of their validation "
                "accuracy; see ranking()"
            )
        if not scored:
            raise StudyFileError(f"no run of the study in {self.directory} has finished; run it first")
        sound = [v for v in scored if all(run.state != "diverged" for run in v.runs)]
        return max(sound or scored, key=lambda variant: variant.mean["validation_accuracy"])

    def model(self, variant: str | None = None, seed: int | None = None) -> FittedModel:
        """A model that predicts new examples.

        Args:
          variant: by default the one that validation supports: the best that is better than the first beyond chance, or
            else the first. ``summary()`` of the model says which, and what accuracy to expect.
          seed: that of a single network; by default the ensemble of all seeds.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: no run of it has finished well.
          StoreError: a file of the study directory is missing or damaged.

        Example:
          >>> from wellfit import Study, mlp
          >>> results = Study("digits", mlp(16), epochs=1, seeds=2).run()
          >>> results.model()
          FittedModel('baseline', ensemble of 2 networks, 10 classes)
        """
        from wellfit.model.chosen import fitted_model
        from wellfit.store import open_existing

        with open_existing(self.directory) as store:
            return fitted_model(store, self.summary, variant, seed)

    def refit(
        self, variant: str | None = None, *, with_test: bool = False, data: str | Path | Dataset | None = None
    ) -> FittedModel:
        """A model whose networks are trained again on training and validation examples together; never evaluated.

        Args:
          variant: by default the one that validation supports, as for ``model``.
          with_test: whether the test examples are used too.
          data: the data of the study, as ``load_dataset`` or ``make_dataset`` return them, or their path; by default
            they are read from where the study found them.

        Raises:
          UnknownNameError: there is no such variant.
          StudyFileError: no run of it has finished well, or every network diverges.
          DataError: the data cannot be read, or are not those of the study.
        """
        from wellfit.base import Dataset
        from wellfit.data.catalog import load_dataset
        from wellfit.model.chosen import refitted_model
        from wellfit.store import open_existing
        from wellfit.study.elsewhere import refuse_elsewhere
        from wellfit.study.session import Session

        refuse_elsewhere(self.summary)
        with open_existing(self.directory) as store:
            spec = store.metadata.spec()
            if not isinstance(data, Dataset):
                data = load_dataset(spec.data.name_or_path if data is None else data, spec.data)
            session = Session(spec, data, self.directory)
            return refitted_model(session, store, self.summary, variant, with_test=with_test)

    @property
    def verdict(self) -> str:
        """The conclusion that the evidence supports."""
        return self.summary.verdict

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings of the checks of data, split and training."""
        return self.summary.findings

    def report(
        self,
        path: str | Path | None = None,
        format: str | None = None,
        *,
        authors: str | Sequence[str] | None = None,
        course: str | None = None,
        text: str | Path | Mapping[str, str] | None = None,
        all: bool = False,
        code: bool = False,
        parts: bool = False,
    ) -> Path:
        """Write the report.

        Args:
          path: the file; its ending sets the format: ``.html`` (one interactive page that works offline), ``.pdf``,
            ``.md`` or ``.ipynb``. By default ``report.html`` in the study directory, or for a study run without ``out``
            ``wellfit-report.html`` in the working directory.
          format: ``"html"``, ``"pdf"``, ``"md"``, ``"ipynb"``; or ``"png"``, ``"svg"`` or ``"pdf-figures"`` for a
            folder with only the figures, the latter two drawn for one column of a paper.
          authors: who hands it in.
          course: for which course.
          text: their own words: Markdown with a heading ``## NAME`` for each section, the path of such a file, or
            section -> Markdown. The study directory keeps all three; an empty value removes what it has.
          all: of a PDF, every section, also those that the usual one leaves out; of a lab, its sections instead of its
            steps.
          code: of a lab's PDF, the code of every step.
          parts: of a lab's PDF, train its other parts where they are missing.

        Returns:
          The file, or the folder.

        Raises:
          UnknownNameError, StudyFileError: there is no such format, or it contradicts the path.
          StudyFileError: a section that the report does not have; ``all``, ``code`` or ``parts`` with another format.
          StoreError: it cannot be written.
        """
        from wellfit.report.forms.formats import FORMATS, Printed, report_format, report_path, write_report

        given = None if path is None else Path(path)
        form = report_format(format, given)
        printed = Printed(all=all, code=code, parts=parts)
        if printed != Printed() and form != "pdf":
            raise StudyFileError('all, code and parts are for PDFs; give format="pdf", or leave them out')
        if (authors, course, text) != (None, None, None):
            self._keep_words(authors, course, text)
        lasting = self.directory if self._keep is None else None
        usual = Path(f"wellfit-{FORMATS[form]}") if lasting is None else self.directory / FORMATS[form]
        target = usual if given is None else report_path(form, given, self.directory)
        return write_report(self.summary, self.details, form, target, lasting, printed=printed)

    def _keep_words(
        self, authors: str | Sequence[str] | None, course: str | None, text: str | Path | Mapping[str, str] | None
    ) -> None:
        """Keep own words in the study directory, and in this summary of it."""
        from wellfit.report.given_words import new_words
        from wellfit.study.own_words import keep_words, kept_words
        from wellfit.study.summarize import summarize

        words, name = kept_words(self.directory)
        keep_words(self.directory, new_words(words, name, authors=authors, course=course, text=text))
        self.summary = summarize(self.directory)

    def _repr_html_(self) -> str:
        from wellfit.report.forms.cells import results_html

        report = self.directory / "report.html"
        return results_html(self.summary, report if report.is_file() else None)

    def __repr__(self) -> str:
        from wellfit.errors import escaped
        from wellfit.report.wording import count

        s = self.summary
        sizes = f"{count(len(s.variants), 'variant')}, {count(len(s.seeds), 'seed')}"
        answer = s.conclusion[1].text if len(s.conclusion) > 1 else s.verdict
        return f"Results({s.name!r}, {s.state}, {sizes}): {escaped(answer)}"

    def __getstate__(self) -> dict[str, Any]:
        """For pickle; a temporary directory stays behind, so everything that is read from it goes along."""
        if self._keep is None:
            return vars(self)
        return {**vars(self), "details": self.details, "_keep": "elsewhere"}
