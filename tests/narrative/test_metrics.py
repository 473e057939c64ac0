"""Names, values and differences of metrics in sentences."""

from __future__ import annotations

from wellfit.analysis.scores import LOSSES, SCORED
from wellfit.base import Comparison, PairedEvidence, Question, Ranked, RunSummary, VariantSummary
from wellfit.narrative.conclusions import conclusion
from wellfit.narrative.context import AnswerContext
from wellfit.narrative.metrics import NAMES, amount, best, change, change_bounds, is_loss, outward, points, within
from wellfit.narrative.questions import answered


def test_every_compared_metric_has_a_name() -> None:
    assert all(f"test_{metric}" in NAMES for metric in SCORED)
    assert [metric for metric in SCORED if is_loss(f"test_{metric}")] == list(LOSSES)


def test_losses_are_plain_numbers() -> None:
    assert (amount(0.5, "test_brier"), amount(0.5, "test_macro_f1")) == ("0.5000", "50.00 %")
    assert (change(-0.0042, "test_brier"), change(-0.0042, "test_macro_f1")) == ("-0.0042", "-0.4 points")
    assert change_bounds((-1.5, 0.0), "test_log_loss") == "[-1.500, 0.000]"
    assert change_bounds((-1.5, 0.0), "test_roc_auc") == "[-100.0, 0.0]"
    assert outward((-2.0001, 1.0), "test_log_loss") == "from -2.001 to +1.000"
    assert (within(0.002, "test_brier"), within(0.002, "test_accuracy")) == ("0.002", "0.2 points")
    assert (best("test_brier"), best("test_roc_auc")) == ("lowest", "highest")


def test_points_have_one_decimal_and_two_where_small():
    expected = [
        (0.006, "0.6"),
        (-0.006, "-0.6"),
        (0.00099, "0.10"),
        (0.0005, "0.05"),
        (0.123, "12.3"),
        (0, "0.0"),
    ]
    for difference, text in expected:
        assert points(difference) == text
    assert points(0.006, signed=True) == "+0.6"
    assert points(-0.0005, signed=True) == "-0.05"
    assert points(-1e-9) == "0.00"


def run(seed: int, loss: float) -> RunSummary:
    return RunSummary(seed, "finished", 9, 9, 9, *[None] * 5, 0.9, 0.3, 1.0, loss)


def variant(name: str, loss: float) -> VariantSummary:
    runs = tuple(run(seed, loss) for seed in range(5))
    mean = {"test_accuracy": 0.9, "test_log_loss": loss}
    return VariantSummary(name, {}, 10, runs, mean, {"test_log_loss": (0.1, 0.9)}, 1.0, {})


def compared(name: str, difference: float, verdict: str, identical: bool = False) -> Comparison:
    bounds = difference - 0.01, difference + 0.01
    p = 0.01 if verdict in ("better", "worse") else 0.5
    return Comparison(name, "a", "test_log_loss", difference, bounds, p, p, verdict, identical)  # type: ignore[arg-type]


VARIANTS = [variant("a", 0.30), variant("b", 0.25), variant("c", 0.299), variant("d", 0.3)]
COMPARISONS = [compared("b", -0.05, "better"), compared("c", -0.001, "equivalent"), compared("d", 0.0, "undecided")]
RANKING = [Ranked("b", 0.25, "a"), Ranked("c", 0.299, "b"), Ranked("a", 0.3, "b"), Ranked("d", 0.3, "b")]


def concluded(variants: list[VariantSummary], comparisons: list[Comparison], **more: object) -> str:
    found = conclusion(variants, comparisons, 500, 0.005, metric="test_log_loss", **more)  # type: ignore[arg-type]
    return " ".join(sentence.text for sentence in found)


def test_a_conclusion_on_losses_names_them_in_their_unit() -> None:
    evidence = {"b": PairedEvidence(5, None, None, None, None, None, (), 0.97, 0.01, None)}
    text = concluded(VARIANTS, COMPARISONS, ranking=RANKING, evidence=evidence, leader_accuracy=0.262)
    assert "b was better than a in test log loss (-0.050 [-0.060, -0.040])" in text
    assert "c was equivalent to a to within 0.005" in text
    assert "differences from -0.010 to +0.010 remain possible" in text
    assert text.count("lower is better") == 1
    assert "b has the lowest mean test log loss, 0.2500 (the best of 4; expect about 0.262 on new data)" in text
    assert "ahead of one of a by more than 0.005 with a probability of 97 %" in text
    assert "accuracy" not in text
    assert "point" not in text


def test_one_variant_reports_the_metric() -> None:
    text = concluded(VARIANTS[:1], [])
    assert "reached a test log loss of 0.300 [0.100, 0.900] with 5 seeds" in text


def test_identical_variants_need_no_accuracy() -> None:
    assert "d is identical to a on every test example" in concluded(
        [VARIANTS[0], VARIANTS[3]], [compared("d", 0.0, "undecided", identical=True)]
    )


def test_answers_name_the_metric() -> None:
    context = AnswerContext(
        {v.name: v for v in VARIANTS}, COMPARISONS, [], {}, RANKING, [], metric="test_log_loss"
    )  # fmt: skip
    beats = Question("Does b help?", "beats", variant="b", than=("a",))
    first, second = answered([beats, Question("Which is best?", "best")], context)
    assert first.text.startswith("Yes, in test log loss: b was better than a (-0.050 ")
    assert second.text.startswith("b has the lowest mean test log loss, 0.2500")


def test_one_class_leads_to_balanced_accuracy() -> None:
    found = [Comparison("b", "a", "test_accuracy", 0.0, (-0.1, 0.1), 0.5, 0.5, "undecided")]
    for share, named in ((0.94, False), (0.95, True)):
        text = " ".join(s.text for s in conclusion(VARIANTS[:2], found, 500, largest_class=share))
        assert ("--set compare.metric=balanced_accuracy compares" in text) == named
    assert "one class" not in concluded(VARIANTS, COMPARISONS, largest_class=0.99)
