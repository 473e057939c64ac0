"""The page about the number of seeds: its command and its calculator say what Python computes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import pages
from wellfit.how_many import power

DOCS = Path(__file__).parents[1] / "docs"
CALCULATOR = DOCS / "assets" / "how-many-seeds.html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

SETTINGS = (
    {"accuracy": 0.88, "difference": 0.005, "examples": 10_000},
    {"accuracy": 0.88, "difference": 0.003, "examples": 10_000, "seeds": 1},
    {"accuracy": 0.88, "difference": 0.00421, "examples": 10_000, "seeds": 8},
    {"accuracy": 0.97, "difference": 0.01, "examples": 1797, "seed_sd": 0.004},
    {"accuracy": 0.97, "difference": 0.02, "examples": 360, "seed_sd": 0.006, "seeds": 10, "variants": 19},
    {"accuracy": 0.5, "difference": 0.1, "examples": 100, "seed_sd": 0.05, "seeds": 4, "variants": 3},
    {"accuracy": 0.1, "difference": 0.02, "examples": 2000, "seed_sd": 0.01},
    {"accuracy": 0.999, "difference": 0.0005, "examples": 50_000, "seed_sd": 0.0002, "seeds": 20},
    {"accuracy": 0.88, "difference": 0.008, "examples": 10_000, "seed_sd": 0.0},
    {"accuracy": 0.88, "difference": 0.008, "examples": 10_000, "lasting": 0.0},
    {"accuracy": 0.88, "difference": 0.008, "examples": 10_000, "lasting": 1.0, "seeds": 2},
    {"accuracy": 0.88, "difference": 0.008, "examples": 10_000, "disagreement": 0.02, "variants": 5},
    {"accuracy": 0.88, "difference": 0.02, "examples": 10_000, "disagreement": 1.0, "seed_sd": 0.02},
    {"accuracy": 0.75, "difference": 0.001, "examples": 1_000_000, "seed_sd": 0.001, "seeds": 12},
    {"accuracy": 0.9, "difference": 0.3, "examples": 2, "seeds": 3},
    {"accuracy": 0.9, "difference": 0.01, "examples": 5000, "seeds": 1000, "variants": 2},
    {"accuracy": 0.9, "difference": 0.01, "examples": 5000, "seeds": 6, "variants": 1000},
    {"accuracy": 0.93, "difference": 0.012, "examples": 4321, "seed_sd": 0.0071, "seeds": 7, "variants": 8},
    {"accuracy": 0.93, "difference": 0.015, "examples": 4321, "seed_sd": 0.03, "seeds": 250},
    {"accuracy": 0.86, "difference": 0.0125, "examples": 26_032, "seed_sd": 0.005, "seeds": 3, "lasting": 0.4},
)


def test_the_command_prints_what_the_page_shows(tmp_path: Path) -> None:
    (command,) = pages.commands((DOCS / "how-many-seeds.md").read_text())
    assert pages.missing(command, pages.printed(command.line, tmp_path)) is None


def test_the_simulated_designs_have_the_computed_power() -> None:
    rows = re.findall(
        r"\| ([\d.]+) %, ([\d.]+) points?, ([\d,]+) examples, sd ([\d.]+) points, "
        r"(\d+) seeds, (\d+) variants \| ([\d.]+)",
        (DOCS / "how-many-seeds.md").read_text(),
    )
    assert len(rows) == 4
    for accuracy, difference, examples, sd, seeds, variants, computed in rows:
        found = power(
            float(accuracy) / 100,
            float(difference) / 100,
            int(examples.replace(",", "")),
            seed_sd=float(sd) / 100,
            seeds=int(seeds),
            variants=int(variants),
        )
        assert 100 * found.planned.power == pytest.approx(float(computed), abs=0.06)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open the calculator; what it complained of or asked the network for is an error at the end."""
    contexts, trouble = [], []

    def go(width=1100, **options):
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        tab = context.new_page()
        tab.on("console", lambda m: trouble.append(m.text) if m.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: trouble.append(str(error)))
        tab.on("request", lambda r: None if r.url.startswith("file:") else trouble.append(r.url))
        tab.goto(CALCULATOR.as_uri())
        return tab

    yield go
    for context in contexts:
        context.close()
    assert trouble == []


NUMBERS = """(settings) => settings.map((given) => {
  const found = powerCurve(given), flat = (row) => [row.seeds, row.power, row.difference, row.margin].map(String);
  return { rows: [...found.rows, found.endless, found.planned].map(flat), needed: found.needed,
    sd: found.difference_sd, disagreement: found.disagreement, sentences: sentences(found) };
})"""


def test_it_computes_what_python_computes(visit) -> None:
    for given, theirs in zip(SETTINGS, visit().evaluate(NUMBERS, list(SETTINGS)), strict=True):
        ours = power(**given)
        assert theirs["needed"] == ours.needed, given
        assert theirs["sd"] == pytest.approx(ours.difference_sd)
        assert theirs["disagreement"] == pytest.approx(ours.disagreement)
        rows = [tuple(map(float, (cell.replace("Infinity", "inf") for cell in row))) for row in theirs["rows"]]
        for mine, row in zip((*ours.rows, ours.endless, ours.planned), rows, strict=True):
            # SciPy's own quantiles agree with exact ones to 1e-10; its root finder stops within 2e-12 and 1e-15
            assert row == pytest.approx((mine.seeds, mine.power, mine.difference, mine.margin), rel=1e-8, abs=1e-11), (
                given
            )
        assert tuple(theirs["sentences"]) == ours.sentences


def test_it_shows_the_numbers_of_the_fields(visit) -> None:
    tab = visit()
    for name, value in {
        "accuracy": "90",
        "difference": "1,2",
        "examples": "2000",
        "seed_sd": "0.5",
        "seeds": "8",
    }.items():
        tab.fill(f"#{name}", value)
    ours = power(0.9, 0.012, 2000, seed_sd=0.005, seeds=8)
    assert tuple(tab.locator("#answer p").all_inner_texts()) == ours.sentences
    cells = tab.locator("tr.planned").locator("th, td").all_inner_texts()
    planned = ours.planned
    assert cells == [
        "8",
        f"{100 * planned.power:.0f} %",
        f"{100 * planned.difference:.2f}",
        f"{100 * planned.margin:.2f}",
    ]
    assert tab.inner_text("#command") == (
        "wellfit power --accuracy 0.9 --difference 0.012 --examples 2000 --seed-sd 0.005 --seeds 8 --variants 2"
    )
    assert tab.locator("svg[role=img]").count() == 2


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("accuracy", "100", "Accuracy: a number between 0 and 100."),
        ("difference", "", "True difference: a number between 0 and 100, such as 0.5."),
        ("examples", "1.5", "Test examples: a whole number of at least 2."),
        ("seed_sd", "-1", "Spread over the seeds: a number of at least 0, such as 0.3."),
        ("seeds", "1001", "Planned seeds: a whole number from 1 to 1,000."),
        ("variants", "one", "Variants: a whole number from 2 to 1,000."),
        ("disagreement", "0", "Disagreement: a number above 0 and at most 100, or nothing."),
        ("disagreement", "0.1", "Disagreement: two variants cannot differ by more"),
        ("lasting", "101", "Lasting: a number from 0 to 100."),
    ],
)
def test_a_mistake_is_said_at_its_field(visit, name, value, problem) -> None:
    tab = visit()
    tab.fill(f"#{name}", value)
    assert tab.inner_text("#problem").startswith(problem)
    assert tab.get_attribute(f"#{name}", "aria-invalid") == "true"
    assert tab.locator("[aria-invalid=true]").count() == 1
    assert not tab.is_visible("#answer")
    tab.reload()
    assert tab.inner_text("#problem") == ""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_for_everyone(visit, scheme) -> None:
    """A narrow screen has no sideways scrolling; Tab reaches every field in order; axe finds nothing."""
    tab = visit(390, color_scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    reached = []
    for _ in range(9):
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.id || document.activeElement.className"))
    fields = ["accuracy", "difference", "examples", "seed_sd", "seeds", "variants", "disagreement", "lasting"]
    assert reached == [*fields, "scroll"]
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    tab.fill("#accuracy", "x")
    for _ in range(2):  # with a mistake, and without
        found = axe.Axe().run(tab)
        assert [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]] == []
        tab.fill("#accuracy", "88")
