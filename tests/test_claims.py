"""``wellfit.claim``."""

from __future__ import annotations

import json

import numpy as np
import pytest

import wellfit
from wellfit.analysis.claims import claim_evidence
from wellfit.analysis.intervals import prediction_interval
from wellfit.analysis.seeds_needed import power_curve
from wellfit.claims import claim
from wellfit.errors import StoreUnreadableError, StudyFileError, UnknownNameError


def test_a_given_spread_is_the_evidence_with_what_would_decide():
    found = claim(0.8835, 10_000, other=0.8803, seed_sd=0.003, variants=3)
    evidence = claim_evidence(0.8835, 10_000, other=0.8803, seed_sd=0.003, variants=3)
    assert {key: vars(found)[key] for key in vars(evidence)} == vars(evidence)
    curve = power_curve(0.8819, 0.0032, 10_000, seed_sd=0.003, variants=3, disagreement=found.disagreement)
    assert found.power.needed == curve.needed
    assert "No number of seeds decides 0.32 points" in str(found)
    plain = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert plain["seeds_needed"] is None
    assert plain["difference"] == pytest.approx(0.0032)
    assert plain["sentences"] == list(found.sentences)


@pytest.mark.parametrize("options", [{}, {"seed_sd": 0.003}, {"other": 0.88}, {"other": 0.8835, "seed_sd": 0.003}])
def test_without_a_difference_or_a_spread_nothing_would_decide(options):
    assert claim(0.8835, 10_000, **options).power is None


def test_comparable_runs_show_their_spread(finished_study):
    results = wellfit.Results(finished_study)
    runs = [run.test_accuracy for run in results.summary.variants[1].runs]
    name = results.summary.variants[1].name
    found = claim(0.9, 1000, against=results, variant=name)
    low, high = prediction_interval(runs)
    assert found.one_run == pytest.approx((max(low, 0), min(high, 1)))
    assert (found.variant, found.runs, found.directory) == (name, 2, str(finished_study))
    assert any(text.startswith(f"One more run of {name} in ") for text in found.sentences)
    assert found.seed_sd >= 0
    first = claim(0.9, 1000, against=str(finished_study))
    assert first.variant == results.summary.variants[0].name


def test_many_examples_leave_the_spread_of_the_seeds(finished_study):
    few, many = (claim(0.9, n, against=finished_study) for n in (100, 10**8))
    assert many.seed_sd <= few.seed_sd
    assert np.diff(many.interval) < np.diff(few.interval)


def test_a_study_compared_on_another_metric_still_has_accuracies(finished_study, tmp_path):
    study = wellfit.Study("cosines", wellfit.mlp(4), epochs=1, seeds=2, metric="log_loss")
    results = study.run(tmp_path / "study", progress=False)
    runs = [run.test_accuracy for run in results.summary.variants[0].runs]
    low, high = prediction_interval(runs)
    assert claim(0.9, 1000, against=results).one_run == pytest.approx((max(low, 0), min(high, 1)))


def test_what_does_not_fit_together_is_refused(finished_study, tmp_path):
    with pytest.raises(StudyFileError, match="give one of the two"):
        claim(0.9, 100, seed_sd=0.1, against=finished_study)
    with pytest.raises(StudyFileError, match="variant 'l2' of no study; give the study directory too"):
        claim(0.9, 100, variant="l2")
    with pytest.raises(UnknownNameError, match="unknown variant 'l3'"):
        claim(0.9, 100, against=finished_study, variant="l3")
    with pytest.raises(StoreUnreadableError, match="gone"):
        claim(0.9, 100, against=tmp_path / "gone")
    one = wellfit.Study("cosines", wellfit.mlp(4), epochs=1, seeds=1).run(tmp_path / "one", progress=False)
    with pytest.raises(StudyFileError, match="baseline has 1 tested run; the spread over seeds takes at least two"):
        claim(0.9, 100, against=one)


def test_accuracies_alone_are_no_spread_of_examples(tmp_path):
    wellfit.judge(None, {"a": [0.9, 0.8, 0.7], "b": [0.8, 0.8, 0.7]}, out=tmp_path / "s")
    with pytest.raises(StudyFileError, match="only accuracies are known of its runs; give their standard deviation"):
        claim(0.88, 1000, against=tmp_path / "s", variant="a")
