"""Tables in a browser: they scroll with their first column, and sort by click and by key."""

from __future__ import annotations

import pytest

from browsing import until

# --- Tables -----------------------------------------------------------------------------------------------------------


def test_what_scrolls_says_so_keeps_its_first_column_and_can_be_reached(visit):
    for scripts in (True, False):
        tab = visit(width=390, java_script_enabled=scripts)
        box, first = tab.locator("#results .scroll").first, tab.locator("table.results tbody th").first
        assert box.get_attribute("tabindex") == "0"
        assert box.get_attribute("role") == "region"
        assert box.get_attribute("aria-label")
        box.scroll_into_view_if_needed()
        place = first.bounding_box()["x"]
        box.focus()
        tab.keyboard.press("ArrowRight")
        tab.keyboard.press("ArrowRight")
        tab.wait_for_timeout(400)
        assert first.bounding_box()["x"] == place
        if scripts:  # what does not evaluate cannot be asked
            assert box.evaluate("(e) => e.scrollLeft") > 0
            assert "local" in box.evaluate("(e) => getComputedStyle(e).backgroundAttachment")
    wide = visit()
    until(wide, "() => document.querySelector('#results .scroll').hasAttribute('tabindex')", False)


def test_a_table_sorts_by_click_and_by_key(visit):
    tab = visit()
    heading = tab.locator("table.results thead th").nth(1)
    column = "[...document.querySelectorAll('table.results tbody tr')].map((r) => parseFloat(r.cells[1].textContent))"
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    shown = tab.evaluate(column)
    assert shown == sorted(shown, reverse=True)
    heading.get_by_role("button").focus()
    tab.keyboard.press("Enter")
    assert heading.get_attribute("aria-sort") == "ascending"
    assert tab.evaluate(column) == sorted(shown)
    other = tab.locator("table.results thead th").nth(5)  # the gap: the smallest first
    other.get_by_role("button").click()
    assert other.get_attribute("aria-sort") == "ascending"
    assert heading.get_attribute("aria-sort") is None  # one order at a time


def test_what_has_no_number_sorts_to_the_end(visit):
    tab = visit()
    tab.evaluate("document.querySelector('table.results tbody td[data-value]').dataset.value = ''")
    name = tab.locator("table.results tbody th .name").first.inner_text()
    button = tab.locator("table.results thead th").nth(1).get_by_role("button")
    for _ in range(2):
        button.click()
        assert tab.locator("table.results tbody th .name").last.inner_text() == name


@pytest.mark.parametrize(
    ("column", "sentences", "wanted"),
    [
        (0, ["10", "baseline", "9", "l2", "100", "a"], ["9", "10", "100", "a", "baseline", "l2"]),
        (0, ["2 layers", "10 layers", "1", "Zero", "–", "a"], ["1", "2 layers", "10 layers", "a", "Zero", "–"]),
        (1, ["10", "none", "9.5", "−2", "–", "1,000"], ["−2", "9.5", "10", "1,000", "none", "–"]),
    ],
)
def test_numbers_and_words_in_one_column_have_an_order(visit, column, sentences, wanted):
    tab = visit()
    tab.locator("#runs summary").click()
    rows = f"[...document.querySelectorAll('#runs details tbody tr')].map((r) => r.cells[{column}])"
    tab.evaluate(f"(said) => {rows}.forEach((cell, i) => cell.textContent = said[i % said.length])", sentences)
    button = tab.locator("#runs details thead th").nth(column).get_by_role("button")
    button.click()  # seeds begin with the smallest, as words do
    assert list(dict.fromkeys(tab.evaluate(f"{rows}.map((cell) => cell.textContent)"))) == wanted
    button.click()
    empty = [text for text in wanted if text == "–"]
    turned = [text for text in wanted[::-1] if text != "–"] + empty
    assert list(dict.fromkeys(tab.evaluate(f"{rows}.map((cell) => cell.textContent)"))) == turned


def test_one_class_table_is_shown_at_a_time(visit):
    tab = visit()
    tab.locator("#classes summary").click()
    tab.select_option("#class-table", label="dropout")
    shown = [
        panel.get_attribute("data-panel") for panel in tab.locator(".class-table-panel").all() if panel.is_visible()
    ]
    assert shown == ["3"]
