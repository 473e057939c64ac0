"""Confusion matrices and pictures in a browser: what can be chosen, and what is then shown."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from browsing import overflow
from detailed import NOTHING, details
from summaries import hostile, study
from wellfit.report.forms.page import write_page

# --- Confusions and pictures ------------------------------------------------------------------------------------------


def test_a_click_on_a_cell_shows_its_images(visit):
    tab = visit()
    summary = study(epochs=25)
    mistakes = details(summary).mistakes
    kept = mistakes.image_rows
    pairs = [(int(mistakes.labels[r]), int(mistakes.predicted[1, r])) for r in kept if mistakes.wrong[1, r]]
    true, predicted = max(set(pairs), key=pairs.count)
    tab.select_option("#matrix-variant", label="l2")
    tab.locator(f"#matrix-table [data-cell='{true},{predicted}']").click()
    assert tab.locator("#cell h3").last.inner_text() == (
        f"{summary.classes[true]} classified as {summary.classes[predicted]}"
    )
    tiles = tab.locator("#cell .gallery li")
    assert tiles.count() == min(5, pairs.count((true, predicted)))
    assert tiles.first.locator(".picture").is_visible()
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == f"{true},{predicted}"


def test_a_matrix_is_whole_and_so_are_its_names(visit, letters):
    tab = visit("letters")
    box = "(t => [t.scrollWidth - t.clientWidth, t.querySelector('td button').offsetWidth])"
    beyond, cell = tab.evaluate(f"{box}(document.querySelector('#matrix-table').parentNode)")
    assert beyond <= 0
    assert cell >= 20
    heads = tab.locator("#matrix-table tbody th")
    assert heads.last.get_attribute("title") == letters[-1]
    assert tab.locator("#matrix-table thead th").last.get_attribute("title") == letters[-1]
    assert heads.last.bounding_box()["width"] < 250


SMALL_TEXT = 8.0
"""Pixels of the smallest letters that can be read on a phone, whose pixels are smaller than a monitor's."""


@pytest.mark.parametrize("name", ["study", "many-images"])  # ten classes, and two
@pytest.mark.parametrize("against", ["", "l2"])
def test_a_matrix_can_be_read_on_a_phone(visit, name, against):
    tab = visit(name, 390, device_scale_factor=2)
    if against:
        tab.select_option("#matrix-against", label=against)
    cells = tab.locator("#matrix-table td button")
    assert cells.count() == (100 if name == "study" else 4)
    assert overflow(tab) == 0
    for cell in cells.evaluate_all(
        "(cells) => cells.map((cell) => ({ cut: cell.scrollWidth - cell.clientWidth, text: cell.textContent,"
        " size: parseFloat(getComputedStyle(cell).fontSize), width: cell.getBoundingClientRect().width }))"
    ):
        assert cell["cut"] <= 0, cell
        assert cell["width"] >= 20, cell
        assert not cell["text"].strip() or cell["size"] >= SMALL_TEXT, cell


def test_all_images_of_a_cell_can_be_shown(visit):
    tab = visit("many-images")
    tab.locator("#matrix-table [data-cell='0,1']").click()
    tab.locator("#cell-more").click()
    sentences = tab.locator("#cell p").last.inner_text()
    mistakes = details(study(variants=("baseline", "l2"), epochs=2, classes=("a", "b")), images=300).mistakes
    inside = (mistakes.labels == 0) & (mistakes.predicted[0] == 1)
    kept = tab.locator("#cell .gallery li").count()
    assert kept == inside[mistakes.image_rows].sum() > 5
    assert sentences == f"{inside.sum()}\u00a0images most often classified as b; this page shows {kept} of them."


def test_a_cell_without_pictures_says_why(visit):
    tab = visit()
    tab.locator("#matrix-table [data-cell='1,1']").click()
    assert tab.locator("#cell p").last.inner_text() == "Only misclassified images are kept."
    tab.locator("#matrix-table [data-cell='0,6']").click()
    assert "images most often classified as Shirt" in tab.locator("#cell p").last.inner_text()
    assert tab.locator("#matrix-table [aria-pressed=true]").count() == 1


def test_arrows_and_enter_choose_a_cell(visit):
    tab = visit()
    tab.locator("#matrix-table button[tabindex='0']").focus()
    start = [int(n) for n in tab.evaluate("document.activeElement.dataset.cell").split(",")]
    tab.keyboard.press("ArrowUp" if start[0] else "ArrowDown")
    tab.keyboard.press("ArrowLeft" if start[1] else "ArrowRight")
    cell = tab.evaluate("document.activeElement.dataset.cell")
    assert [abs(int(n) - s) for n, s in zip(cell.split(","), start, strict=True)] == [1, 1]
    tab.keyboard.press("Enter")
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == cell
    assert tab.evaluate("document.activeElement.dataset.cell") == cell
    assert tab.locator("#matrix-table button[tabindex='0']").count() == 1


def test_the_difference_of_two_variants(visit):
    tab = visit()
    summary = study(epochs=25)
    tab.select_option("#matrix-variant", label="dropout")
    tab.select_option("#matrix-against", label="baseline")
    shares = [
        summary.confusion[name] / summary.confusion[name].sum(axis=1, keepdims=True) for name in ("dropout", "baseline")
    ]
    gain = 100 * (shares[0] - shares[1])[0, 0]
    sentences = tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    shown = f"{gain:+.1f}".replace("-", "−")
    assert f"T-shirt/top correct: {shown} points [" in sentences
    caption = tab.locator("#matrix-caption")
    assert "dropout minus baseline" in caption.inner_text()
    assert "the 95 % interval includes zero" in caption.inner_text()
    bounds = re.search(r"\[(.+), (.+)\]", sentences).groups()
    tab.select_option("#matrix-variant", label="baseline")
    tab.select_option("#matrix-against", label="dropout")  # the same the other way round
    turned = tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    signs = str.maketrans("+−", "−+")
    assert re.search(r"\[(.+), (.+)\]", turned).groups() == tuple(bound.translate(signs) for bound in bounds[::-1])
    tab.select_option("#matrix-against", label="l2")
    tab.select_option("#matrix-variant", label="dropout")
    assert "points, no interval" in tab.locator("#matrix-table [data-cell='0,0']").get_attribute("aria-label")
    assert "This pair has no intervals" in caption.inner_text()
    assert "better" not in caption.inner_text()


def test_the_gallery_is_filtered(visit):
    tab = visit()
    tab.select_option("#gallery-kind", label="most often wrong")
    assert tab.locator("#gallery li").count() == 8
    tab.locator("#gallery-more").click()
    assert tab.locator("#gallery li").count() == 56
    tab.select_option("#gallery-class", label="Shirt")
    tab.select_option("#gallery-variant", label="l2")
    names = tab.locator("#gallery b").all_inner_texts()
    assert names
    assert set(names) == {"Shirt"}
    assert all(
        re.match(r"[1-4] of 5 runs|all 5 runs agree", text) for text in tab.locator("#gallery small").all_inner_texts()
    )
    summary = study(epochs=25)
    mistakes = details(summary).mistakes
    shirts = (mistakes.labels == summary.classes.index("Shirt")) & (mistakes.wrong[1] > 0)
    kept = shirts[mistakes.image_rows].sum()
    assert tab.locator("#gallery-status").inner_text() == (
        f"{min(kept, 8)} of {shirts.sum()}\u00a0images of Shirt wrong in at least one run of l2; "
        f"this page has {kept}. Captions: predictions of l2."
    )


def test_of_many_classes_the_most_confused_are_drawn(visit, files):
    names = tuple(f"class {i}" for i in range(200))
    summary = study(variants=("baseline", "l2"), epochs=2, classes=names)
    counts = np.diag(np.full(200, 9))
    counts[150, 7] = 5
    summary = replace(summary, confusion=dict.fromkeys(summary.confusion, counts))
    write_page(summary, NOTHING, files / "classes.html")
    tab = visit("classes")
    assert "Of 200 classes, the 30 with the most mistakes" in tab.locator("#matrix-caption").inner_text()
    assert tab.locator("#matrix-table tbody tr").count() == 30
    assert tab.locator("#matrix-table [aria-pressed=true]").get_attribute("data-cell") == "150,7"
    assert tab.locator("#matrix-table [data-cell='150,7']").inner_text() == "36"  # 5 of 14
    tab.locator("#matrix-table [data-cell='150,7']").focus()
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("document.activeElement.dataset.cell").startswith("150,")


def test_names_stay_text_in_what_a_script_writes(visit):
    tab = visit("hostile")
    tab.select_option("#matrix-variant", index=1)
    assert "<script>alert(1)</script>" in tab.locator("#matrix-table").inner_text()
    assert tab.locator("main script:not([type='application/json']), main img").count() == 0
    assert tab.title() == hostile().title
