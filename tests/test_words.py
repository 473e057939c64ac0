import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.words import conclusion, points
from wellfit.base import Comparison, RunSummary, VariantSummary

NAMES = ("baseline", "dropout", "l2", "l1", "early-stopping")


def run(seed, state="finished"):
    scored = 0.88 if state in ("finished", "stopped") else None
    return RunSummary(seed, state, 10, 10, 10, None, 0.9, 0.3, 0.88, 0.4, scored, 0.4, 1.0)


def variant(name, states=("finished",) * 5, mean=None, interval=(0.875, 0.885)):
    return VariantSummary(
        name=name,
        settings={},
        parameters=10,
        runs=tuple(run(s, state) for s, state in enumerate(states)),
        mean={"test_accuracy": 0.88} if mean is None else mean,
        interval={"test_accuracy": interval},
        seconds=1.0,
        published={},
    )


def against_baseline(name, verdict, difference=0.0, half=0.004, p=0.5):
    interval = None if p is None else (difference - half, difference + half)
    return Comparison(name, "baseline", "test_accuracy", difference, interval, p, p, verdict)


def test_points_have_one_decimal_and_two_where_small():
    given_and_told = [
        (0.006, "0.6"),
        (-0.006, "-0.6"),
        (0.00099, "0.10"),
        (0.0005, "0.05"),
        (0.123, "12.3"),
        (0, "0.0"),
    ]
    for difference, told in given_and_told:
        assert points(difference) == told
    assert points(0.006, signed=True) == "+0.6"
    assert points(-0.0005, signed=True) == "-0.05"
    assert points(-1e-9) == "0.00"


def test_better_and_worse_and_undecided():
    text = conclusion(
        [variant(n) for n in NAMES],
        [
            against_baseline("dropout", "better", 0.006),
            against_baseline("l2", "better", 0.0005, half=0.0004),
            against_baseline("l1", "worse", -0.012),
            against_baseline("early-stopping", "undecided", 0.002, half=0.0038),
        ],
        360,
    )
    assert text == (
        "Of 5 variants, dropout and l2 were better than baseline in test accuracy (dropout +0.6 points [0.2, 1.0]; "
        "l2 +0.05 points [0.01, 0.09]), and l1 was worse than baseline (-1.2 points [-1.6, -0.8]). "
        "For early-stopping the evidence does not decide: differences from -0.2 to +0.6 points remain possible."
    )


def test_everything_undecided_names_what_remains_possible():
    text = conclusion(
        [variant(n) for n in NAMES[:3]],
        [against_baseline("dropout", "undecided", half=0.012), against_baseline("l2", "undecided", half=0.0089)],
        360,
    )
    assert text == (
        "No variant could be told apart from baseline with 5 seeds and 360 test examples: differences from -1.2 to "
        "+1.2 points remain possible."
    )


def test_equivalent_names_its_margin():
    comparisons = [against_baseline("dropout", "equivalent", half=0.0003), against_baseline("l2", "undecided")]
    text = conclusion([variant(n) for n in NAMES[:3]], comparisons, 10_000, margin=0.002)
    assert text == (
        "dropout was equivalent to baseline, to within 0.2 points; for l2 the evidence does not decide: differences "
        "from -0.4 to +0.4 points remain possible."
    )


def test_two_identical_variants_are_equivalent_and_nothing_more_is_said():
    comparison = against_baseline("l2", "equivalent", half=0.0, p=1.0)
    text = conclusion([variant("baseline"), variant("l2")], [comparison], 360)
    assert text == "l2 was equivalent to baseline, to within 0.1 points."


def test_a_single_variant():
    text = conclusion([variant("baseline")], [], 10_000)
    assert text == (
        "There is one variant and nothing to compare it with: baseline reached a test accuracy of 88.0 % [87.5, 88.5] "
        "with 5 seeds and 10,000 test examples."
    )
    assert "88.0 % with 1 seed and" in conclusion([variant("baseline", ("finished",), interval=None)], [], 100)


def test_one_seed_cannot_tell():
    variants = [variant(n, ("finished",), interval=None) for n in NAMES[:2]]
    text = conclusion(variants, [against_baseline("dropout", "undecided", 0.05, p=None)], 360)
    assert text == "One seed cannot tell a real difference from chance: run five to compare the variants."


def test_seeds_lost_to_divergence_leave_nothing_to_compare():
    variants = [variant("baseline"), variant("sgd", ("diverged",) * 4 + ("finished",), interval=None)]
    text = conclusion(variants, [against_baseline("sgd", "undecided", 0.05, p=None)], 360)
    assert text.startswith("No variant can be compared with baseline: no two seeds are finished for both.")
    assert text.endswith("4 runs diverged and are left out (sgd: 4).")


def test_diverged_and_pending_runs_are_counted():
    variants = [
        variant("baseline", ("finished",) * 4 + ("pending",)),
        variant("l2", ("finished",) * 3 + ("diverged", "pending")),
        variant("l1", ("pending",) * 5),
    ]
    text = conclusion(variants, [against_baseline("l2", "better", 0.01)], 360)
    assert text == (
        "Of 3 variants, l2 was better than baseline in test accuracy (+1.0 points [0.6, 1.4]). "
        "For l1 the evidence does not decide. "
        "1 run diverged and is left out (l2: 1); 7 runs are still to be made (baseline: 1, l2: 1, l1: 5)."
    )


def test_before_the_test_set_is_opened_nothing_is_concluded():
    variants = [variant(n, ("pending",) * 5, mean={}) for n in NAMES[:2]]
    text = conclusion(variants, [], 360)
    assert text.startswith(
        "The test set has not been opened yet, so nothing is concluded. 10 runs are still to be made"
    )
    assert conclusion([], [], 360) == "No variant has been trained."


@st.composite
def evidence(draw):
    verdicts = draw(st.lists(st.sampled_from(["better", "worse", "equivalent", "undecided", None]), max_size=4))
    comparisons = []
    for name, verdict in zip(NAMES[1:], verdicts, strict=False):
        difference = draw(st.floats(1e-5, 0.2)) * (-1 if verdict == "worse" else 1)
        p = draw(st.sampled_from([0.5, None])) if verdict == "undecided" else 0.01
        if verdict is not None:  # None: no seed in common with the first
            comparisons.append(against_baseline(name, verdict, difference, draw(st.floats(0, 0.2)), p))
    return [variant(n) for n in NAMES[: len(verdicts) + 1]], comparisons


@given(evidence())
@settings(max_examples=300, deadline=None)
def test_no_sentence_claims_more_than_the_verdicts(study):
    variants, comparisons = study
    text = conclusion(variants, comparisons, 360)
    for word in ("better", "worse", "equivalent"):
        claimed = re.search(rf"([\w, -]+?) (?:was|were) {word} (?:than|to) baseline", text)
        named = set(re.findall("|".join(NAMES), claimed[1])) if claimed else set()
        assert named == {c.variant for c in comparisons if c.verdict == word}
        assert len(re.findall(rf"\b{word}\b", text)) == bool(named)
    assert 1 <= len(re.findall(r"\.(?= |$)", text)) <= 3
    assert not re.search(r"\b(best|wins?|winner|proves?|significant\w*|nan|None)\b", text)


@pytest.mark.parametrize("half", [0.0079999, 0.008, 0.0085, 0.00055, 1e-6])
def test_the_differences_that_remain_possible_are_never_understated(half):
    text = conclusion([variant("baseline"), variant("l2")], [against_baseline("l2", "undecided", half=half)], 360)
    told = re.search(r"differences from (\S+) to (\S+) points remain possible", text)
    low, high = float(told[1]) / 100, float(told[2]) / 100
    assert low <= -half + 1e-9
    assert high >= half - 1e-9
    assert high - low < 2 * half + 0.0021
