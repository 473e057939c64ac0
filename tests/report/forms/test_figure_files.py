"""Pictures for print."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

import documents
import summaries
from wellfit.report.forms.figure_files import write_figures


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
