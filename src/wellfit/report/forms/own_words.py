"""The authors' own words in every form: HTML, Markdown, and plain data for typst. Nothing in them is run or loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any, Final

from wellfit.report.marks.formulas import formula
from wellfit.report.own_words import Block, Span, blocks

if TYPE_CHECKING:
    from markupsafe import Markup

__all__ = ["words_data", "words_html", "words_markdown"]

SET_BY_BROWSER: Final = re.compile(
    r"(?!.*\\(?:href|url|require|class|style|cssId|data|html|unicode|def|let|input))[^<>&`]*"
)
"""Formulas that a notebook may hand to MathJax, which knows macros that link or style."""


# --- HTML -------------------------------------------------------------------------------------------------------------


def words_html(text: str) -> Markup:
    r"""Own words as HTML: every character of them is escaped, and formulas are drawings in the color of the text.

    Example:
      >>> str(words_html("- *a* <b>\n- `c`"))
      '<ul><li><em>a</em> &lt;b&gt;</li><li><code>c</code></li></ul>'
    """
    from markupsafe import Markup

    made: list[str] = []
    open_lists: list[str] = []
    for block in blocks(text):
        depth = block.depth if block.kind == "item" else 0
        tag = "ul" if block.mark == "•" else "ol"
        while len(open_lists) > depth or (block.mark and len(open_lists) == depth and depth and open_lists[-1] != tag):
            made.append(f"</li></{open_lists.pop()}>")
        if block.kind == "item" and block.mark:
            fresh = len(open_lists) < depth
            start = f' start="{block.mark[:-1]}"' if tag == "ol" and block.mark != "1." else ""
            made.append(f"<{tag}{start}>" * fresh + "</li>" * (not fresh) + "<li>")
            open_lists += [tag] * (depth - len(open_lists))
            made.append(_html(block.spans))
        else:
            made.append(_block_html(block))
    made += [f"</li></{tag}>" for tag in reversed(open_lists)]
    return Markup("".join(made))


def _block_html(block: Block) -> str:
    match block.kind:
        case "heading":
            return f"<h3>{_html(block.spans)}</h3>"
        case "code":
            return f'<pre tabindex="0">{escape(block.spans[0].text)}</pre>'
        case "quote":
            return f"<blockquote><p>{_html(block.spans)}</p></blockquote>"
        case "table":
            head, *rows = block.rows
            cells = "".join(f"<th scope=col>{_html(cell)}</th>" for cell in head)
            body = "".join(f"<tr>{''.join(f'<td>{_html(cell)}</td>' for cell in row)}</tr>" for row in rows)
            return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table></div>'
        case _:
            return f"<p>{_html(block.spans)}</p>"


def _html(spans: Iterable[Span]) -> str:
    return "".join(map(_span_html, spans))


def _span_html(span: Span) -> str:
    text = escape(span.text, quote=False).replace("\n", "<br>")
    if span.kind == "formula":
        text = _formula_html(span.text)
    elif span.kind == "code":
        text = f"<code>{text}</code>"
    text = f"<em>{text}</em>" if span.emphasis else text
    return f"<strong>{text}</strong>" if span.strong else text


def _formula_html(source: str) -> str:
    drawn = formula(source)
    if drawn is None:
        return f"<code>{escape(source)}</code>"
    shapes = drawn.svg[drawn.svg.index("<svg") :].replace("#000000", "currentColor")
    shapes = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->|\n\s*", " ", shapes, flags=re.DOTALL)
    size = f"width:{drawn.width:.2f}em;height:{drawn.height:.2f}em;vertical-align:{-drawn.depth:.2f}em"
    label = f'<svg role="img" aria-label="{escape(source)}" style="{size}" fill="currentColor"'
    return re.sub(r'<svg xmlns:xlink="[^"]*" width="[^"]*" height="[^"]*"', lambda _: label, shapes, count=1)


# --- Markdown and typst -----------------------------------------------------------------------------------------------


def words_markdown(text: str) -> str:
    r"""Own words as Markdown again, with nothing left that a reader of Markdown would run or load.

    Example:
      >>> print(words_markdown("It **fell** <b>.\n\n1. one\n\n![x](http://a/b.png)"))
      It **fell** &lt;b&gt;.
      <BLANKLINE>
      1. one
      <BLANKLINE>
      x (http://a/b.png)
    """
    whole, before = "", ""
    for block in blocks(text):
        gap = "\n" if block.mark and before == "item" else "\n\n"
        whole += (gap if whole else "") + _block_markdown(block)
        before = block.kind if block.mark else ""
    return whole


def _block_markdown(block: Block) -> str:
    from wellfit.report.forms.markdown import fenced
    from wellfit.report.parts import Code

    line = _markdown(block.spans)
    match block.kind:
        case "heading":
            return f"{'#' * max(3, block.depth)} {line}"
        case "code":
            return fenced(Code(block.spans[0].text))
        case "quote":
            return f"> {line}"
        case "item":
            indent = "   " * (block.depth - 1)
            mark = block.mark.replace("•", "-")
            return f"{indent}{mark} {line}" if mark else f"{indent}   {line}"
        case "table":
            head, *rows = ([_markdown(cell) for cell in row] for row in block.rows)
            return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))
        case _:
            return line


def _markdown(spans: Iterable[Span]) -> str:
    return "".join(map(_span_markdown, spans))


def _span_markdown(span: Span) -> str:
    from wellfit.report.forms.markdown import escaped

    if span.kind == "formula" and SET_BY_BROWSER.fullmatch(span.text):
        text = f"${span.text}$"
    elif span.kind != "text":
        ticks = "`" * (1 + max((len(run) for run in re.findall(r"`+", span.text)), default=0))
        pad = " " * ("`" in span.text)
        text = f"{ticks}{pad}{span.text}{pad}{ticks}"
    else:
        text = "  \n".join(map(escaped, span.text.split("\n")))
    mark = "*" * (span.emphasis + 2 * span.strong)
    inner = text.strip(" ")
    if not mark or not inner:
        return text
    return text.replace(inner, f"{mark}{inner}{mark}", 1)


def words_data(text: str) -> list[dict[str, Any]]:
    """Own words as plain data, with formulas set, for the layout of the PDF."""
    return [
        {
            "kind": block.kind,
            "depth": block.depth,
            "mark": block.mark,
            "spans": [_span_data(span) for span in block.spans],
            "rows": [[[_span_data(span) for span in cell] for cell in row] for row in block.rows],
        }
        for block in blocks(text)
    ]


def _span_data(span: Span) -> dict[str, Any]:
    drawn = formula(span.text) if span.kind == "formula" else None
    kind = "code" if span.kind == "formula" and drawn is None else span.kind
    plain = {"text": span.text, "strong": span.strong, "emphasis": span.emphasis, "kind": kind}
    if drawn is None:
        return plain
    return {**plain, "svg": drawn.svg, "width": drawn.width, "height": drawn.height, "depth": drawn.depth}
