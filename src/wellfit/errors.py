"""All errors that a user can see.

    WellfitError                  one clear line: what is wrong, where, how to fix it; exit status 2
    ├── StudyFileError            a study file or a setting: not TOML, an unknown key, a wrong type or range
    │   └── UnknownNameError      an unknown study, data set, model, optimizer ...; suggests the nearest known one
    ├── DataError                 the data: missing, damaged, in a format that wellfit does not read
    │   └── DataNotFoundError     the data set was not found; lists every place tried
    ├── ShapeError                a model that does not fit its input; gives the layer and both shapes
    └── StoreError                the study directory
        ├── OtherStudyError       it holds another study
        ├── StoreBusyError        another process works in it
        └── StoreUnreadableError  it is damaged, of another version, or no study directory

Any other exception is a bug in wellfit, not a mistake of its user.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

__all__ = [
    "DataError",
    "DataNotFoundError",
    "OtherStudyError",
    "ShapeError",
    "StoreBusyError",
    "StoreError",
    "StoreUnreadableError",
    "StudyFileError",
    "UnknownNameError",
    "WellfitError",
    "escaped",
    "nearest",
    "one_line",
    "printable",
]


_SIMILAR: Final = 0.65
"""Share of letters from which a name counts as a misspelling of another: below, iris would be digits."""

_ALIKE: Final = 0.75
"""The same of a name that begins with another letter: below, resnet would be lenet5."""

_LONGEST: Final = 1000
_LIST: Final = 4000
"""Characters of a message."""


class WellfitError(Exception):
    r"""A user's mistake, reported in one line: what is wrong, where, and how to fix it.

    Args:
      message: line breaks and other control characters, for example from a file's name, are shown as in Python's
        strings; of what it quotes, 60 characters are kept; of a message longer than a screen, the middle is left out.

    Example:
      >>> str(WellfitError("a\nb.csv: the file is empty"))
      'a\\nb.csv: the file is empty'
    """

    def __init__(self, message: str = "") -> None:
        super().__init__(printable(_shortened(message)))


class StudyFileError(WellfitError):
    """A study file or a setting that cannot be used."""


_QUOTED: Final = re.compile(r"(?<![\w=])(?<!--set )'((?:[^'\\]|\\.)*)'(?!\w)", re.DOTALL)


def _shortened(message: str) -> str:
    """Keep 60 characters of each quotation, such as a cell or a label; those after an equals sign are to be typed."""
    return _QUOTED.sub(lambda found: found[0] if len(found[1]) <= 60 else f"'{found[1][:57]}...'", message)


class UnknownNameError(StudyFileError):
    """A name that does not exist.

    Args:
      kind: what was looked for, for example ``"study"`` or ``"key"``.
      name: as the user gave it.
      known: the names that exist.
      where: the file, table or option with the name; may be empty.
      instead: what could be given in place of a name; may be empty.

    Example:
      >>> str(UnknownNameError("optimizer", "adm", ["adam", "sgd"]))
      "unknown optimizer 'adm'; did you mean 'adam'? (known: adam, sgd)"
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], where: str = "", instead: str = "") -> None:
        names = sorted(known)
        close = nearest(name, names)
        hint = f"; did you mean {close!r}?" if close else ""
        place = f" in {where}" if where else ""
        super().__init__(
            f"unknown {kind} {name!r}{place}{hint} (known: {', '.join([*names, *filter(None, [instead])])})"
        )


class DataError(WellfitError):
    """Data that cannot be read or trained on."""


class DataNotFoundError(DataError):
    """A data set that was not found; the message lists every place tried, and is therefore longer than others."""

    def __init__(self, message: str) -> None:
        Exception.__init__(self, printable(_shortened(message), _LIST))


class ShapeError(WellfitError):
    """A model whose layers do not fit each other or the data."""


class StoreError(WellfitError):
    """A study directory that cannot be used."""


class OtherStudyError(StoreError):
    """The directory holds another study; nothing in it was changed."""


class StoreBusyError(StoreError):
    """Another process is using the directory."""


class StoreUnreadableError(StoreError):
    """The directory is damaged, was written by another version, or is not a study directory."""


def one_line(error: BaseException) -> str:
    r"""The text of another library's error, on one line of bounded length.

    Example:
      >>> one_line(ValueError("bad\n  header")), one_line(EOFError())
      ('bad header', 'EOFError')
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else f"{text[:197]}..."


def printable(text: str, longest: int = _LONGEST) -> str:
    r"""Escape what is not printable, such as line breaks, and leave out the middle of a text that is too long.

    Example:
      >>> printable("bell \a")
      'bell \\x07'
    """
    text = escaped(text).replace("\n", "\\n").replace("\t", "\\t")
    half = longest // 2
    return text if len(text) <= longest else f"{text[:half]} ... {text[-half:]}"


def escaped(text: str) -> str:
    r"""Show as in Python's strings what could steer a terminal or hide a part of a text; line breaks and tabs stay.

    These are control characters (escape sequences begin with one), marks that reverse the direction of writing, what
    has no width, and halves of characters. Joiners inside of emoji and of scripts that need them stay.

    Example:
      >>> escaped("\x1b[2J cat\u202egpj.\n")
      '\\x1b[2J cat\\u202egpj.\n'
      >>> escaped("\U0001f469\u200d\U0001f52c") == "\U0001f469\u200d\U0001f52c", escaped("a\u200db")
      (True, 'a\\u200db')
    """
    if text.isprintable():
        return text
    return "".join(
        ascii(c)[1:-1] if unicodedata.category(c) in _UNSAFE and not _belongs(c, text, at) else c
        for at, c in enumerate(text)
    )


_UNSAFE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # Unicode's general categories
_JOINERS: Final = "\u200c\u200d"
_VISIBLE: Final = frozenset("\n\t\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd\U000110cd")


def _belongs(c: str, text: str, at: int) -> bool:
    """Whether such a character is a line break, a visible sign, or a joiner between characters that it can join."""
    if c not in _JOINERS:
        return c in _VISIBLE
    around = text[at - 1 : at] + text[at + 1 : at + 2]
    return len(around) == 2 and all(not o.isascii() and o.isprintable() for o in around)


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name most similar to a misspelled one, or None: a name with other letters was not meant.

    Example:
      >>> nearest("fashon-mnist", ["digits", "fashion-mnist"]), nearest("fashion", ["digits", "fashion-mnist"])
      ('fashion-mnist', 'fashion-mnist')
      >>> nearest("iris", ["digits", "fashion-mnist"]) is None, nearest("resnet", ["cnn", "lenet5"]) is None
      (True, True)
    """
    lowered = {k.lower(): k for k in known}
    wanted = name.lower()
    alike = difflib.get_close_matches(wanted, lowered, n=3, cutoff=_SIMILAR)
    surely = difflib.get_close_matches(wanted, lowered, n=3, cutoff=_ALIKE)
    close = [k for k in alike if k[:1] == wanted[:1] or k in surely or wanted in k or k in wanted]
    swapped = [k for k in lowered if sorted(k) == sorted(wanted)]  # letters in another order: sdg for sgd
    one_off = [k for k in lowered if len(k) == len(wanted) and sum(map(str.__ne__, k, wanted)) == 1]  # l3 for l1
    begun = [k for k in lowered if len(wanted) > 2 and k.startswith(wanted)]
    return lowered[found[0]] if (found := [*close, *swapped, *one_off, *begun]) else None
