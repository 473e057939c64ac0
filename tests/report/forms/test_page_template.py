from __future__ import annotations

from dataclasses import replace

import jinja2
import pytest

from summaries import study
from wellfit.report.forms.page_template import page_environment, page_source, page_styles, prose
from wellfit.report.marks.colors import DARK, FORMS, LIGHT, SERIES


def render(template, **variables):
    return page_environment().from_string(template).render(**variables)


def test_text_is_escaped_also_by_the_filters():
    for kind in ("", "| unbroken", "| breakable", "| prose"):
        assert "<b>" not in render(f"{{{{ text {kind} }}}}", text="a <b> 128-64<b> c_<b>")


def test_a_name_that_is_not_given_is_an_error():
    with pytest.raises(jinja2.UndefinedError):
        render("{{ nothing }}")


def test_names_of_models_stay_on_a_line_and_long_ones_break_at_underscores():
    assert render("{{ 'a 128-64 net' | unbroken }}") == 'a <span class="unbroken">128-64</span> net'
    assert render("{{ 'weight_decay' | breakable }}") == "weight_<wbr>decay"


def test_sentences_have_minus_signs_and_percent_signs_keep_to_their_numbers():
    assert prose("from -0.5 to 3 %, l2-dropout 128-64") == "from −0.5 to 3\u00a0%, l2-dropout 128-64"


def test_every_variant_has_its_swatch():
    macro = "{% from 'forms/templates/macros.html.j2' import swatch with context %}{{ swatch(name) }}"
    names = [f"v{i}" for i in range((SERIES - 1) * FORMS)]
    one = study().variants[0]
    summary = replace(study(), variants=tuple(replace(one, name=name) for name in names))
    looks = {render(macro, name=name, summary=summary) for name in names}
    assert len(looks) == len(names)
    for form in range(1, FORMS):
        assert f".swatch.form-{form} " in page_styles()


def test_styles_have_both_sets_of_colors():
    styles = page_styles()
    for role in LIGHT:
        assert f"--{role}:{LIGHT[role]};" in styles
        assert f"--{role}:{DARK[role]};" in styles


def test_sources_are_read_by_their_place():
    assert page_source("forms/scripts/base.js").startswith('"use strict";')
