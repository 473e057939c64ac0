import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.divergence import compare_divergence
from wellfit.analysis.sequential import InterimAnalysis
from wellfit.base import Comparison, EarlierLooks, PairedEvidence, Ranked, RunSummary, VariantSummary
from wellfit.narrative.conclusions import conclusion

NAMES = ("baseline", "dropout", "l2", "l1", "early-stopping")


def run(seed, state="finished", loss=0.4):
    scored = (0.88, loss) if state in ("finished", "stopped") else (None, None)
    return RunSummary(seed, state, 10, 10, 10, None, 0.9, 0.3, 0.88, 0.4, *scored, 1.0)


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


def evidence(seeds=5, ahead=0.9, further_seeds=None):
    return PairedEvidence(seeds, None, None, None, 0.01, 0.0625, (0.1,) * seeds, ahead, 1 - ahead, further_seeds)


def concluded(*args, **kwargs):
    """The whole conclusion as one text, each sentence with sources and a full stop."""
    sentences = conclusion(*args, **kwargs)
    assert all(s.sources and s.text[-1] in ".?" for s in sentences)
    return " ".join(s.text for s in sentences)


def test_better_and_worse_and_undecided():
    found = [
        against_baseline("dropout", "better", 0.006),
        against_baseline("l2", "better", 0.0005, half=0.0004),
        against_baseline("l1", "worse", -0.012),
        against_baseline("early-stopping", "undecided", 0.002, half=0.0038),
    ]
    known = {c.variant: evidence(further_seeds=12 if c.verdict == "undecided" else None) for c in found}
    text = concluded([variant(n) for n in NAMES], found, 360, title="Which?", evidence=known)
    assert text == (
        "Which? "
        "Of 5 variants, dropout and l2 were better than baseline in test accuracy (dropout +0.6 points [0.2, 1.0]; "
        "l2 +0.05 points [0.01, 0.09]), and l1 was worse than baseline (-1.2 points [-1.6, -0.8]). "
        "early-stopping is undecided: differences from -0.2 to +0.6 points remain possible. "
        "With 5 seeds and 360 test examples, the probability of any false claim in 4 comparisons is limited to 5 %, "
        "for new seeds and new examples; on these test examples, one further run of l1 would be behind one of "
        "baseline by more than 0.1 points with a probability of 10 %. "
        "More seeds may decide early-stopping: --until-decided adds them in planned interim analyses, which keep false "
        "claims at 5 %."
    )


def test_everything_undecided_names_what_remains_possible():
    text = concluded(
        [variant(n) for n in NAMES[:3]],
        [against_baseline("dropout", "undecided", half=0.012), against_baseline("l2", "undecided", half=0.0089)],
        360,
        evidence={"dropout": evidence(), "l2": evidence()},
    )
    assert text == (
        "No variant differs clearly from baseline with 5 seeds and 360 test examples: differences from -1.2 to +1.2 "
        "points remain possible. More seeds alone are unlikely to decide dropout and l2; that would take more test "
        "examples."
    )


def test_three_seeds_are_too_few_to_say_that_more_would_not_help():
    states = ("finished",) * 3
    pair = [against_baseline("dropout", "undecided"), against_baseline("l2", "undecided")]
    three = [variant(n, states) for n in NAMES[:3]]
    none = concluded(three, pair, 360, evidence={"dropout": evidence(3), "l2": evidence(3)})
    assert none.endswith("Run five seeds to decide more.")
    one = concluded(three, pair, 360, evidence={"dropout": evidence(3, 0.5, 4), "l2": evidence(3)})
    assert "More seeds may decide dropout" in one
    assert "unlikely" not in none + one


def test_two_seeds_give_no_number_of_further_ones():
    pair = [variant(n, ("finished",) * 2) for n in NAMES[:2]]
    text = concluded(pair, [against_baseline("dropout", "undecided")], 360, evidence={"dropout": evidence(2, 0.7, 3)})
    assert text == (
        "No variant differs clearly from baseline with 2 seeds and 360 test examples: differences from -0.4 to +0.4 "
        "points remain possible. Run five seeds to decide more."
    )
    wide = [against_baseline("dropout", "undecided", half=1.2)]
    assert concluded(pair, wide, 360) == (
        "Two seeds cannot tell whether any variant differs from baseline. Run five seeds to decide more."
    )
    three = [variant(n, ("finished",) * 2) for n in NAMES[:3]]
    assert "dropout is undecided, because two seeds cannot tell." in concluded(
        three, [*wide, against_baseline("l2", "better", 0.05)], 360
    )


def test_interim_analyses_replace_further_seeds():
    pair = [variant(n) for n in NAMES[:2]]
    undecided, better = [against_baseline("dropout", "undecided")], [against_baseline("dropout", "better", 0.01)]
    looks = (5, 10, 15)
    assert "This is interim analysis 1 of 3; the next is planned at 10 seeds." in concluded(
        pair, undecided, 360, interim=InterimAnalysis(1, looks)
    )
    more = [variant(n, ("finished",) * 12) for n in NAMES[:2]]  # two of them after the look
    assert "with 10 seeds and 360" in concluded(more, undecided, 360, interim=InterimAnalysis(2, looks))
    assert "This was the last planned analysis" in concluded(pair, undecided, 360, interim=InterimAnalysis(3, looks))
    assert "the probability of a false claim and 3 interim analyses" not in concluded(
        pair, better, 360, interim=InterimAnalysis(2, looks)
    )
    assert "in 1 comparison and 3 interim analyses is limited to 5 %" in concluded(
        pair, better, 360, interim=InterimAnalysis(2, looks)
    )


def test_equivalent_names_its_margin():
    comparisons = [against_baseline("dropout", "equivalent", half=0.0003), against_baseline("l2", "undecided")]
    text = concluded([variant(n) for n in NAMES[:3]], comparisons, 10_000, margin=0.002)
    assert text == (
        "dropout was equivalent to baseline to within 0.2 points; l2 is undecided: differences from -0.4 to +0.4 "
        "points remain possible."
    )


def test_identical_variants_are_called_identical():
    comparison = replace(against_baseline("l2", "equivalent", half=0.0, p=1.0), identical=True)
    same = variant("l2")
    assert concluded([variant("baseline"), same], [comparison], 360) == "l2 is identical to baseline in every answer."
    others = [against_baseline("l1", "undecided"), against_baseline("dropout", "better", 0.01)]
    text = concluded([variant("baseline"), same, variant("l1"), variant("dropout")], [comparison, *others], 360)
    assert text.startswith("Of 4 variants, dropout was better than baseline")
    assert "l1 is undecided: differences" in text
    assert "points remain possible; l2 is identical to baseline in every answer." in text
    assert not re.search(r"\bequivalent\b", text)


def test_the_identical_come_last_and_two_seeds_can_tell_them():
    same = replace(against_baseline("l2", "equivalent", half=0.0, p=1.0), identical=True)
    variants = [variant("baseline"), variant("l2"), variant("l1")]
    text = concluded(variants, [same, against_baseline("l1", "undecided")], 360)
    assert text.startswith("No variant differs clearly from baseline with")
    assert "remain possible; l2 is identical to baseline in every answer." in text
    open_ended = replace(against_baseline("l1", "undecided"), interval=None)
    two = [replace(v, runs=v.runs[:2]) for v in variants]
    text = concluded(two, [same, open_ended], 360)
    assert text.startswith("l1 is undecided, because two seeds cannot tell; l2 is identical to baseline")


def test_unlike_epochs_are_said_after_the_verdicts():
    both, found = [variant("baseline"), variant("dropout")], [against_baseline("dropout", "better", 0.006)]
    said = "Epochs differ: 10 for baseline, 15 for dropout; differences between them include the effect of"
    assert said in concluded(both, found, 360, epochs={"baseline": 10, "dropout": 15})
    assert "Epochs differ" not in concluded(both, found, 360, epochs={"baseline": 10, "dropout": 10})


def test_many_variants_are_named_by_size_and_counted():
    many = [f"v{i}" for i in range(18)]
    found = [
        against_baseline(name, "better" if i < 8 else "undecided", 0.001 * i + 0.01) for i, name in enumerate(many)
    ]
    ranking = [Ranked(n, 0.9 - 0.01 * i, "a" if i < 9 else "b") for i, n in enumerate([*reversed(many), "baseline"])]
    variants = [variant(n) for n in ("baseline", *many)]
    known = {name: evidence(further_seeds=i) for i, name in enumerate(many)}
    text = concluded(variants, found, 360, ranking=ranking, evidence=known)
    assert "Of 19 variants, v7, v6, v5 and 5 others were better than baseline" in text
    assert "v8, v9, v10 and 7 others are undecided" in text
    leads = (
        "v17 has the highest mean test accuracy, 90.00 %, but no pairwise comparison separates it from v16, v15, v14"
    )
    assert f"{leads} or 5 others." in text
    assert "More seeds may decide v8, v9, v10 and 7 others: --until-decided" in text
    assert len(text) < 1000


def test_verdicts_separate_the_leader_too():
    variants = [variant(n) for n in NAMES[:3]]
    ranking = [Ranked("dropout", 0.89, "a"), Ranked("l2", 0.885, "a"), Ranked("baseline", 0.88, "a")]
    found = [against_baseline("dropout", "better", 0.01), against_baseline("l2", "undecided")]
    letters = [r._replace(letters=letter) for r, letter in zip(ranking, ("a", "ab", "b"), strict=True)]
    assert "but no pairwise comparison separates it from l2." in concluded(variants, found, 360, ranking=letters)
    alike = [against_baseline("dropout", "undecided"), against_baseline("l2", "undecided")]
    assert "but no pairwise comparison separates it from the others." in concluded(
        variants, alike, 360, ranking=ranking
    )
    apart = [r._replace(letters=letter) for r, letter in zip(ranking, "abb", strict=True)]
    assert "and pairwise comparisons separate it from all others." in concluded(variants, found, 360, ranking=apart)


def test_a_single_variant():
    text = concluded([variant("baseline")], [], 10_000)
    assert text == (
        "baseline, the only variant, reached a test accuracy of 88.0 % [87.5, 88.5] with 5 seeds and 10,000 test "
        "examples."
    )
    assert "88.0 % with 1 seed and" in concluded([variant("baseline", ("finished",), interval=None)], [], 100)


def test_one_seed_compares_nothing():
    variants = [variant(n, ("finished",), interval=None) for n in NAMES[:2]]
    text = concluded(variants, [against_baseline("dropout", "undecided", 0.05, p=None)], 360)
    assert text == "One seed cannot separate a real difference from chance; run five seeds to compare the variants."


def test_seeds_lost_to_divergence_leave_nothing_to_compare():
    variants = [variant("baseline"), variant("sgd", ("diverged",) * 4 + ("finished",), interval=None)]
    text = concluded(variants, [against_baseline("sgd", "undecided", 0.05, p=None)], 360)
    assert text.startswith("No variant can be compared with baseline: none shares two finished seeds with it")
    assert text.endswith("4 runs diverged and are left out (sgd: 4).")


def diverging(name, k, n=6, j=0):
    (found,) = compare_divergence({"baseline": (j, n), name: (k, n)}, [(name, "baseline")])
    return found


def test_divergence_comes_first_and_is_never_no_difference():
    sgd, l2 = variant("sgd", ("diverged",) * 6, mean={}), variant("l2", ("finished",) * 6)
    text = concluded([variant("baseline", ("finished",) * 6), sgd, l2], [against_baseline("l2", "undecided")], 360,
                     divergences=[diverging("sgd", 6)])  # fmt: skip
    assert text.startswith(
        "sgd diverged more often than baseline (6 of 6 runs against 0 of 6, p = 0.0022, Fisher's exact test). "
        "No variant differs clearly from baseline with"
    )
    assert not re.search(r"sgd is undecided|sgd and l2", text)
    alone = concluded([variant("baseline", ("finished",) * 6), sgd], [], 360, divergences=[diverging("sgd", 6)])
    assert "differs clearly" not in alone
    assert alone.startswith("sgd diverged more often than baseline (6 of 6")
    open_ = [against_baseline("l2", "undecided", p=None)]
    broken = variant("baseline", ("diverged",) * 5 + ("finished",))
    first = concluded([broken, l2], open_, 360, divergences=[diverging("l2", 0, j=5)])
    assert first.startswith("l2 diverged less often than baseline (0 of 6 runs against 5 of 6, p = 0.015,")


def test_comparisons_of_survivors_say_so():
    half = ("diverged",) * 3 + ("finished",) * 3
    variants = [variant("baseline", ("finished",) * 6), variant("l2", half), variant("l1", ("finished",) * 6)]
    found = [against_baseline("l2", "better", 0.01), against_baseline("l1", "worse", -0.01)]
    text = concluded(variants, found, 360, divergences=[diverging("l2", 3)])
    assert "l2 was better than baseline in test accuracy (+1.0 points [0.6, 1.4], surviving runs), and l1" in text
    assert text.endswith(
        "3 runs diverged and are left out (l2: 3), which could be chance (Fisher's exact test, p = 0.18)."
    )
    open_ = [against_baseline("l2", "undecided"), against_baseline("l1", "undecided")]
    assert "360 test examples (l2 in surviving runs): differences" in concluded(variants, open_, 360)
    assert "l2 is undecided in surviving runs: differences" in concluded(variants, [open_[0], found[1]], 360)


def test_every_run_diverged():
    variants = [variant(name, ("diverged",) * 3, mean={}) for name in ("baseline", "sgd")]
    assert concluded(variants, [], 360) == "Every run diverged, so there is nothing to compare."


def test_a_margin_chosen_after_results_were_seen_is_marked_where_it_matters():
    pair, looks = [variant(n, ("finished",) * 10) for n in NAMES[:2]], EarlierLooks(margins=(0.001, 0.002))
    same, open_ = [against_baseline("dropout", "equivalent")], [against_baseline("dropout", "undecided")]
    text = concluded(pair, same, 360, margin=0.02, earlier_looks=looks)
    assert "The margin of 2.0 points was chosen after results were seen, first with 0.1 points and 0.2 points: " in text
    assert "The margin of" not in concluded(pair, open_, 360, margin=0.02, earlier_looks=looks)


def test_an_earlier_look_is_marked():
    pair = [variant(n, ("finished",) * 10) for n in NAMES[:2]]
    better, undecided = [against_baseline("dropout", "better", 0.01)], [against_baseline("dropout", "undecided")]
    mark = (
        "Second look, unadjusted: the results of 5 seeds were seen before more were added, so the probability of a "
        "false claim is above 5 %."
    )
    assert mark in concluded(pair, undecided, 360, earlier_looks=EarlierLooks((5,)))
    text = concluded(pair, better, 360, earlier_looks=EarlierLooks((5,)))
    assert mark in text
    assert "would be limited to 5 % in a single look" in text
    assert "Third look, unadjusted: the results of 1 and 5 seeds" in concluded(
        pair, better, 360, earlier_looks=EarlierLooks((1, 5))
    )
    assert "Look 7, unadjusted" in concluded(pair, better, 360, earlier_looks=EarlierLooks((2, 3, 4, 5, 6, 7)))
    assert "unadjusted" not in concluded(
        pair, better, 360, earlier_looks=EarlierLooks((5,)), interim=InterimAnalysis(2, (5, 10))
    )
    before = concluded(pair, better, 360, earlier_looks=EarlierLooks((3, 5)), interim=InterimAnalysis(2, (5, 10)))
    assert "Second look, unadjusted: the results of 3 seeds were seen" in before  # the plan began at 5
    assert "would be limited to 5 % without the earlier looks" in before


def test_the_leader_comes_with_what_to_expect_of_it():
    variants = [variant(n) for n in NAMES[:3]]
    ranking = [Ranked("dropout", 0.89, "a"), Ranked("l2", 0.885, "a"), Ranked("baseline", 0.88, "a")]
    found = [against_baseline("dropout", "undecided"), against_baseline("l2", "undecided")]
    text = concluded(variants, found, 360, ranking=ranking, leader_accuracy=0.886)
    assert "accuracy, 89.00 % (the best of 3; expect about 88.6 % on new data), but no pairwise" in text
    assert "expect" not in concluded(variants, found, 360, ranking=ranking, leader_accuracy=0.8899)
    broken = [variant("baseline"), variant("dropout", ("diverged", "diverged", "finished")), variant("l2")]
    worse = [against_baseline("dropout", "worse", -0.01), against_baseline("l2", "undecided")]
    apart = [Ranked("dropout", 0.89, "a"), Ranked("l2", 0.885, "ab"), Ranked("baseline", 0.88, "b")]
    assert (
        "dropout has the highest mean test accuracy, 89.00 % in surviving runs (2 of 3 diverged), but it was worse "
        "than baseline on the seeds that both finished."
    ) in concluded(broken, worse, 360, ranking=apart)


def test_diverged_and_pending_runs_are_counted():
    variants = [
        variant("baseline", ("finished",) * 4 + ("pending",)),
        variant("l2", ("finished",) * 3 + ("diverged", "pending")),
        variant("l1", ("pending",) * 5),
    ]
    text = concluded(variants, [against_baseline("l2", "better", 0.01)], 360)
    assert text == (
        "Of 3 variants, l2 was better than baseline in test accuracy (+1.0 points [0.6, 1.4], surviving runs). "
        "l1 is undecided. "
        "With 4 seeds and 360 test examples, the probability of a false claim is limited to 5 %, for new seeds and new "
        "examples. "
        "1 run diverged and is left out (l2: 1); 7 runs are pending (baseline: 1, l2: 1, l1: 5)."
    )


def test_before_the_test_set_is_opened_nothing_is_concluded():
    variants = [variant(n, ("pending",) * 5, mean={}) for n in NAMES[:2]]
    text = concluded(variants, [], 360)
    assert text.startswith(
        "None of the requested runs has been tested yet, so there is no conclusion. 10 runs are pending"
    )
    assert concluded([], [], 360) == "No variant has been trained."


@st.composite
def studies(draw):
    verdicts = draw(st.lists(st.sampled_from(["better", "worse", "equivalent", "undecided", None]), max_size=18))
    names = ["baseline", *(f"v{i:02}" for i in range(len(verdicts)))]
    comparisons = []
    for name, verdict in zip(names[1:], verdicts, strict=True):
        difference = draw(st.floats(1e-5, 0.2)) * (-1 if verdict == "worse" else 1)
        p = draw(st.sampled_from([0.5, None])) if verdict == "undecided" else 0.01
        if verdict is not None:  # None: no seed in common with the first
            comparisons.append(against_baseline(name, verdict, difference, draw(st.floats(0, 0.2)), p))
    known = {
        c.variant: evidence(draw(st.integers(2, 9)), draw(st.floats(0, 1)), draw(st.sampled_from([None, 1, 40])))
        for c in comparisons
    }
    letters = [draw(st.sampled_from(["a", "ab", "b", "c"])) for _ in names]
    ranking = [Ranked(name, 0.9, letter) for name, letter in zip(names, letters, strict=True)]
    states = ("finished",) * draw(st.integers(2, 5))
    interim = draw(st.sampled_from([None, InterimAnalysis(1, (5, 10)), InterimAnalysis(2, (5, 10))]))
    variants = [variant(n, states) for n in names]
    return variants, comparisons, {"evidence": known, "ranking": ranking, "interim": interim, "title": "What helps?"}


@given(studies())
@settings(max_examples=300, deadline=None)
def test_no_sentence_claims_more_than_the_verdicts(study):
    variants, comparisons, more = study
    text = concluded(variants, comparisons, 360, **more)
    for word in ("better", "worse", "equivalent"):
        claimed = re.search(rf"([\w, -]+?) (?:was|were) {word} (?:than|to) baseline", text)
        named = set(re.findall(r"v\d\d", claimed[1])) if claimed else set()
        others = re.search(r"and (\d+) others$", claimed[1]) if claimed else None
        those = {c.variant for c in comparisons if c.verdict == word}
        comparable = any(c.p_adjusted is not None for c in comparisons)
        assert named <= those
        assert len(named) + (int(others[1]) if others else 0) == (len(those) if comparable else 0)
        assert len(re.findall(rf"\b{word}\b", text)) == bool(claimed)
    assert not re.search(r"\b(best|wins?|winner|proves?|significant\w*|nan|None)\b", text)
    assert len(text) < 1500


@given(studies())
@settings(max_examples=200, deadline=None)
def test_every_sentence_is_traced_to_what_it_names(study):
    variants, comparisons, more = study
    for sentence in conclusion(variants, comparisons, 360, **more):
        for key in sentence.sources:
            assert re.fullmatch(
                r"(comparisons|evidence|ranking|variants)\[[\w-]+\]\.[\w.]+|title|variants|margin|study\.\w+", key
            )
        if "than baseline" in sentence.text:
            named = set(re.findall(r"v\d\d", sentence.text))
            assert {f"comparisons[{name}].verdict" for name in named} <= set(sentence.sources)


@pytest.mark.parametrize("half", [0.0079999, 0.008, 0.0085, 0.00055, 1e-6])
def test_the_differences_that_remain_possible_are_never_understated(half):
    text = concluded([variant("baseline"), variant("l2")], [against_baseline("l2", "undecided", half=half)], 360)
    bounds = re.search(r"differences from (\S+) to (\S+) points remain possible", text)
    low, high = float(bounds[1]) / 100, float(bounds[2]) / 100
    assert low <= -half + 1e-9
    assert high >= half - 1e-9
    assert high - low < 2 * half + 0.0021


def test_accuracy_says_little_about_rare_classes():
    variants, found = [variant("baseline"), variant("weighted")], [against_baseline("weighted", "worse", -0.25)]
    text = concluded(variants, found, 360, largest_class=0.985)
    assert "98.5 % of the examples belong to one class, so accuracy says little about the others; --set compare" in text
    assert "belong to one class" not in concluded(variants, found, 360, largest_class=0.5)
