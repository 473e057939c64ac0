import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wellfit.analysis.divergence import compare_divergence
from wellfit.base import QUESTIONS, Comparison, PairedEvidence, Question, Ranked, RunSummary, VariantSummary
from wellfit.narrative.context import AnswerContext
from wellfit.narrative.questions import answered, asked_pairs, published_winner

BOTH = Question("Does L2 with dropout beat either alone?", "beats", "both", than=("l2", "dropout"))


def variant(name, scores=(0.88, 0.881, 0.879), published=None, state="finished"):
    runs = tuple(
        RunSummary(seed, state, 30, 30, 9, 12, 0.9, 0.3, 0.87, 0.4, score, 0.4, 1.0)
        for seed, score in enumerate(scores)
    )
    return VariantSummary(name, {}, 1, runs, {}, {}, 1.0, published or {})


def compared(name, against, verdict, difference=0.0, p=0.5, half=0.004):
    interval = None if p is None else (difference - half, difference + half)
    return Comparison(name, against, "test_accuracy", difference, interval, p, p, verdict)


def context(*variants, comparisons=(), asked=(), evidence=None, ranking=()):
    return AnswerContext({v.name: v for v in variants}, comparisons, asked, evidence or {}, ranking, ())


def text(question, known):
    (answer,) = answered([question], known)
    assert answer.ask == question.ask
    assert all(s.sources and s.text.endswith(".") for s in answer.sentences)
    return answer.text


# --- What is compared


def test_further_pairs_follow_from_the_questions():
    published = {"a": {"test_accuracy": 0.8}, "b": {"test_accuracy": 0.9}, "c": {"test_accuracy": 0.7}}
    winner, again = Question("?", "winner"), Question("?", "beats", "c", than=("b",))
    assert asked_pairs([winner, again], "a", published, ()) == (("b", "c"),)
    assert asked_pairs([winner], "x", published, ()) == (("b", "a"), ("b", "c"))
    assert asked_pairs([winner], "x", {}, ()) == ()
    assert asked_pairs([Question("?", "winner", variants=("a", "c"))], "x", published, ()) == (("a", "c"),)
    stop = Question("?", "stop", variant="b")
    assert asked_pairs([stop], "a", {}, ("s", "t")) == (("s", "b"), ("t", "b"))
    assert asked_pairs([Question("?", "stop")], "a", {}, ("s", "t")) == ()  # with the first anyway
    assert asked_pairs([Question("?", kind) for kind in ("best", "onset", "matches")], "a", {}, ()) == ()


def test_two_published_values_ask_for_the_winner():
    validation = {"a": {"validation_accuracy": 0.8}, "b": {"validation_accuracy": 0.9}}
    assert [q.kind for q in published_winner((), validation)] == ["winner"]
    assert published_winner((), {"a": {"test_accuracy": 0.9}, "b": {"test_loss": 0.1}}) == ()
    own = Question("Really?", "winner")
    assert published_winner((own,), validation) == (own,)


# --- Which is better


@pytest.mark.parametrize(
    ("verdicts", "starts"),
    [
        (("better", "better"), "Yes: both was better than l2 (+0.6 points [0.2, 1.0]) and dropout (+0.6 points"),
        (("better", "undecided"), "Undecided: both was better than l2 (+0.6 points [0.2, 1.0]); the evidence does not "
         "separate it from dropout"),
        (("worse", "better"), "No: both was worse than l2 (+0.6 points [0.2, 1.0]); it was better than dropout"),
        (("equivalent", "undecided"), "No: both was equivalent to l2"),
        (("undecided", "undecided"), "Undecided: the evidence does not separate both from l2"),
    ],
)  # fmt: skip
def test_one_variant_against_others(verdicts, starts):
    asked = [compared("both", n, v, 0.006, 0.01) for n, v in zip(BOTH.than, verdicts, strict=True)]
    assert text(BOTH, context(asked=asked)).startswith(starts)


def test_undecided_answers_give_further_seeds():
    asked = [compared("both", "l2", "undecided"), compared("both", "dropout", "better", 0.01)]
    known = {"both/l2": PairedEvidence(5, None, None, None, None, None, (), None, None, 7)}
    answer = text(BOTH, context(asked=asked, evidence=known))
    assert "More seeds may decide l2: --until-decided adds them in planned interim analyses" in answer


def test_what_was_not_run_is_not_answered():
    answer = text(BOTH, context(asked=[compared("both", "l2", "better", 0.01)]))
    assert answer == "No answer yet: both and dropout have no finished seed in common."


def test_identical_results_and_survivors_are_named():
    asked = [
        replace(compared("both", "l2", "undecided", p=1.0), identical=True),
        compared("both", "dropout", "undecided"),
    ]
    variants = [variant("both"), variant("l2"), variant("dropout", (0.88, 0.89), state="diverged")]
    known = context(*variants, asked=asked)
    assert text(BOTH, known) == (
        "No: both gave the same results as l2; the evidence does not separate it from dropout (0.0 points [-0.4, 0.4], "
        "surviving runs)."
    )


def test_divergence_answers_too():
    divergences = compare_divergence({"both": (0, 6), "l2": (6, 6)}, [("both", "l2")])
    lost = variant("l2", (None,) * 6, state="diverged")
    known = context(variant("both"), lost, asked=[])._replace(divergences=divergences)
    assert text(Question("?", "beats", "both", than=("l2",)), known) == (
        "both diverged less often than l2 (0 of 6 runs against 6 of 6, p = 0.0022). "
        "Accuracies cannot be compared: every run of l2 diverged."
    )
    turned = context(variant("both"), lost)._replace(divergences=divergences)
    assert text(Question("?", "beats", "l2", than=("both",)), turned).startswith("l2 diverged more often than both (6")


def test_other_settings_than_published_give_no_verdict():
    variants = [variant(n, published={"test_accuracy": v}) for n, v in (("a", 0.8), ("b", 0.9))]
    differs = "The published numbers come from 30 epochs, not from 3 as here."
    known = context(*variants, comparisons=[compared("b", "a", "better", 0.01)])._replace(published_differs=differs)
    assert text(Question("?", "winner"), known) == (
        "b has the highest published test accuracy, 90.00 %, followed by a, 80.00 %. The published numbers come from "
        "30 epochs, not from 3 as here. This study neither confirms nor refutes the published winner."
    )
    assert text(Question("?", "matches", value=0.8), known) == (
        f"A test accuracy of 80.00 % is not compared with runs of other settings. {differs}"
    )


def test_the_best_comes_with_those_not_separated_from_it():
    ranking = [Ranked("b", 0.89, "a"), Ranked("c", 0.885, "ab"), Ranked("a", 0.88, "b")]
    known = context(comparisons=[compared("b", "a", "better", 0.01, 0.01)], ranking=ranking)
    answer = text(Question("Which?", "best"), known)
    assert (
        answer
        == "b has the highest mean test accuracy, 89.00 %; pairwise comparisons separate it from a, but not from c."
    )
    two = text(Question("Which?", "best", variants=("a", "b")), known)
    assert two == "b has the highest mean test accuracy, 89.00 %, and pairwise comparisons separate it from a."
    alike = text(Question("Which?", "best", variants=("c", "b")), known)
    assert alike == (
        "Undecided: b has the highest mean test accuracy, 89.00 %, but no pairwise comparison separates it from c."
    )
    one_seed = context(comparisons=[compared("b", "a", "undecided", p=None)], ranking=ranking)
    assert text(Question("Which?", "best"), one_seed).startswith("Undecided: with fewer than two seeds in common")
    assert text(Question("Which?", "best"), context(variant("a"))).startswith("No answer yet")


# --- Published numbers


@pytest.mark.parametrize(
    ("verdicts", "word"),
    [
        (("better", "better"), "Confirmed"),
        (("better", "worse"), "Refuted"),
        (("undecided", "worse"), "Refuted"),
        (("better", "undecided"), "Undecided"),
        (("better", "equivalent"), "Not confirmed"),
    ],
)
def test_the_published_winner_is_judged_by_our_own_comparisons(verdicts, word):
    values = {"a": 0.8835, "b": 0.873, "c": 0.8803}
    variants = [variant(name, published={"test_accuracy": value}) for name, value in values.items()]
    comparisons = [compared("c", "a", {"better": "worse", "worse": "better"}.get(verdicts[0], verdicts[0]), -0.01)]
    asked = [compared("a", "b", verdicts[1], 0.01)]
    answer = text(Question("?", "winner"), context(*variants, comparisons=comparisons, asked=asked))
    assert answer.startswith("a has the highest published test accuracy, 88.35 %, followed by c, 88.03 %.")
    assert re.findall(r"\. (\w[\w ]*):", answer) == [word]


def test_the_winner_is_sought_among_the_variants_that_the_question_names():
    variants = [variant(n, published={"test_accuracy": v}) for n, v in (("a", 0.9), ("b", 0.8), ("c", 0.7))]
    known = context(*variants, comparisons=[compared("c", "b", "worse", -0.01)])
    answer = text(Question("?", "winner", variants=("b", "c")), known)
    published = "Of b and c, b has the highest published test accuracy, 80.00 %, followed by c, 70.00 %."
    assert answer.startswith(f"{published} Confirmed")
    assert "a" not in answer.split()


def test_published_validation_accuracies_are_judged_on_the_test_set():
    variants = [variant(n, published={"validation_accuracy": v}) for n, v in (("a", 0.8), ("b", 0.9))]
    answer = text(Question("?", "winner"), context(*variants, comparisons=[compared("b", "a", "better", 0.01)]))
    assert "b has the highest published validation accuracy, 90.00 %, followed by a, 80.00 %." in answer
    assert "Confirmed, on our test set: b was better than a" in answer
    assert text(Question("?", "winner"), context(*variants)).endswith(
        "No answer yet: b and a have no finished seed in common."
    )


def test_published_values_match_by_prediction_interval():
    values = [0.88, 0.881, 0.879]  # mean 0.88, sd 0.001: +- 4.303 * 0.001 * sqrt(4 / 3) = 0.00497
    known = context(variant("a", values), variant("b", [v - 0.02 for v in values]), variant("c", (0.88,)))
    answer = text(Question("?", "matches", value=0.8849), known)
    assert answer == (
        "A test accuracy of 88.49 % is consistent with one run of a [87.5, 88.5] (95 % prediction intervals of one "
        "run, in %), but not with 1 other variant."
    )
    assert "No variant is consistent with a test accuracy of 88.51 %; the closest is a [87.5, 88.5]" in text(
        Question("?", "matches", value=0.8851), known
    )
    train = Question("?", "matches", value=0.9, metric="train_accuracy")
    assert text(train, known).startswith(
        "A train accuracy of 90.00 % is consistent with one run of a [90.0, 90.0] and b"
    )
    assert text(Question("?", "matches", value=0.9), context(variant("a", (0.9,)))).startswith("No answer yet")


# --- Never more than the verdicts


@st.composite
def studies(draw):
    names = ["baseline", "v1", "v2", "v3"]
    verdicts = st.sampled_from(["better", "worse", "equivalent", "undecided"])
    pairs = [(name, "baseline") for name in names[1:]] + [("v1", "v2"), ("v3", "v1"), ("v3", "v2")]
    result = []
    for name, against in pairs:
        verdict = draw(verdicts)
        p = draw(st.sampled_from([0.5, None])) if verdict == "undecided" else 0.01
        if draw(st.booleans()) or against == "baseline":
            result.append(compared(name, against, verdict, draw(st.floats(-0.2, 0.2)), p, draw(st.floats(0, 0.3))))
    letters = [draw(st.sampled_from(["a", "ab", "b"])) for _ in names]
    ranking = [Ranked(name, 0.9, letter) for name, letter in zip(names, letters, strict=True)]
    published = {name: {"test_accuracy": draw(st.floats(0.5, 1))} for name in names[: draw(st.integers(0, 4))]}
    states = st.sampled_from(["finished", "stopped", "diverged", "pending"])
    variants = [variant(name, (0.88, 0.89), published.get(name), draw(states)) for name in names]
    questions = [Question("?", kind, "v1", ("baseline", "v2"), value=0.88) for kind in QUESTIONS if kind != "winner"]
    known = context(
        *variants,
        comparisons=[c for c in result if c.against == "baseline"],
        asked=[c for c in result if c.against != "baseline"],
        ranking=ranking,
    )
    return published_winner(questions, published), known


@given(studies())
@settings(max_examples=300, deadline=None)
def test_no_answer_claims_more_than_the_verdicts(study):
    questions, known = study
    verdicts = {(c.variant, c.against): c.verdict for c in (*known.comparisons, *known.asked)}
    turned = {"better": "worse", "worse": "better", "equivalent": "equivalent"}
    verdicts |= {(b, a): turned.get(v, v) for (a, b), v in verdicts.items()}
    for answer in answered(questions, known):
        text = re.sub(r"but it was worse than .* on the seeds that both finished", "", answer.text)  # over other seeds
        claims = re.findall(r"(\w+) was (better than|worse than|equivalent to) (.*?\))(?=; |\. |\.$)", text)
        for word in ("better", "worse", "equivalent"):
            shown = sum(verdict.startswith(word) for _, verdict, _ in claims)
            assert len(re.findall(rf"\b{word}\b", text)) == shown
        subject = ""
        for name, verdict, others in claims:
            subject = subject if name == "it" else name
            for other in re.findall(r"(baseline|v\d) \(", others):
                assert verdicts[subject, other] == verdict.split()[0]
        if answer.kind == "beats" and answer.text.startswith("Yes"):
            assert verdicts["v1", "baseline"] == verdicts["v1", "v2"] == "better"


def test_unlike_epochs_are_said_of_what_an_answer_compares():
    epochs = {"lenet5": 10, "dropout": 15, "batch-norm": 15}
    known = context(*map(variant, epochs), comparisons=[compared("dropout", "lenet5", "better", 0.01),
                                                        compared("dropout", "batch-norm", "better", 0.01)])  # fmt: skip
    known = known._replace(epochs=epochs)
    asked = Question("?", "beats", "dropout", than=("lenet5",))
    assert text(asked, known).endswith("Epochs differ: 10 for lenet5, 15 for dropout.")
    assert "Epochs differ" not in text(Question("?", "beats", "dropout", than=("batch-norm",)), known)
