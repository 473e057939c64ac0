from __future__ import annotations

from dataclasses import replace

from detailed import NOTHING
from summaries import diverged, study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.subjects.results.section import COSTS, fragment, parts


def test_every_variant_is_in_every_table():
    summary = study(epochs=3)
    tables = parts(summary, NOTHING)
    for table in tables:
        assert len(table.rows) == len(summary.variants)
        assert {len(row) for row in table.rows} == {len(table.headings)}
    assert tables[2].rows[1] == ("l2", "l2 = 0.001")
    assert [row.name for row in fragment(summary, NOTHING, {})["rows"]] == [v.name for v in summary.variants]


def test_letters_have_a_column_where_variants_were_compared():
    summary = study(epochs=3)
    assert parts(summary, NOTHING)[0].headings[:2] == ("", "Variant")
    assert parts(replace(summary, ranking=()), NOTHING)[0].headings[0] == "Variant"


def test_unusual_runs_are_named():
    costs = parts(diverged(), NOTHING)[1]
    assert [row[-1] for row in costs.rows[:2]] == ["all ended", "3 finished, 2 diverged"]


def test_accuracies_are_named_where_another_metric_decides():
    plain, other = study(epochs=3), replace(study(epochs=3), metric="macro_f1")
    assert parts(plain, NOTHING)[0].headings[2:6] == ("Test accuracy", "95 % interval", "Validation", "Training")
    assert parts(other, NOTHING)[0].headings[2:7] == (
        *("Test macro F1", "95 % interval"),
        *("Test accuracy", "Validation accuracy", "Training accuracy"),
    )
    shown = fragment(other, NOTHING, {})
    wanted = {
        "accuracy": "Test accuracy",
        "train": "Training accuracy",
        "validation": "Validation accuracy",
        "gap": "Gap",
    }
    assert shown["scores"] == wanted


def test_what_is_the_same_for_all_is_a_sentence():
    summary = study(epochs=3)
    usual = fragment(summary, NOTHING, {})
    assert (list(usual["scores"]), list(usual["costs"])) == (
        ["train", "validation", "gap"],
        ["train", "validation", "loss"],
    )
    assert usual["same"] == "The same for every variant: best epoch 3; parameters 109,386; seconds 56.0."
    perfect = {"mean": {"train_accuracy": 1.0}, "interval": {"train_accuracy": (1.0, 1.0)}}
    variants = tuple(
        replace(v, parameters=at, seconds=float(at), **{key: {**getattr(v, key), **perfect[key]} for key in perfect})
        for at, v in enumerate(summary.variants)
    )
    shown = fragment(replace(summary, variants=variants), NOTHING, {})
    assert shown["same"] == "The same for every variant: training accuracy 100.00 %; best epoch 3."
    assert list(shown["scores"]) == ["validation", "gap"]
    assert list(shown["costs"]) == ["validation"] + [key for key in COSTS if key != "best_epoch"]
    one = fragment(replace(summary, variants=variants[:1]), NOTHING, {})
    assert one["same"] == ""


def test_a_variant_without_effect_says_why():
    summary = study(variants=("baseline", "l2"), epochs=3)
    first, second = summary.variants
    same = replace(second, settings={"max_norm": 2.0}, mean=first.mean, interval=first.interval)
    identical = replace(summary.comparisons[0], verdict="undecided", difference=0.0, identical=True)
    histories = dict.fromkeys(summary.histories, summary.histories["baseline"])
    summary = replace(summary, variants=(first, same), comparisons=(identical,), histories=histories)
    shown = fragment(summary, NOTHING, {})
    assert shown["effects"] == {"l2": "its limit never binds"}
    template = page_environment().get_template("subjects/results/section.html.j2")
    assert '<span class="why">its limit never binds</span>' in template.render(shown, summary=summary)
