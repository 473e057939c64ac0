from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from sweeps import FALLING, FOUR, NOISE, RISEN, gaining, scored, tables
from sweeps import advised as texts
from wellfit import Study, mlp
from wellfit.analysis.selection import accuracy_may_choose
from wellfit.base import Finding
from wellfit.narrative.advice import MOST, advise, codes_fixed_by
from wellfit.report.forms.terminal import print_summary
from wellfit.spec.study import load_study
from wellfit.study.as_json import to_json
from wellfit.study.summarize import summarize


def test_a_supported_variant_comes_with_its_difference():
    first, *_ = texts(scored(FOUR, gaining({"dropout": 0.03, "l2": -0.01}, 0.002)))
    assert first.startswith("Use dropout (dropout = 0.3): its validation accuracy is 3.")
    assert first.endswith("above baseline over 5 seeds, more than chance explains.")


def test_gains_within_chance_are_not_supported():
    given_ = texts(scored(FOUR, gaining({"dropout": 0.004, "l2": -0.05, "smooth": -0.05}, 0.004)))
    best = (
        "Validation supports no regularizer yet: the best of the 3 that it can compare with baseline, dropout (dropout"
    )
    assert given_[0].startswith(best)
    assert not any("seeds" in text.removeprefix(given_[0]) for text in given_[1:])


def test_an_interval_of_one_comparison_is_not_the_adjusted_verdict():
    said = []
    for gain in np.linspace(0.001, 0.01, 60):
        text = texts(scored(FOUR, gaining({"dropout": gain, "l2": -0.001, "smooth": -0.002}, 0.004)))[0]
        bounds = re.search(r" is [\d.]+ points \[([-\d.]+), ", text)
        if text.startswith("Validation supports no") and bounds is not None:
            alone = "; the interval covers this comparison alone, and adjusted for all 3, p = 0." in text
            said.append(alone)
            assert alone or float(bounds[1]) <= 0
            assert text.endswith(
                (
                    "so this could be chance. Test results do not choose: the model stays baseline.",
                    "seeds; this could be chance. Test results do not choose: the model stays baseline.",
                )
            )
    assert True in said
    assert False in said


def test_none_better_keeps_the_first_and_ties_are_no_win():
    assert texts(scored(FOUR, gaining({"l2": -0.01, "dropout": -0.01, "smooth": -0.02}))) == [
        "Validation supports no regularizer: none has a higher mean accuracy than baseline over 5 seeds. Keep baseline."
    ]
    assert texts(scored(FOUR, gaining({})))[0].startswith("Validation supports no regularizer: none")


def test_advice_names_validation_accuracy_where_another_metric_decides():
    def of(gains, noise=0.0):
        return " ".join(texts(dataclasses.replace(scored(FOUR, gaining(gains, noise)), metric="macro_f1")))

    best = "the best by validation accuracy of the 3 that it can compare with baseline, dropout (dropout = 0.3), is 0."
    assert best in of({"dropout": 0.004}, 0.004)
    assert "none has a higher mean validation accuracy than baseline" in of({"dropout": -0.01})
    assert "which both have a validation accuracy above baseline" in of({"dropout": 0.03, "l2": 0.02}, 0.001)


@pytest.mark.parametrize("metric", ["log_loss", "brier"])
def test_accuracy_recommends_nothing_where_probabilities_are_judged(metric: str) -> None:
    study = dataclasses.replace(scored(FOUR, gaining({"dropout": 0.2, "l2": 0.2}, 0.001)), metric=metric)
    assert not accuracy_may_choose(study)
    said = " ".join(texts(study))
    assert "Use " not in said
    assert "Validation supports" not in said
    assert "Use dropout" in " ".join(texts(dataclasses.replace(study, metric="accuracy")))


def test_other_variants_are_not_called_regularizers():
    study = tables({"adam": {}, "sgd": {"optimizer": "sgd"}})
    assert texts(scored(study, gaining({"sgd": -0.1})))[0].startswith("Validation supports no variant: none")


def test_a_significant_gain_precedes_a_larger_one():
    wild = np.array([0.2, -0.1, 0.15, -0.05, 0.1])

    def score(name, changes, seed):
        gain = {"dropout": 0.02 + 0.001 * (seed % 2), "l2": wild[seed]}.get(name, -0.01 * (name == "smooth"))
        return 0.7 + gain

    first, *_ = texts(scored(FOUR, score))
    assert first.startswith("Use dropout (dropout = 0.3)")
    assert first.endswith("; l2 has a higher mean, but that could be chance.")


def test_a_chosen_epoch_is_not_judged_by_validation():
    rule = {"patience": 3, "restore_best_weights": True}
    study = tables({"baseline": {}, "best-epoch": {"early_stopping": rule}, "l2": {"l2": 1e-3}})
    given_ = texts(scored(study, gaining({"best-epoch": 0.05, "l2": 0.01}, 0.001)))
    assert given_[0].startswith("Use l2 (l2 = 0.001)")
    assert given_[1] == "Judge best-epoch by the test results alone: its epochs were chosen on the validation data."
    every = tables({"baseline": {"early_stopping": rule}, "l2": {"l2": 1e-3, "early_stopping": rule}})
    assert texts(scored(every, gaining({"l2": 0.05}, 0.001))) == [
        "Judge baseline and l2 by the test results alone: their epochs were chosen on the validation data."
    ]


def test_one_seed_should_become_five():
    given_ = texts(scored(FOUR, gaining({"dropout": 0.1}), seeds=1))
    assert given_ == [
        "Run five seeds (--seeds 5): with one seed, any difference could be chance, and validation favors no variant."
    ]


def test_one_variant_is_advised_on_its_epochs_alone():
    given_ = texts(scored(tables({"baseline": {}}), gaining({}), loss=lambda n: RISEN))
    assert given_ == [
        "Stop baseline at epoch 10 [10, 10], where its validation loss is lowest (median) and then rises for good."
    ]


def test_pending_and_diverged_runs_give_no_advice():
    names = list(FOUR["variants"])
    pending = {(name, seed): "pending" for name in names for seed in range(5)}
    assert advise(scored(FOUR, gaining({}), states=pending)) == ()
    diverged = {("dropout", 3): "diverged"}
    assert not any("dropout" in text for text in texts(scored(FOUR, gaining({"dropout": 0.5}), states=diverged)))
    assert texts(scored(FOUR, gaining({"dropout": 0.5}), states={("baseline", 3): "diverged"})) == []


def test_every_source_stands_in_the_study():
    summary = scored("lab5/l2", lambda n, c, s: 0.8 + NOISE[s] + 0.1 * c.get("l2", 0.0), loss=lambda n: RISEN)
    names = {v.name for v in summary.variants}
    for source in (source for sentence in advise(summary) for source in sentence.sources):
        assert source == "study.seeds" or re.fullmatch(r"variants\[(.+)\]\.(runs|mean\.\w+)", source)[1] in names


def test_after_a_quick_study_the_full_one_comes_first():
    summary = scored("lab5/l2", lambda n, c, s: 0.8 + NOISE[s] + 0.1 * c.get("l2", 0.0), loss=lambda n: FALLING)
    first, *rest = texts(dataclasses.replace(summary, title="How much? (quick)"))
    assert first.startswith("Run the full study (without --quick): this was a quick run with ")
    assert not any(text.startswith(("Train ", "Stop ", "Run ")) for text in rest)
    assert any(text.startswith("Train ") for text in texts(summary))


def test_two_seeds_should_become_five():
    summary = scored(FOUR, gaining({"dropout": 0.004, "l2": -0.05, "smooth": -0.05}, 0.004))
    two = dataclasses.replace(
        summary,
        seeds=(0, 1),
        variants=tuple(dataclasses.replace(v, runs=v.runs[:2]) for v in summary.variants),
    )
    assert texts(two)[0] == "Run five seeds (--seeds 5): two are too few for useful intervals."
    assert sum("--seeds" in text for text in texts(two)) == 1


def test_a_higher_rate_is_advised_where_most_variants_learned_too_slowly():
    summary = scored(FOUR, gaining({"dropout": -0.01}))
    fix = "For l2: raise the learning rate (now 0.001): --set variants.l2.learning_rate=0.003"
    found = Finding("learning-rate-low", "warning", "3 of 4 variants learned too slowly. l2: slow.", fix)
    slow = dataclasses.replace(summary, findings=(found,))
    expected = "Raise the learning rate, because 3 of 4 variants learned too slowly: --set train.learning_rate=0.003"
    assert expected in texts(slow)
    assert "learning-rate-low" in codes_fixed_by(advise(slow))
    assert expected not in texts(dataclasses.replace(slow, title="How much? (quick)"))
    for message in ("2 of 4 variants learned too slowly.", "l2 learned too slowly."):
        few = dataclasses.replace(slow, findings=(dataclasses.replace(found, message=message),))
        assert not any(text.startswith("Raise") for text in texts(few))
    rates = tables({"baseline": {}, **{f"r{i}": {"learning_rate": 10.0**-i} for i in (4, 5, 6)}})
    sweep = dataclasses.replace(scored(rates, gaining({})), findings=(found,))
    assert not any(text.startswith("Raise") for text in texts(sweep))  # the base rate may be right


def test_a_study_of_slow_variants_raises_the_rate(tmp_path):
    names = {"baseline": {}, "l2": {"l2": 1e-4}, "dropout": {"dropout": 0.1}}
    study = Study("digits", mlp(16), names, epochs=12, learning_rate=3e-4, examples=300, seeds=2)
    results = study.run(tmp_path / "slow", progress=False)
    raised = [text for text in texts(results.summary) if text.startswith("Raise the learning rate, because 3 of 3")]
    (rate,) = (float(text.partition("learning_rate=")[2]) for text in raised)
    assert rate > 3e-4


def test_advice_knows_the_findings_that_it_fixes():
    summary = scored("lab5/l2", lambda n, c, s: 0.8 + NOISE[s] + 0.1 * c.get("l2", 0.0), loss=lambda n: RISEN)
    assert codes_fixed_by(advise(summary)) == {"overfitting", "edge-of-sweep"}
    assert codes_fixed_by(()) == frozenset()


def test_a_finished_study_prints_its_advice_and_gives_it_as_json(finished_study):
    summary = summarize(finished_study)
    assert summary.advice[: len(advise(summary))] == advise(summary)
    assert advise(summary)
    advice = to_json(summary, "1")["advice"]
    assert [entry["text"] for entry in advice] == [sentence.text for sentence in summary.advice]
    with (console := Console(width=10_000)).capture() as printed:
        print_summary(summary, console)
    assert all(text in printed.get() for text in texts(summary))


table = st.lists(st.integers(700, 1000).map(lambda n: n / 1000), min_size=30, max_size=30)


@settings(max_examples=30, deadline=None)
@given(table, table)
def test_advice_follows_validation_and_ignores_test_scores(scores, tests):
    names = list(load_study("lab5/l2").variants)
    accuracies = dict(zip(names, np.array(scores).reshape(6, 5), strict=True))
    tested = dict(zip(names, np.array(tests).reshape(6, 5), strict=True))

    def score(name, changes, seed):
        return accuracies[name][seed]

    summary = scored("lab5/l2", score, test=lambda name, seed: tested[name][seed])
    given_ = advise(summary)
    assert given_ == advise(scored("lab5/l2", score))
    assert len(given_) <= MOST
    differences = {name: accuracies[name] - accuracies["baseline"] for name in names[1:]}
    best = max(d.mean() for d in differences.values())
    for text in (sentence.text for sentence in given_):
        if found := re.match(r"Use (\S+): its validation accuracy", text):
            d = differences[found[1]]
            assert d.mean() / (d.std(ddof=1) / np.sqrt(5)) > 2.776  # t at 5 %, before any correction
            assert "has a higher mean" in text or d.mean() == pytest.approx(best)
        if found := re.match(r"Validation supports no regularizer yet: the best, (\S+), is", text):
            assert differences[found[1]].mean() == pytest.approx(best)
        if "Keep baseline" in text:
            assert best <= 1e-9
        if found := re.match(r"Try (larger|smaller) values of l2.* of the sweep, (\S+):", text):
            edge = names[-1] if found[1] == "larger" else names[1]
            assert max(a.mean() for a in accuracies.values()) == pytest.approx(accuracies[edge].mean())
