"""Pictures for print."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import documents
import summaries
from wellfit.report.forms.figure_files import write_figures
from wellfit.report.marks.column import is_narrow


def test_every_figure_is_a_picture_in_print_quality_that_says_what_it_shows(tmp_path: Path) -> None:
    drawings = documents.document(summaries.study(variants=("baseline", "l2"))).drawings[:3]
    text = write_figures(drawings, tmp_path / "figures")
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {f"{d.name}.png" for d in drawings}
    for drawing in drawings:
        with Image.open(tmp_path / "figures" / f"{drawing.name}.png") as picture:
            assert round(picture.info["dpi"][0]) == 300
            assert picture.info["Description"] == text[drawing.name]
            assert picture.width == round(300 * float(drawing.draw().get_figwidth()))
    before = [p.read_bytes() for p in sorted((tmp_path / "figures").iterdir())]
    write_figures(drawings, tmp_path / "figures")
    assert [p.read_bytes() for p in sorted((tmp_path / "figures").iterdir())] == before


@pytest.mark.parametrize("form", ["svg", "pdf"])
def test_figures_for_a_paper_are_drawn_for_one_column(form: str, tmp_path: Path) -> None:
    drawings = documents.document(summaries.study(variants=("baseline", "l2"))).drawings[:2]
    text = write_figures(drawings, tmp_path, form=form)
    assert {p.name for p in tmp_path.iterdir()} == {f"{d.name}.{form}" for d in drawings}
    for drawing in drawings:
        content = (tmp_path / f"{drawing.name}.{form}").read_bytes()
        if form == "svg":
            assert b'width="3.4000in"' in content
            assert text[drawing.name][:40].encode() in content
        else:
            assert content.startswith(b"%PDF-")
    assert not is_narrow()
