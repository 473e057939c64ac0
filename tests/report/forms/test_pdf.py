"""The PDF: A4, searchable, fonts embedded, the same bytes for the same study, and no text read as markup."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import matplotlib
import numpy as np
import pytest
import typst
from matplotlib.figure import Figure
from PIL import Image
from pypdf import PageObject, PdfReader

import documents
import summaries
from pdf_texts import pdf_text, squeezed
from wellfit.base import StudySummary
from wellfit.errors import WellfitError
from wellfit.report.document import Document, Section, brief, make_document
from wellfit.report.forms.formats import Printed, report_format, write_report
from wellfit.report.forms.pdf import write_pdf
from wellfit.report.marks import fonts
from wellfit.report.marks.fonts import quiet
from wellfit.report.marks.static import done, own_axes
from wellfit.report.parts import Code, Drawing, Paragraph, Part, Table, Words
from wellfit.study.report_details import summary_and_details

MARKUP = (
    "#import",
    "$x$ and $",
    "*a* _b_",
    "<b>",
    r"a\b \ c",
    "`code`",
    "= no heading",
    "// gone",
    "@label",
    "-- ~ ...",
)
"""Each means something to typst, or did to a form of the report."""


def document(*parts: Part, title: str = "t", notices: tuple[str, ...] = (), notes: tuple[str, ...] = ()) -> Document:
    return Document(title, "name", "finished", notices, (Section("s", "Section", notes=notes, write=lambda: parts),))


def blank(width: float = 4, height: float = 3, text: str = "") -> Figure:
    axes = own_axes(None, (width, height))
    axes.set_title(text)
    return done(axes, "alt text of the figure")


def positions(page: PageObject) -> dict[str, tuple[float, float]]:
    """Where each piece of text begins, from the lower left corner, in points."""
    found: dict[str, tuple[float, float]] = {}

    def visit(text: str, cm: Any, tm: Any, font: Any, size: Any) -> None:
        if text.strip():
            x, y = tm[4], tm[5]
            found[text.strip()] = (cm[0] * x + cm[2] * y + cm[4], cm[1] * x + cm[3] * y + cm[5])

    page.extract_text(visitor_text=visit)
    return found


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Path]:
    """A report with every section, and its PDF."""
    written = documents.document(summaries.study(variants=("baseline", "l2")))
    return written, write_pdf(written, tmp_path_factory.mktemp("finished") / "new" / "report.pdf")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, Path]:
    """A report full of names that mean something to some language, and its PDF."""
    written = documents.document(summaries.hostile())
    with quiet():
        return written, write_pdf(written, tmp_path_factory.mktemp("hostile") / "report.pdf")


def objects(path: Path) -> list[dict[str, Any]]:
    """Every dictionary of a PDF that can be referred to."""
    reader = PdfReader(path)
    found = [reader.get_object(number) for number in range(1, int(reader.trailer["/Size"]))]
    return [one for one in found if isinstance(one, dict)]


def pictures(written: Document, path: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The pages of a PDF as pixels, one a point, by the same call to typst."""
    calls: list[tuple[Any, dict[str, Any]]] = []
    compile_pdf = typst.compile

    def recorded(source: bytes, **options: Any) -> Any:
        calls.append((source, options))
        return compile_pdf(source, **options)

    with monkeypatch.context() as patch:
        patch.setattr(typst, "compile", recorded)
        write_pdf(written, path)
    ((source, options),) = calls
    pages = compile_pdf(source, **{**options, "format": "png"}, ppi=72.0)
    pages = pages if isinstance(pages, list) else [pages]
    return [np.asarray(Image.open(BytesIO(page)).convert("L")) for page in pages]


def test_pages_fonts_and_the_same_bytes_twice(finished: tuple[Document, Path], tmp_path: Path) -> None:
    written, path = finished
    data = path.read_bytes()
    reader = PdfReader(path)
    assert len(reader.pages) > 5
    assert all(tuple(map(round, page.mediabox[2:])) == (595, 842) for page in reader.pages)
    assert b"/FontFile2" in data  # TrueType, embedded
    assert b"/Type3" not in data
    assert b"CreationDate" not in data
    assert reader.metadata is not None
    assert reader.metadata.title == written.title
    assert write_pdf(written, tmp_path / "again.pdf").read_bytes() == data
    assert {p.name for p in path.parent.iterdir()} == {"report.pdf"}


def test_sections_are_bookmarks_and_pages_are_numbered(finished: tuple[Document, Path]) -> None:
    written, path = finished
    reader = PdfReader(path)
    titles = [section.title for section in written.written if section.title]
    assert len(titles) > 8
    assert [entry.title for entry in reader.outline] == titles  # type: ignore[union-attr]
    for number, page in enumerate(reader.pages, 1):
        assert f"{number} / {len(reader.pages)}" in page.extract_text()


def test_every_text_of_a_document_is_written(hostile: tuple[Document, Path]) -> None:
    written, path = hostile
    text = pdf_text(path)
    expected: list[str] = [written.title, *written.notices]
    for section in written.written:
        expected += [section.title, *section.notes]
        for part in section.parts:
            if isinstance(part, Paragraph):
                expected += [part.head, part.text]
            elif isinstance(part, Table):
                expected += [*part.headings, *(cell for row in part.rows for cell in row)]
            elif isinstance(part, Drawing):
                expected.append(part.caption)
            else:
                expected += part.text.splitlines()
    assert len(expected) > 300
    assert not [one for one in expected if squeezed(one) not in text]


@pytest.mark.parametrize("name", MARKUP)
def test_markup_stays_text_everywhere(name: str, tmp_path: Path) -> None:
    parts: tuple[Part, ...] = (
        Paragraph(name, head=name, kind="lead"),
        Table((name, "n"), ((name, name),)),
        Drawing("d", name, blank),
        Code(name),
    )
    path = write_pdf(document(*parts, title=name, notices=(name,), notes=(name,)), tmp_path / "a.pdf")
    assert pdf_text(path).count(squeezed(name)) == 10


def test_nothing_in_the_file_is_active(hostile: tuple[Document, Path]) -> None:
    keys = {key for one in objects(hostile[1]) for key in one}
    assert "/MediaBox" in keys
    assert not keys & {"/JavaScript", "/JS", "/URI", "/Launch", "/OpenAction", "/AA", "/Annots", "/EmbeddedFiles"}


def test_text_of_figures_can_be_searched(tmp_path: Path) -> None:
    drawing = Drawing("d", "caption", lambda: blank(text="accuracy"))
    assert "accuracy" in pdf_text(write_pdf(document(drawing), tmp_path / "a.pdf"))


def test_spaces_within_a_figures_text_are_kept(tmp_path: Path) -> None:
    widths = []
    for text in ("Q Z", "Q   Z"):
        drawing = Drawing("d", "caption", lambda text=text: blank(text=text))  # type: ignore[misc]
        (page,) = PdfReader(write_pdf(document(drawing), tmp_path / "a.pdf")).pages
        found = positions(page)
        widths.append(found["Z"][0] - found["Q"][0])
    assert widths[1] > 1.2 * widths[0] > 0


def test_figures_carry_their_alt_text(tmp_path: Path) -> None:
    path = write_pdf(document(Drawing("d", "caption", blank)), tmp_path / "a.pdf")
    assert [one["/Alt"] for one in objects(path) if "/Alt" in one] == ["alt text of the figure"]


def test_two_half_figures_stand_side_by_side(tmp_path: Path) -> None:
    widths = {"first": "half", "second": "half", "third": "half", "fourth": "full", "fifth": "half"}
    drawings = [Drawing(name, name, blank, width) for name, width in widths.items()]  # type: ignore[arg-type]
    drawings[1] = replace(drawings[1], draw=lambda: blank(4, 2))  # its caption is level with that of the first
    found: dict[str, tuple[float, float]] = {}
    for number, page in enumerate(PdfReader(write_pdf(document(*drawings), tmp_path / "a.pdf")).pages):
        found |= {name: (x, y - 1000 * number) for name, (x, y) in positions(page).items()}
    columns = {name: found[name][0] > 300 for name in widths}
    assert columns == {"first": False, "second": True, "third": False, "fourth": False, "fifth": False}
    heights = [found[name][1] for name in widths]
    assert heights[0] == pytest.approx(heights[1])
    assert heights[1] > heights[2] > heights[3] > heights[4]


def test_a_long_table_repeats_its_headings(tmp_path: Path) -> None:
    table = Table(("Variant", "number"), tuple((f"v{n}", str(n)) for n in range(200)))
    pages = PdfReader(write_pdf(document(table), tmp_path / "a.pdf")).pages
    assert len(pages) > 2
    assert [page.extract_text().count("Variant") for page in pages] == [1] * len(pages)


def test_a_small_table_stays_whole(tmp_path: Path) -> None:
    table = Table(("Variant", "number"), tuple((f"v{n}", str(n)) for n in range(12)))
    for words in range(300, 900, 100):
        path = write_pdf(document(Paragraph("words " * words), table), tmp_path / "a.pdf")
        texts = [page.extract_text() for page in PdfReader(path).pages]
        (holding,) = [text for text in texts if re.search(r"\bv\d", text)]
        assert all(f"v{n}" in holding for n in range(12))


def test_a_heading_and_its_words_stay_with_the_figure(tmp_path: Path) -> None:
    drawing = Drawing("d", "caption", lambda: blank(8.6, 6))
    for words in range(300, 900, 60):
        sections = (
            Section("a", "First", write=lambda words=words: (Paragraph("words " * words),)),
            Section("b", "Second", notes=("A note.",), write=lambda: (Paragraph("It falls."), drawing)),
        )
        path = write_pdf(Document("t", "n", "finished", (), sections), tmp_path / "a.pdf")
        texts = [page.extract_text() for page in PdfReader(path).pages]
        (holding,) = [text for text in texts if "Second" in text]
        assert all(text in holding for text in ("A note.", "It falls.", "caption"))


def test_a_tall_figure_stays_with_its_heading_words_and_code(tmp_path: Path) -> None:
    tall = Drawing("d", "", lambda: blank(8.6, 14, "in the figure"))
    parts = (Words("Images that every run gets wrong: below each its true class, its predicted class, and how often."),
             Code("results.plot_mistakes(count=25)", boxed=True), tall)  # fmt: skip
    sections = (Section("a", "First", write=lambda: (Paragraph("words " * 900),)),
                Section("b", "Look at the mistakes", write=lambda: parts))  # fmt: skip
    path = write_pdf(Document("t", "n", "finished", (), sections), tmp_path / "a.pdf")
    (holding,) = [text for page in PdfReader(path).pages if "mistakes" in (text := page.extract_text())]
    assert all(text in holding for text in ("every run gets wrong", "plot_mistakes", "in the figure"))


@pytest.mark.parametrize(
    ("result", "full"),
    [
        (summaries.study, True),
        (lambda: summaries.study(seeds=1, variants=("baseline",)), False),
        (summaries.empty, False),
        (summaries.running, False),
        (summaries.diverged, False),
        (summaries.hostile, True),
    ],
    ids=["all", "one", "empty", "running", "diverged", "hostile"],
)
def test_margins_stay_white_in_every_state(
    result: Callable[[], StudySummary], full: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for page in pictures(documents.document(result(), full), tmp_path / "a.pdf", monkeypatch):
        assert page.shape == (842, 595)
        assert page[:, :52].min() == page[:, -52:].min() == 255
        assert page[:28].min() == page[-28:].min() == 255


@pytest.mark.parametrize(
    "part",
    [
        Table(("Variant", "against", "n"), (("a" * 64, "b" * 64, "1"), ("c=" * 32, "d" * 64, "2"))),
        Paragraph("x" * 300),
        Paragraph("x " * 5000),
        Code("y" * 300),
        Drawing("d", "z" * 300, lambda: blank(8.6, 30)),
        Drawing("d", "wide", lambda: blank(30, 3), "half"),
    ],
    ids=["table", "word", "paragraph", "code", "high", "wide"],
)
def test_long_words_and_large_figures_fit_the_page(part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = pictures(document(part, Code("end"), title="t" * 200), tmp_path / "a.pdf", monkeypatch)
    assert len(pages) <= 3
    for page in pages:
        assert page[:, :52].min() == page[:, -52:].min() == 255
        assert page[-50:-45].min() == 255  # above the page number
    text = pdf_text(tmp_path / "a.pdf")
    assert not isinstance(part, Code) or part.text in text


def test_names_in_any_script_are_written(tmp_path: Path) -> None:
    names = ("靴下", "قطة", "\U0001f408", "ab\x07\x00c\ufffe")
    table = Table(("Class", "n"), tuple((name, "1") for name in names))
    drawings = [Drawing("d", "caption", lambda name=name: blank(text=name)) for name in names]  # type: ignore[misc]
    with quiet():
        path = write_pdf(document(table, *drawings), tmp_path / "a.pdf")
    text = pdf_text(path)
    assert "قطة" in text  # DejaVu Sans has these letters
    assert [name for name in names[:3] if name not in text and not fonts.missing(name)] == []


def embedded(path: Path) -> set[str]:
    """The names of the fonts in a PDF, without the tag of their subset."""
    return {str(one["/BaseFont"]).split("+")[1] for one in objects(path) if one.get("/Subtype") == "/Type0"}


def test_a_fallback_font_is_embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serif = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSerif.ttf"
    monkeypatch.setattr(fonts, "fallbacks", lambda text: ("DejaVu Serif",))
    monkeypatch.setattr(fonts, "files", lambda text: [str(serif)])
    assert embedded(write_pdf(document(Paragraph("words")), tmp_path / "a.pdf")) == {"DejaVuSerif"}


def test_a_letter_without_a_font_leaves_the_others_alone(tmp_path: Path) -> None:
    drawing = Drawing("d", "caption", lambda: blank(text="\U000f0042 cat"))
    with quiet():
        path = write_pdf(document(drawing, Paragraph("\U000f0042 dog")), tmp_path / "a.pdf")
    assert embedded(path) == {"DejaVuSans", "DejaVuSans-Bold"}
    assert "cat" in pdf_text(path)


def test_progress_rises_and_names_what_is_written(tmp_path: Path) -> None:
    calls: list[tuple[str, float]] = []
    drawings = [Drawing(name, name, blank) for name in "abc"]
    write_pdf(document(*drawings), tmp_path / "a.pdf", lambda text, share: calls.append((text, share)))
    assert [text for text, _ in calls] == ["figure 1 of 3", "figure 2 of 3", "figure 3 of 3", "pages"]
    shares = [share for _, share in calls]
    assert shares == sorted(shares)
    assert 0 < shares[0] < shares[-1] < 1


def test_without_typst_one_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    (tmp_path / "a.pdf").write_bytes(b"older")
    with pytest.raises(WellfitError, match=r'install it with: pip install "wellfit\[pdf\]"') as error:
        write_pdf(document(), tmp_path / "a.pdf")
    assert "\n" not in str(error.value)
    assert (tmp_path / "a.pdf").read_bytes() == b"older"
    assert [p.name for p in tmp_path.iterdir()] == ["a.pdf"]


def test_without_typst_nothing_is_trained_or_kept_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    for wanted, path in (("pdf", None), (None, Path("a.pdf"))):
        with pytest.raises(WellfitError, match="a PDF needs typst, which is not installed"):
            report_format(wanted, path)
    summary, details = cast(Any, None), cast(Any, None)  # nothing is asked of them
    with pytest.raises(WellfitError, match="a PDF needs typst"):
        write_report(summary, details, "pdf", tmp_path / "a.pdf", printed=Printed(parts=True))


# --- Pages that look well ---------------------------------------------------------------------------------------------

BOTTOM = 58.0
"""Points below the text of a page."""


def headings(path: Path) -> list[tuple[str, int, float]]:
    """Title, page and height above the page's end of every heading."""
    reader = PdfReader(path)
    found = []
    for entry in reader.outline:
        place = reader.get_destination_page_number(entry)  # type: ignore[arg-type]
        found.append((str(entry.title), place, float(entry.top)))  # type: ignore[union-attr]
    return found


def test_no_heading_ends_a_page(finished: tuple[Document, Path]) -> None:
    """After a heading comes its text: at least four lines of it, or a figure, on the same page."""
    found = headings(finished[1])
    assert len(found) > 8
    assert [title for title, _, top in found if top < BOTTOM + 70] == []


def test_the_default_study_has_twelve_pages_and_the_first_is_full(finished_study: Path, tmp_path: Path) -> None:
    path = write_pdf(brief(make_document(*summary_and_details(finished_study))), tmp_path / "report.pdf")
    pages = PdfReader(path).pages
    assert len(pages) <= 12
    assert [title for title, _, top in headings(path) if top < BOTTOM + 70] == []
    assert ("Ranking", 0) in [(title, page) for title, page, _ in headings(path)]
    assert min(y for _, y in positions(pages[0]).values() if y > BOTTOM) < 0.25 * 842


def test_a_table_is_never_cut_after_one_row(tmp_path: Path) -> None:
    """Wherever on a page it begins, each page has three of its rows or more."""
    rows = tuple((f"row{n}", str(n)) for n in range(30))
    for lines in range(30, 56, 2):
        text = [Paragraph(f"line {n}", kind="small") for n in range(lines)]
        path = write_pdf(document(*text, Table(("Name", "Value"), rows)), tmp_path / "report.pdf")
        counts = [len(re.findall(r"row\d+", page.extract_text())) for page in PdfReader(path).pages]
        assert sum(counts) == 30
        assert all(count >= 3 for count in counts if count), (lines, counts)


def test_what_is_left_out_is_said_and_can_be_asked_for() -> None:
    whole = documents.document(summaries.study())  # six variants
    short = brief(whole)
    kept = {section.id for section in short.written}
    titles = tuple(section.title for section in whole.written if section.id not in kept)
    details = tuple(part.caption.partition(".")[0] for part in whole.drawings if part.detail)
    assert short.left_out[-len(titles) :] == titles
    assert not any(part.detail for part in short.drawings)
    assert set(short.left_out[: -len(titles)]) == set(details)
    assert "Accuracy of each variant" in details
    assert "Weights" in short.left_out
    assert whole.left_out == ()
    words = Section("weights", "Weights", words="Small.")
    assert [section.id for section in brief(Document("t", "n", "s", (), (words,))).sections] == ["weights"]


def test_names_and_own_words_are_set_as_text(tmp_path: Path) -> None:
    words = (
        r"**bold** *it* `c` $x^2$ #import [x](http://e) <b>"
        + "\n\n- item\n\n|a|b|\n|-|-|\n|1|2|\n\n> said\n\n```\n*\n```"
    )
    section = Section(
        "s", "Section", words=words, write=lambda: (Words("and **this**", own=True), Code("a = 1", boxed=True))
    )
    made = Document("t", "name", "finished", (), (section,), authors=("Ada #x",), course="M*L*", introduction="Hi.")
    text = pdf_text(write_pdf(made, tmp_path / "report.pdf"))
    for wanted in (
        "Ada #x · M*L*",
        "Hi.",
        "bold it c",
        "#import x (http://e) <b>",
        "item",
        "said",
        "and this",
        "a = 1",
    ):
        assert squeezed(wanted) in text, wanted
    reader = PdfReader(tmp_path / "report.pdf")
    assert reader.pages[0].get("/Annots") is None  # a link would be one
    assert reader.metadata is not None
    assert reader.metadata.author == "Ada #x"
