"""What a design can decide, in words."""

from __future__ import annotations

from wellfit.analysis.power import Design, minimum_detectable
from wellfit.narrative.design import design_sentences


def test_the_sentence_has_the_numbers_of_the_design() -> None:
    design = Design(5, 1797, 5, 18)
    found = minimum_detectable(design)
    first, second = design_sentences(design, 0.001)
    assert first.startswith(f"Decides differences of {100 * found.difference:.1f} points or more (80 % power, 18 comp")
    assert first.endswith(f'"equivalent" takes a margin of {100 * found.margin:.1f} points, not 0.1 points')
    ten = minimum_detectable(design._replace(seeds=10))  # fewer comparisons would pool their variances less
    assert second == f"To decide smaller differences: --seeds 10, {100 * ten.difference:.1f} points"


def test_a_held_out_test_set_is_better_folded() -> None:
    *_, second = design_sentences(Design(5, 359, 1, 1), 0.001, foldable=True)
    assert "--set data.folds=5, " in second


def test_a_good_design_needs_no_other() -> None:
    (only,) = design_sentences(Design(20, 10_000, 1, 1), 0.02)
    assert '; "equivalent" within 2.0 points is possible' in only


def test_nothing_to_decide() -> None:
    assert design_sentences(Design(5, 359, 1, 0), 0.001) == ()
    (line,) = design_sentences(Design(1, 359, 1, 3), 0.001)
    assert line == "Decides nothing: comparing variants takes at least two seeds; use --seeds 5"


def test_two_seeds_cannot_tell() -> None:
    first, second = design_sentences(Design(2, 1797, 5, 18), 0.001)
    assert first.startswith("Decides nothing that is likely: 2 seeds cannot tell (80 % power, 18 comparisons")
    assert second.startswith("To decide smaller differences: --seeds 5, ")
    assert "instead of 18" not in second  # 4 comparisons of two seeds decide nothing either


def test_of_another_metric_only_what_is_known_beforehand_is_said() -> None:
    first, second = design_sentences(Design(5, 1797, 5, 18), 0.005, metric="log_loss")
    points = f"{100 * minimum_detectable(Design(5, 1797, 5, 18)).difference:.1f} points"
    assert first.startswith("Compares by test log loss, whose smallest decidable difference depends on the data;")
    assert first.endswith(
        f"in accuracy it would be {points} (80 % power, 18 comparisons, variants that differ as is usual)"
    )
    assert "equivalent" not in first  # the margin is one of the log loss
    assert second.startswith("To decide smaller differences: --seeds 10, ")
