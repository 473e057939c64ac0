"""The text that a study comes from: TOML files, built-in studies and settings, and the place of each key in them."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final, NoReturn

from wellfit.errors import StudyFileError, UnknownNameError, nearest
from wellfit.files import form_of

__all__ = ["KeyPath", "Source", "builtin_studies", "key_lines", "parse_toml", "read_file", "read_setting"]

KeyPath = tuple[str | int, ...]
"""The path to a value: ``("variants", "dropout", "dropout", 0)``; numbers are positions in a list, from 0."""

MAX_BYTES: Final = 1 << 20  # a study file is about a page; a data file given by mistake is refused before parsing
MAX_STATEMENT: Final = 500  # lines of one value, to keep the search for lines fast
_DEEPEST: Final = 30  # levels of tables and lists
NAMED_TABLES: Final = ("variants", "sweeps")  # tables of tables: [variants.NAME]


@dataclass(frozen=True)
class Source:
    """The text that a study was read from, for the places in error messages.

    Args:
      label: name in error messages: the file as the user gave it, or a few words.
      text: the TOML text; empty for a study that does not come from TOML.
      folder: the folder of the file, to which data paths are relative.
      overrides: path -> label, for values given outside the text; a label is, for example, ``"--set train.l2=1"``.
      prefix: where in the text the study is: ``("parts", "depth")`` for a part, empty for the whole file.
      under: the source of the study that this one extends, if any.
    """

    label: str
    text: str = ""
    folder: Path | None = None
    overrides: Mapping[KeyPath, str] = field(default_factory=dict)
    prefix: KeyPath = ()
    under: Source | None = None

    def table(self, path: KeyPath) -> str:
        """File, line and table of a key, for errors about the key itself."""
        return self._place(path, with_key=False)

    def place(self, path: KeyPath) -> str:
        r"""File, line, table and key of a value, for errors about the value.

        Example:
          >>> Source("lab.toml", "[train]\nl2 = -1").place(("train", "l2"))
          'lab.toml, line 2, [train] l2'
        """
        return self._place(path, with_key=True)

    def builtin(self, path: KeyPath) -> bool:
        """Whether a built-in study gives a value, directly or to a study that extends it."""
        length, source, _ = self._locate(path)
        return length == len(path) and source.folder is None and bool(source.text)

    def refuse(self, path: KeyPath, problem: str) -> NoReturn:
        """Raise a ``StudyFileError`` with the place and the problem in one line."""
        raise StudyFileError(f"{self.place(path)}: {problem}")

    def _place(self, path: KeyPath, *, with_key: bool) -> str:
        for length in range(len(path), 0, -1):
            if path[:length] in self.overrides:
                return self.overrides[path[:length]]
        length, source, line = self._locate(path)
        if length < len(path) and (given := [key for key in self.overrides if key[: len(path)] == path]):
            return self.overrides[given[0]]
        parts = [source.label] if line is None else [source.label, f"line {line}"]
        depth = _depth(path)
        name = _dotted(path[depth:]) if with_key else ""
        head = source.prefix + path[:depth]
        table = f"[{_dotted(head)}]" if head else ""
        if place := f"{table} {name}".strip():
            parts.append(place)
        return ", ".join(parts)

    def _locate(self, path: KeyPath) -> tuple[int, Source, int | None]:
        """How much of a path this text or the one below has, which of the two has more of it, and on which line."""
        lines = key_lines(self.text)
        whole = self.prefix + path
        length = next((n for n in range(len(path), 0, -1) if whole[: n + len(self.prefix)] in lines), 0)
        below = self.under._locate(path) if self.under is not None else None
        if below is not None and below[0] > length:
            return below
        return length, self, lines.get(whole[: length + len(self.prefix)])


def _depth(path: KeyPath) -> int:
    """How many parts of a path name its table; the rest is the key."""
    if path[:1] == ("parts",) and len(path) > 2:
        return 2 + _depth(path[2:])
    return 0 if len(path) < 2 else 2 if path[0] in NAMED_TABLES and len(path) > 2 else 1


def _dotted(path: KeyPath) -> str:
    """A path as written in TOML.

    Example:
      >>> _dotted(("early_stopping", "patience")), _dotted(("hidden", 1))
      ('early_stopping.patience', 'hidden[1]')
    """
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")


def key_lines(text: str) -> dict[KeyPath, int]:
    r"""The line of each table and key of a TOML text, which ``tomllib`` does not report.

    Args:
      text: valid TOML.

    Returns:
      Path -> line, from 1. Keys of an inline table have the line where the whole value begins.

    Example:
      >>> key_lines("a = 1\n[t.u]\nb = [\n 1,\n]\nc = {d = 2}")
      {('a',): 1, ('t',): 2, ('t', 'u'): 2, ('t', 'u', 'b'): 3, ('t', 'u', 'c'): 6, ('t', 'u', 'c', 'd'): 6}
    """
    places: dict[KeyPath, int] = {}
    lines = text.split("\n")
    table: KeyPath = ()
    at = 0
    while at < len(lines):
        statement, end = None, at
        while statement is None and end < min(len(lines), at + MAX_STATEMENT):  # values may span several lines
            end += 1
            try:
                statement = tomllib.loads("\n".join(lines[at:end]))
            except tomllib.TOMLDecodeError:
                continue
        if statement is None:
            break
        is_header = lines[at].lstrip().startswith("[")
        paths = _paths(statement)
        for path in paths:
            places.setdefault(path if is_header else table + path, at + 1)
        if is_header:
            table = paths[-1]
        at = end
    return places


def _paths(table: Mapping[str, Any]) -> list[KeyPath]:
    """All paths in nested tables, parents first."""
    paths: list[KeyPath] = []
    for key, value in table.items():
        paths.append((key,))
        if isinstance(value, dict):
            paths += [(key, *path) for path in _paths(value)]
    return paths


def parse_toml(text: str, label: str) -> dict[str, Any]:
    r"""Parse TOML.

    Args:
      text: the text.
      label: its name in error messages.

    Raises:
      StudyFileError: it is not TOML; gives line and column.

    Example:
      >>> parse_toml("l2 = 1e-3", "lab.toml")
      {'l2': 0.001}
      >>> parse_toml("epochs = 3\nl2 = = 1", "lab.toml")
      Traceback (most recent call last):
        ...
      wellfit.errors.StudyFileError: lab.toml, line 2, column 6: not TOML: Invalid value
    """
    try:
        tables = tomllib.loads(text)
        if _is_deep(tables):
            raise RecursionError
        return tables
    except tomllib.TOMLDecodeError as error:
        match = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", str(error), re.DOTALL)
        what, line, column = match.groups() if match else (str(error), None, None)
        lines = text.split("\n")
        line, column = line or str(len(lines)), column or str(len(lines[-1]) + 1)
        if twice := _twice(what, lines[int(line) - 1]):
            raise StudyFileError(f"{label}, line {line}: {twice}") from None
        raise StudyFileError(f"{label}, line {line}, column {column}: not TOML: {what}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; thousands of nested brackets
        raise StudyFileError(
            f"{label}: not a study file: it contains an absurdly long or deeply nested value"
        ) from None


def _is_deep(value: Any) -> bool:
    """Whether tables and lists are nested beyond what any setting has; found level by level, without recursion."""
    level = [value]
    for _ in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
    return bool(level)


_TWICE: Final = ("Cannot declare", "Cannot overwrite", "Cannot mutate", "Duplicate")
"""How ``tomllib`` begins its complaints about a name that is already there; the rest are Python's terms."""


def _twice(problem: str, line: str) -> str | None:
    """A complaint about a table or key that is already there, in the terms of the file; None for another complaint.

    Example:
      >>> _twice("Cannot declare ('variants', 'baseline') twice", "[variants.baseline]  # again")
      '[variants.baseline] is defined twice; keep one, or rename one'
      >>> _twice("Cannot overwrite a value", "l2 = 3")
      'l2 is defined twice; keep one, or rename one'
    """
    if not problem.startswith(_TWICE):
        return None
    quoted = re.search(r"Duplicate inline table key '(.*)'", problem)
    header = re.match(r"\s*(\[.*\])", line)
    name = quoted[1] if quoted else header[1] if header else line.partition("=")[0].strip()
    return f"{name} is defined twice; keep one, or rename one"


def builtin_studies() -> dict[str, str]:
    """The built-in studies: name -> TOML text, by name.

    Example:
      >>> "regularization" in builtin_studies()
      True
    """
    folder = resources.files("wellfit.spec").joinpath("builtin")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name.removesuffix(".toml"): f.read_text(encoding="utf-8") for f in files}


def read_file(study: str | Path) -> tuple[dict[str, Any], Source]:
    """Read a built-in study or a study file, unchecked.

    Args:
      study: the name of a built-in study, or the path of a TOML file.

    Returns:
      Nested plain data, and their source.

    Raises:
      UnknownNameError: neither a built-in study nor a file.
      StudyFileError: a file that cannot be read or is not TOML.
    """
    known = builtin_studies()
    if isinstance(study, str) and study in known:
        source = Source(f"{study}.toml (built in)", known[study])
        return parse_toml(source.text, source.label), source
    path = Path(study)
    try:
        exists = path.exists()
    except (OSError, ValueError) as error:  # no valid file name: too long, or with a null character
        raise StudyFileError(
            f"{str(study)[:60]!r}: cannot be a file: {getattr(error, 'strerror', None) or error}"
        ) from None
    if not exists:
        bare = path.suffix != ".toml" and len(path.parts) < 2
        if not (bare and nearest(str(study), known)):
            close = nearest(path.name, [file.name for file in path.parent.glob("*.toml")])
            if close is not None:
                raise StudyFileError(f"{study}: no such file; did you mean {str(path.with_name(close))!r}?")
        if bare:
            raise UnknownNameError("study", str(study), known, instead="or a .toml file")
        raise StudyFileError(f"{study}: no such file (built-in studies: {', '.join(known)})")
    try:
        if path.is_dir():
            raise StudyFileError(
                f"{study}: a folder, not a study file; give a .toml file, or one of {', '.join(known)}"
            )
        if (form := form_of(path)) not in ("a file", "a folder"):  # a pipe would wait forever, a device may never end
            raise StudyFileError(f"{study}: {form}, not a file; copy what it gives to a file")
        if path.stat().st_size > MAX_BYTES:
            raise StudyFileError(f"{study}: larger than a megabyte, so not a study file, which is about a page of TOML")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise StudyFileError(f"{study}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise StudyFileError(f"{study}: not TOML: byte {error.start} is not UTF-8") from None
    text = text.replace("\r\n", "\n")
    return {"name": path.stem} | parse_toml(text, str(study)), Source(str(study), text, path.parent)


_KEY: Final = re.compile(r"""\s*(?:"([^"]+)"|'([^']+)'|([^\s.="']+))\s*([.=])""")


def read_setting(text: str) -> tuple[KeyPath, Any]:
    """Parse ``KEY=VALUE`` as given to ``--set``.

    Args:
      text: a dotted key, quoted where a name contains a dot or ``=``, and a TOML value; a bare word is a string.

    Returns:
      The path of the key, and the value.

    Raises:
      StudyFileError: no key, no value, or a value that is not TOML.

    Example:
      >>> read_setting("model.hidden=[64, 32]")
      (('model', 'hidden'), [64, 32])
      >>> read_setting("variants.'l2=0.1'.optimizer = sgd")
      (('variants', 'l2=0.1', 'optimizer'), 'sgd')
    """
    path: list[str | int] = []
    at = 0
    while match := _KEY.match(text, at):
        path.append(next(group for group in match.groups()[:3] if group))
        at = match.end()
        if match[4] == "=":
            break
    value = text[at:].strip()
    if not path or text[at - 1] != "=" or not value:
        raise StudyFileError(f"--set {text}: not KEY=VALUE; for example, --set train.batch_size=64")
    try:
        parsed = tomllib.loads(f"value = {value}")
        if _is_deep(parsed):
            raise RecursionError
    except (ValueError, RecursionError):
        parsed = {} if value[0] in "[{\"'" or "\n" in value else {"value": value}
    if parsed.keys() != {"value"}:
        raise StudyFileError(f"--set {text}: {value!r} is not a TOML value (64, 1e-3, [128, 64], true or a word)")
    return tuple(path), parsed["value"]
