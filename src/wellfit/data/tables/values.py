"""The cells of one column: numbers, texts, truth values, dates, or numbers with signs around them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wellfit.base import IntArray
from wellfit.data.tables.cells import is_missing, is_number
from wellfit.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Meaning",
    "Texts",
    "is_date",
    "is_numeric",
    "join",
    "meaning_of",
    "numbers_of",
    "one_spelling",
    "plain_number",
    "texts_of",
]

_DATES: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}([T ].*)?"
    r"|\d{1,2}[/.-]\d{1,2}[/.-](\d{2}|\d{4})( .*)?"
    r"|\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?[ap]m)?"
    r"|\d{1,2}[- ]?[a-z]{3,9}[- ,]*\d{2,4}"
    r"|[a-z]{3,9} \d{1,2},? \d{4}( .*)?",
    re.IGNORECASE,
)
_GROUPED: Final = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?")
_DECORATED: Final = re.compile(r"([+-]?)\s*([$€£¥₹]?)\s*([+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*(%|[$€£¥₹]|[^\W\d_]{1,5})?")
_TRUTH: Final = frozenset(("true", "false"))
_SAMPLE: Final = 1000  # texts that decide where there are more
_FEW: Final = 20  # different texts that need no further thought
_WORDS: Final = 2  # different words that may stand for missing numbers


@dataclass(frozen=True, eq=False)
class Texts:
    """The cells of a column of texts.

    Args:
      codes: positions in ``texts``, -1 where a value is missing.  # (N,)
      texts: the different texts, without spaces around them, in the order of their appearance.
    """

    codes: IntArray
    texts: tuple[str, ...]

    def counts(self) -> IntArray:
        """How often each text occurs.  # (len(texts),)"""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.texts))


@dataclass(frozen=True, eq=False)
class Meaning:
    """What the texts of a column are.

    Args:
      kind: "numbers"; "truth" (true or false); "dates"; "categories"; "free" (a different text in most rows);
        "empty"; or "faulty" (numbers, but for a few cells).
      values: for "numbers" and "truth", the number that each text is.  # (len(texts),)
      sign: what was left out around the numbers, for people; otherwise "".
      unit: the sign or unit itself, "%" or "kg"; otherwise "".
      fault: for "faulty", the first text that is not a number.
    """

    kind: Literal["numbers", "truth", "dates", "categories", "free", "empty", "faulty"]
    values: NDArray[np.float64] | None = None
    sign: str = ""
    unit: str = ""
    fault: str = ""


def is_numeric(column: pd.Series[Any]) -> bool:
    """Whether a column holds numbers, not truth values."""
    kind = getattr(column.dtype, "kind", "O")
    return kind in "iuf"


def is_date(column: pd.Series[Any]) -> bool:
    """Whether a column holds dates, times or periods as pandas has them."""
    kind = getattr(column.dtype, "kind", "O")
    if kind in "iuf":
        return False
    return kind in "mM" or str(column.dtype).startswith(("period", "date", "time"))


def numbers_of(column: pd.Series[Any], missing: tuple[str, ...]) -> NDArray[Any]:
    """The numbers of a numeric column, NaN where a value is missing, infinite, or a number in ``missing``.

    Returns:
      Whole numbers in their own type if none is missing, otherwise floats.  # (N,)
    """
    if isinstance(column.dtype, np.dtype):
        numbers = column.to_numpy()
    else:
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan) if column.isna().any() else column.to_numpy()
    if numbers.dtype.kind not in "iuf":
        numbers = numbers.astype(np.float64)
    if numbers.dtype.kind == "f":
        finite = np.isfinite(numbers)
        if not finite.all():
            numbers = np.where(finite, numbers, np.nan)
    absent = [float(text) for text in missing if is_number(text)]
    if absent and (found := np.isin(numbers, absent)).any():
        numbers = np.where(found, np.nan, numbers.astype(np.float64))
    return numbers


def texts_of(column: pd.Series[Any], missing: tuple[str, ...], keep: frozenset[str] = frozenset()) -> Texts:
    """The texts of a column, stripped; missing ones are recognized.

    Args:
      missing: the user's further texts that mean a missing value.
      keep: texts that are values here, although they usually mean that a value is missing, such as "-" beside "+".

    Raises:
      DataError: cells that are lists, tables or other objects.
    """
    import pandas as pd

    try:
        codes, found = pd.factorize(column)
        uniques: list[Any] = list(found)
    except (TypeError, ValueError):
        raise DataError("its cells are lists or other objects; give one number or text per cell") from None
    absent = {text.strip() for text in missing}
    numbers = {float(text) for text in absent if is_number(text)}
    final: dict[str, int] = {}
    to = np.full(len(uniques) + 1, -1)  # the last serves the code -1
    for at, value in enumerate(uniques):
        text = _text(value)
        lost = text in absent or (is_number(text) and float(text) in numbers)
        if not lost and (text in keep or not is_missing(text)):
            to[at] = final.setdefault(text, len(final))
    return Texts(to[codes], tuple(final))


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace").strip()
    if isinstance(value, (float, np.floating)) and (number := float(value)).is_integer() and abs(number) < 2**53:
        return str(int(number))
    return str(value).strip()


def one_spelling(columns: list[Texts]) -> list[Texts]:
    """Spell the numbers among the texts alike: where all cells of a set are numbers, 1.0 has become 1 and 2.50 2.5.

    Example:
      >>> [c.texts for c in one_spelling([Texts(np.arange(2), ("1.0", "x")), Texts(np.arange(2), ("1", "2.50"))])]
      [('1', 'x'), ('1', '2.5')]
    """
    return [_merged(column.codes, [plain_number(text) for text in column.texts]) for column in columns]


def plain_number(text: str) -> str:
    """A text, or a number in its shortest form; texts such as 007 and 01.5 are no numbers.

    Example:
      >>> plain_number("2.50"), plain_number("1.0"), plain_number("01.5")
      ('2.5', '1', '01.5')
    """
    return _text(float(text)) if "." in text and is_number(text) and not re.match(r"[+-]?0\d", text) else text


def _merged(codes: IntArray, texts: list[str]) -> Texts:
    """Texts of which several may be the same."""
    final: dict[str, int] = {}
    to = np.array([*(final.setdefault(text, len(final)) for text in texts), -1], dtype=np.int64)
    return Texts(to[codes], tuple(final))


def join(columns: list[Texts]) -> list[Texts]:
    """Give the same column of several sets common texts, sorted.

    Example:
      >>> one, two = Texts(np.array([0, 1]), ("b", "a")), Texts(np.array([0]), ("c",))
      >>> [(j.codes.tolist(), j.texts) for j in join([one, two])]
      [([1, 0], ('a', 'b', 'c')), ([2], ('a', 'b', 'c'))]
    """
    texts = tuple(sorted({text for column in columns for text in column.texts}))
    place = {text: at for at, text in enumerate(texts)}
    joined = []
    for column in columns:
        to = np.array([*(place[text] for text in column.texts), -1], dtype=np.int64)
        joined.append(Texts(to[column.codes], texts))
    return joined


def meaning_of(column: Texts, *, grouped: bool = False) -> Meaning:
    """Decide what the texts of a column are.

    Args:
      grouped: whether a comma between digits is known to group thousands; otherwise a number must show it.

    Example:
      >>> meaning_of(Texts(np.arange(2), ("12%", "7%"))).values.tolist()
      [12.0, 7.0]
      >>> meaning_of(Texts(np.array([0, 1, 1]), ("no", "yes"))).kind
      'categories'
    """
    texts, counts = column.texts, column.counts()
    rows = int(counts.sum())
    if not rows:
        return Meaning("empty")
    if {text.lower() for text in texts} <= _TRUTH:
        return Meaning("truth", np.array([float(text.lower() == "true") for text in texts]))
    some = texts[:_SAMPLE]
    if len(texts) > _SAMPLE and not any(is_number(text) or _DECORATED.fullmatch(text) for text in some):
        return Meaning("dates" if sum(map(bool, map(_DATES.fullmatch, some))) >= 0.9 * _SAMPLE else "free")
    plain = np.array([is_number(text) for text in texts])
    if plain.all():
        return Meaning("numbers", np.array([float(text) for text in texts]))
    signed = _signed(texts, sure=grouped)
    if signed is not None:
        return signed
    if sum(counts[at] for at, text in enumerate(texts) if _DATES.fullmatch(text)) >= 0.9 * rows:
        return Meaning("dates")
    # Many different numbers and one or two words: the words stand for missing values, however often they occur.
    words = plain.sum() > _FEW and (~plain).sum() <= _WORDS
    coded = len(texts) <= _FEW and (counts[~plain] >= max(3, rows // 50)).all()
    if words or (counts[plain].sum() >= 0.8 * rows and not coded):
        return Meaning("faulty", fault=texts[int(np.argmin(plain))])
    commas = [text for text in texts if re.fullmatch(r"[+-]?\d+(,\d+)+(\.\d+)?", text)]
    if commas and len(commas) + plain.sum() == len(texts):
        return Meaning("faulty", fault=commas[0])
    if len(texts) > _FEW and sum(_DECORATED.fullmatch(text) is not None for text in texts) > 0.8 * len(texts):
        digits = [at for at, text in enumerate(texts) if re.match(r"\d+,\d|[$€£¥₹]|\d+ ?%", text)]
        if digits:
            return Meaning("faulty", fault=texts[digits[0]])
    if len(texts) == rows > 2 or (len(texts) > _FEW and len(texts) > rows / 2) or len(texts) > 500:
        return Meaning("free")
    return Meaning("categories")


def _signed(texts: tuple[str, ...], *, sure: bool) -> Meaning | None:
    """Numbers with thousands separators, or with one and the same currency, percent sign or unit around all of them."""
    matches = [_DECORATED.fullmatch(text) for text in texts]
    if not all(matches):
        return None
    found = [(m.group(1), m.group(2), m.group(3), m.group(4) or "") for m in matches if m is not None]
    numbers = [number for _, _, number, _ in found]
    if not all(is_number(number) or _GROUPED.fullmatch(number) for number in numbers):
        return None
    signs = {before + after for _, before, _, after in found}
    if len(signs) > 1:
        return None
    sign = signs.pop()
    grouped = any("," in number for number in numbers)
    # "1,065" alone may be 1.065; a plain number of three digits, or "1,065.5", shows that it is 1065.
    if (
        grouped
        and not (sign or sure)
        and not any("." in n or n.count(",") > 1 or len(n.lstrip("+-")) == 3 for n in numbers)
    ):
        return None
    values = np.array([float(minus + number.replace(",", "")) for minus, _, number, _ in found])
    shown = [f"{sign!r} left out"] if sign else []
    shown += ["the comma in 1,000 left out"] if grouped else []
    return Meaning("numbers", values, sign=" and ".join(shown), unit=sign)
