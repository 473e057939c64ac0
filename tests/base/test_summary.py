"""Answers as text."""

from wellfit.base import Answer, RunSummary, Sentence, VariantSummary


def test_an_answer_joins_its_sentences_and_their_sources():
    answer = Answer("Which?", "best", (Sentence("a.", ("x", "y")), Sentence("b.", ("y", "z"))))
    assert answer.text == "a. b."
    assert answer.sources == ("x", "y", "z")


def test_a_variant_prints_one_short_line():
    mean = {"validation_accuracy": 0.875, "test_accuracy": 0.8655, "train_loss": 0.3}
    run = RunSummary(0, "finished", *[None] * 11)
    runs = (run, RunSummary(1, "pending", *[None] * 11))
    interval = {"validation_accuracy": (0.87, 0.88), "test_accuracy": None}
    variant = VariantSummary("l2", {"l2": 1e-3}, 109386, runs, mean, interval, 3.0, {})
    assert repr(variant) == (
        "VariantSummary('l2', validation_accuracy 0.8750 [0.8700, 0.8800], test_accuracy 0.8655, 1 of 2 runs)"
    )
    assert repr(VariantSummary("a\nb", {}, 1, (), {}, {}, 0.0, {})) == r"VariantSummary('a\nb', 0 of 0 runs)"
