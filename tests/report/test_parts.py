from summaries import study
from wellfit.report.parts import Cell, Drawing, Paragraph, Table, file_name


def test_parts_have_plain_defaults() -> None:
    assert (Cell("1").interval, Cell("1").value) == ("", None)
    assert (Paragraph("a").head, Paragraph("a").kind) == ("", "text")
    assert Table(("a",), (("b",),)).text == 1
    assert Drawing("a", "b", lambda: None).width == "full"  # type: ignore[arg-type,return-value]


def test_file_names_are_unique_even_for_names_that_look_alike() -> None:
    summary = study(variants=("baseline", "l2", "l2 + dropout"))
    names = [file_name(summary, variant.name) for variant in summary.variants]
    assert names == ["1-baseline", "2-l2", "3-l2-+-dropout"]
