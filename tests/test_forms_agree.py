"""Every form of a report says the same of a study: thousands of random studies, with no training.

Test results are drawn at random, with equal and better variants, copies of others, runs that diverge and runs that are
pending; everything that a report says is then computed as for a real study.
"""

from __future__ import annotations

import html
import re
from functools import lru_cache

import numpy as np
import pytest
from rich.console import Console

from detailed import NOTHING
from wellfit.analysis import evidence
from wellfit.analysis.intervals import two_way_interval
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import EarlierLooks, RunSummary, StudySummary, TestRows, VariantSummary
from wellfit.report.forms import cells, markdown
from wellfit.report.forms.page_template import page_environment, prose
from wellfit.report.forms.terminal import print_summary
from wellfit.report.subjects.answer import section as answer
from wellfit.report.subjects.ranking.numbers import ranked_rows
from wellfit.report.subjects.results import comparisons, numbers, section
from wellfit.report.wording import letters
from wellfit.spec.study import recipes, study_from_mapping
from wellfit.study.conclude import conclude

WORDS = ("better", "worse", "equivalent")
OPPOSITE = {"better": "worse", "worse": "better"}


@lru_cache(maxsize=16)
def spec_of(variants, seeds):
    names = ["baseline", *(f"v{i}" for i in range(1, variants))]
    beats = {"ask": "Is v1 better?", "kind": "beats", "variant": "v1", "than": [n for n in names if n != "v1"]}
    questions = [beats, {"ask": "Which is best?", "kind": "best"}]
    published = {name: {"test_accuracy": 0.8 + 0.01 * i} for i, name in enumerate(names[:3])}
    made = {"title": "Which?", "data": {"name": "digits"}, "questions": questions, "published": published,
            "train": {"seeds": seeds}, "variants": {n: {"l2": 0.001 * i} for i, n in enumerate(names)}}  # fmt: skip
    spec = study_from_mapping(made)
    return spec, recipes(spec)


def random_study(rng):
    """A study of random results, and the interim analysis that it is, if any."""
    variants, seeds, n = int(rng.integers(2, 7)), int(rng.integers(1, 7)), int(rng.integers(12, 400))
    spec, of_variant = spec_of(variants, seeds)
    hardness, spread = rng.random(n), rng.choice([0.0, 0.05, 0.3])
    folds = min(seeds, int(rng.choice([1, 1, 5])))  # a seed judges all examples, or its fold
    rows = {s: np.flatnonzero(np.arange(n) % folds == s % folds) for s in range(seeds)}
    correct, made, previous = {}, [], None
    for name in spec.variants:
        level, fails = rng.choice([0.5, 0.55, 0.8, 0.97]), rng.choice([0.0, 0.0, 0.4, 1.0])
        right = {s: hardness[of] + spread * rng.standard_normal(len(of)) < level for s, of in rows.items()}
        losses = dict(enumerate(rng.random(seeds)))
        state = {s: str(rng.choice(["finished", "diverged"], p=[1 - fails, fails])) for s in range(seeds)}
        if previous is not None and rng.random() < 0.15:
            right, losses, state = previous  # a copy
        previous = right, losses, state
        if rng.random() < 0.1:
            state = {s: "pending" if s == seeds - 1 else of for s, of in state.items()}
        correct[name] = {s: right[s] for s in range(seeds) if state[s] == "finished"}
        made.append(_variant(name, seeds, state, correct[name], losses, rows, spec.published.get(name, {})))
    looks = EarlierLooks((3,) if rng.random() < 0.2 and seeds > 3 else (), ("brier",) if rng.random() < 0.1 else ())
    interim = InterimAnalysis(1, (seeds, seeds + 5)) if rng.random() < 0.2 and seeds > 1 and not looks.seeds else None
    differs = "The published numbers come from 9 epochs, not from 3 as here." if rng.random() < 0.3 else ""
    found = conclude(spec, of_variant, made, correct, TestRows(rows, n), interim, 0.1, differs, looks)
    return StudySummary(
        name="s", title="Which?", data="digits", state="finished", seeds=tuple(range(seeds)), epochs=9, seconds=1.0,
        directory="it", variants=tuple(made), findings=(), histories={}, confusion={}, classes=("a", "b"),
        provenance={}, settings={}, earlier_looks=looks, **found._asdict(),
    )  # fmt: skip


def _variant(name, seeds, state, correct, losses, rows, published):
    runs = tuple(
        RunSummary(s, state[s], 9, 9, 9, None, *([0.9, 0.1] * 2 if s in correct else [None] * 4),
                   float(correct[s].mean()) if s in correct else None, losses[s] if s in correct else None, 1.0)
        for s in range(seeds)
    )  # fmt: skip
    if not correct:
        return VariantSummary(name, {}, 1, runs, {}, {}, 1.0, published)
    tested = TestRows(rows, 1 + max(int(of.max()) for of in rows.values())).only(list(correct))
    mean, interval = two_way_interval(list(correct.values()), tested=tested)
    return VariantSummary(name, {}, 1, runs, {"test_accuracy": mean}, {"test_accuracy": interval}, 1.0, published)


@pytest.fixture(autouse=True)
def _no_bootstrap(monkeypatch):
    """The second opinion takes most of the time, and no sentence uses it."""
    monkeypatch.setattr(evidence, "two_way_bootstrap", lambda *args, **more: NoBootstrap)


class NoBootstrap:
    interval = p_value = None


# --- What has to hold -------------------------------------------------------------------------------------------------


def labels_follow_verdicts(study):
    """The cells of the results and of the comparisons say what the verdicts say, with a star for surviving runs."""
    by_name = {v.name: v for v in study.variants}
    broken = {v.name for v in study.variants if any(run.state == "diverged" for run in v.runs)}
    expected = {}
    for c in (*study.comparisons, *study.asked):
        star = "*" if {c.variant, c.against} & broken else ""
        expected[c.variant, c.against] = ("identical" if c.identical else c.verdict) + star
        assert not (c.identical and c.verdict in ("better", "worse"))
    shown = {(row[0], row[1]): row[-1] for row in numbers.comparison_table(study).rows}
    assert shown == expected
    first = study.variants[0].name
    for row in numbers.variant_rows(study)[1:]:
        every = all(run.state == "diverged" for run in by_name[row.name].runs)
        assert row.verdict == expected.get((row.name, first), "diverged" if every else "–")


def letters_follow_verdicts(study):
    """Two variants that were compared share a letter exactly if the verdict does not separate them."""
    marks = letters(study)
    for c in (*study.comparisons, *study.asked):
        if marks:
            shared = bool(set(marks[c.variant]) & set(marks[c.against]))
            assert shared == (c.verdict not in ("better", "worse"))
    of = {v.name: {run.seed for run in v.runs if run.test_accuracy is not None} for v in study.variants}
    for c in study.comparisons:
        if marks and c.identical and of[c.variant] == of[c.against]:
            assert marks[c.variant] == marks[c.against]
    tested = [row.variant for row in ranked_rows(study) if row.mean is not None]
    assert tested == [ranked.variant for ranked in study.ranking]
    assert {row.variant: row.letters for row in ranked_rows(study) if row.letters} == marks


def leaders_are_one(study):
    """The conclusion and the answer name the first of the ranking, and separate it from the same variants."""
    said = re.findall(r"(?:^|[.:] )(\S+) has the highest mean test accuracy, ([\d.]+) %", study.verdict)
    answers = {a.kind: a.text for a in study.answers}
    said += re.findall(r"(?:^|[.:] )(\S+) has the highest mean test accuracy, ([\d.]+) %", answers["best"])
    marks = {r.variant: set(r.letters) for r in study.ranking}
    for name, mean in said:
        assert (name, mean) == (study.ranking[0].variant, f"{100 * study.ranking[0].mean:.2f}")
    for text in (study.verdict, answers["best"]):
        for rest in re.findall(r"(?:but|, but) not? ?(?:pairwise comparison separates \S+ )?from ([^.;]*)", text):
            for other in re.findall(r"v\d|baseline", rest):
                assert marks[other] & marks[study.ranking[0].variant]
        if "separate it from all others" in text:
            assert not any(marks[r.variant] & marks[study.ranking[0].variant] for r in study.ranking[1:])
    if study.leader_accuracy is not None:
        assert study.leader_accuracy <= 1


def conclusions_claim_no_more(study):
    """Better, worse, equivalent, identical and diverged are said of exactly the variants of which they hold."""
    first = study.variants[0]
    text = " ".join(s.text for s in study.conclusion if not s.text.startswith(tuple(f"{r.variant} has the highest"
                                                                                  for r in study.ranking)))  # fmt: skip
    alike = {c.variant for c in study.comparisons if c.identical}
    comparable = any(c.p_adjusted is not None for c in study.comparisons) or alike
    for word in WORDS:
        those = {c.variant for c in study.comparisons if c.verdict == word and c.variant not in alike}
        claimed = re.search(rf"([\w, -]+?) (?:was|were) {word} (?:than|to) baseline", text)
        named = set(re.findall(r"v\d", claimed[1])) if claimed else set()
        others = re.search(r"and (\d+) others$", claimed[1]) if claimed else None
        assert named <= those
        assert len(named) + (int(others[1]) if others else 0) == (len(those) if comparable else 0)
    said = re.search(r"([\w, ]+?) (?:is|are) identical to baseline", text)
    names = set(re.findall(r"v\d", said[1])) if said else set()
    assert names <= alike
    assert bool(names) == bool(alike and len(study.variants) > 1 and "test_accuracy" in first.mean and comparable)
    lost = {v.name for v in study.variants if all(run.state == "diverged" for run in v.runs)}
    undecided = re.search(r"([\w, ]+?) (?:is|are) undecided", text)
    assert not (set(re.findall(r"v\d", undecided[1])) if undecided else set()) & (lost | alike)
    decided = {c.verdict for c in study.comparisons if c.variant not in alike} & {"better", "worse"}
    assert not ("differs clearly" in text and decided)
    for d in study.divergences:
        if d.clear and d.against == first.name and len(study.variants) > 1 and any(v.mean for v in study.variants):
            word = "more" if d.diverged * d.against_runs > d.against_diverged * d.runs else "less"
            assert re.search(rf"{d.variant}\b.* diverged {word} often than baseline|and \d others diverged", text)
    assert ("unadjusted" in text) == bool(study.earlier_looks.seeds and comparable)
    assert ("The metric was chosen after" in text) == bool(study.earlier_looks.metrics and comparable)
    assert not re.search(r"\b(nan|None(?! of)|inf)\b|100\.0 points|-0\.0 ", text)
    assert len(text) < 2000


def answers_claim_no_more(study):
    """What an answer says of two variants is the verdict of their comparison."""
    verdicts = {(c.variant, c.against): c.verdict for c in (*study.comparisons, *study.asked)}
    verdicts |= {(b, a): OPPOSITE.get(word, word) for (a, b), word in verdicts.items()}
    alike = {frozenset((c.variant, c.against)) for c in (*study.comparisons, *study.asked) if c.identical}
    for given in study.answers:
        text = re.sub(r"but it was worse than .* on the seeds that both finished", "", given.text)
        subject = ""
        for name, word, others in re.findall(r"(\w+) was (better|worse|equivalent) (?:than|to) (.*?\))(?=; |\.)", text):
            subject = subject if name == "it" else name
            for other in re.findall(r"(baseline|v\d) \(", others):
                assert verdicts[subject, other] == word
        for name, others in re.findall(r"(\w+) gave the same results as ([^;.]*)", text):
            subject = subject if name == "it" else name
            assert all(frozenset((subject, other)) in alike for other in re.findall(r"baseline|v\d", others))
        if given.text.startswith("Yes"):
            assert all(verdicts["v1", v.name] == "better" for v in study.variants if v.name != "v1")
        if given.kind == "winner" and "come from 9 epochs" in given.text:
            assert not re.search(r"Confirmed|Refuted|Undecided|was (better|worse)", given.text)


CHECKS = (labels_follow_verdicts, letters_follow_verdicts, leaders_are_one, conclusions_claim_no_more,
          answers_claim_no_more)  # fmt: skip


def plain(text):
    """Text of any form, without its markup: tags, escapes, kinds of space and of minus sign."""
    text = html.unescape(re.sub(r"<[^>]*>", " ", text)).replace("\\", "")
    return " ".join(text.replace("−", "-").replace("\u00a0", " ").split())


def forms(study):
    """What every form prints of the answer, the results and the comparisons."""
    with (console := Console(width=100_000, no_color=True)).capture() as printed:
        print_summary(study, console, full=True)
    yield "terminal", printed.get()
    subjects = (answer, section, comparisons)
    parts = [part for subject in subjects for part in subject.parts(study, NOTHING)]
    yield "markdown", "\n\n".join(markdown._block(part, "f", {}) for part in parts)
    page = page_environment()
    environment = {"summary": study, "notices": (), "prose": prose}
    templates = ("answer/text", "results/section", "results/comparisons")
    yield (
        "page",
        "".join(
            page.get_template(f"subjects/{name}.html.j2").render(**environment, **subject.fragment(study, NOTHING, {}))
            for name, subject in zip(templates, subjects, strict=True)
            if subject is not comparisons or study.comparisons
        ),
    )
    yield "notebook", cells.results_html(study)


def row_of(form, text, name):
    """The words of a variant's row in the table of results of a form."""
    if form in ("page", "notebook"):
        rows = [plain(row) for row in re.findall(r"<tr>(.*?)</tr>", text, re.DOTALL)]
        return next(row.split() for row in rows if row.startswith(name))
    lines = [line for line in text.splitlines() if form != "markdown" or line.startswith("| ")]
    rows = [re.sub(r"\|", " ", line).split() for line in lines]
    return next(row for row in rows if name in row[:2] and len(row) > 2 and not row[-1].endswith((".", ":", "?")))


def forms_say_the_same(study):
    """Every form prints every sentence of the conclusion, every answer that it shows, and every verdict."""
    rows = numbers.variant_rows(study)
    for form, text in forms(study):
        words = plain(text)
        assert all(plain(sentence.text) in words for sentence in study.conclusion[1:]), form
        if form != "notebook":
            assert all(plain(given.text) in words for given in study.answers), form
        for row in rows[1:]:
            if row.verdict != "–" and (study.comparisons or form != "terminal"):  # which then has no such column
                label = row.verdict.replace("*", "\\*") if form == "markdown" else row.verdict
                assert label in row_of(form, text, row.name), form


@pytest.mark.parametrize("seed", range(4))
def test_random_studies_are_consistent(seed):
    rng = np.random.default_rng(seed)
    for _ in range(60):
        study = random_study(rng)
        for check in CHECKS:
            check(study)


def test_every_form_says_the_same(monkeypatch):
    monkeypatch.setattr(cells, "inline_svg", lambda *args: "")
    monkeypatch.setattr(cells, "plot_intervals", lambda study: None)
    rng = np.random.default_rng(9)
    for _ in range(25):
        forms_say_the_same(random_study(rng))


@pytest.mark.slow
def test_thousands_of_random_studies_are_consistent(monkeypatch):
    monkeypatch.setattr(cells, "inline_svg", lambda *args: "")
    monkeypatch.setattr(cells, "plot_intervals", lambda study: None)
    rng = np.random.default_rng(10)
    for at in range(5000):
        study = random_study(rng)
        for check in CHECKS:
            check(study)
        if at % 5 == 0:
            forms_say_the_same(study)
