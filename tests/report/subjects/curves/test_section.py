from __future__ import annotations

import re
from dataclasses import replace

from detailed import NOTHING
from summaries import empty, study
from wellfit.report.forms.page_template import page_environment
from wellfit.report.marks.colors import LIGHT
from wellfit.report.numbers import FEW, shown_first
from wellfit.report.subjects.curves.section import CROWD, choices, fragment, parts


def many(count):
    few = study(variants=("baseline",), seeds=2, epochs=4)
    names = [f"variant-{at}" for at in range(count)]
    variants = tuple(replace(few.variants[0], name=name) for name in names)
    return replace(few, variants=variants, histories=dict.fromkeys(names, few.histories["baseline"]))


def html(summary):
    template = page_environment().get_template("subjects/curves/section.html.j2")
    return template.render(fragment(summary, NOTHING, {}), summary=summary)


def test_written_forms_have_five_figures():
    drawings = parts(study(variants=("baseline", "l2"), epochs=4), NOTHING)
    assert [d.name for d in drawings] == ["loss", "accuracy", "gap", "loss-curves", "accuracy-curves"]
    assert all(d.draw().axes for d in drawings)


def test_bands_are_explained_where_they_are_drawn():
    few, crowd = study(variants=("baseline", "l2"), epochs=4), many(12)
    bands = "bands: lowest to highest seed"
    assert all(bands in d.caption for d in parts(few, NOTHING) if d.draw().axes[0].collections)
    for drawing in parts(crowd, NOTHING):
        assert (bands in drawing.caption) == bool(drawing.draw().axes[0].collections)
    loss = parts(crowd, NOTHING)[0].caption
    assert "Of 12 variants, the first and the 5 best on validation: variant-0, variant-1," in loss
    one = replace(few, seeds=(0,))
    assert not any(bands in drawing.caption for drawing in parts(one, NOTHING))
    assert "Bands: lowest to highest seed. The value axis" in html(few)
    assert "Bands, with up to three names in color: lowest to highest seed." in html(crowd)
    assert "The first variant and the best on validation." in html(crowd)


def test_the_page_has_a_panel_per_variant():
    summary = study(epochs=4)
    page = fragment(summary, NOTHING, {})
    assert [name for _, name, _ in page["panels"]] == [v.name for v in summary.variants]
    assert all(len(drawings) == 2 for _, _, drawings in page["panels"])
    base = summary.variants[1]
    names = [f"v{i}" for i in range(12)]
    crowd = replace(
        summary,
        variants=tuple(replace(base, name=name) for name in names),
        histories=dict.fromkeys(names, summary.histories["l2"]),
    )
    assert [at for at, *_ in fragment(crowd, NOTHING, {})["panels"]] == sorted(shown_first(crowd))
    assert set(page["figures"]) == {"loss", "accuracy", "gap"}
    assert all('role="img"' in drawing for drawing in page["figures"].values())


def test_of_many_variants_only_a_few_curves_are_drawn_together():
    summary = many(50)
    shown = shown_first(summary)
    loss = parts(summary, NOTHING)[0].draw()
    labels = {text.get_text() for text in loss.axes[0].texts}
    assert labels == {f"variant-{at}" for at in shown}
    gray = [line for line in loss.axes[0].lines if line.get_color() == LIGHT["crowd"]]
    assert len(gray) == 50 - len(shown)
    panels = parts(summary, NOTHING)[3].draw()
    assert sum(axes.get_visible() for axes in panels.axes) == len(shown)


def test_the_controls_have_every_variant():
    few, more = html(many(2)), html(many(FEW + 1))
    assert len(re.findall('name="variant"', few)) == 2
    assert 'data-choose="all"' not in few
    assert len(re.findall('name="variant"', more)) == FEW + 1
    assert "best on validation" in more
    assert "others in gray" in more
    assert "others in gray" not in few


def test_of_many_variants_the_baseline_has_its_color_and_of_very_many_the_best_too():
    assert [checked for *_, checked in choices(many(FEW))["chips"]] == [True] * FEW
    crowd = choices(many(CROWD))
    assert [checked for *_, checked in crowd["chips"]] == [True] + [False] * (CROWD - 1)
    assert (crowd["best"], crowd["crowd"]) == ([0, 1, 2, 3, 4, 5], True)
    more = choices(many(CROWD + 1))
    assert sum(checked for *_, checked in more["chips"]) == FEW
    assert not more["crowd"]


def test_triangles_are_explained_where_there_are_any():
    assert "Triangles" in html(study(variants=("baseline", "early-stopping"), epochs=20))
    assert "Triangles" not in html(study(variants=("baseline",), epochs=20))


def test_before_the_first_epoch_there_is_no_section():
    assert parts(empty(), NOTHING) == []
    assert fragment(empty(), NOTHING, {}) == {}
