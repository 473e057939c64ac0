"""The text of an architecture: ``config.json`` in a ``.keras`` file, or a file with the JSON of ``model.to_json()``.

A file may come from a stranger. It is read within limits, and nothing in it can run: no class of Keras is made, nothing
is unpickled, and the weights are not looked at.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any, Final, NoReturn

from wellfit.data.arrays.npz import DAMAGE
from wellfit.data.limits import raised, remedy
from wellfit.errors import StudyFileError, one_line
from wellfit.files import form_of, read_plain

__all__ = ["read_architecture", "tables_of"]

_MOST_BYTES: Final = 2**28  # weights and the state of an optimizer included
_MOST_TEXT: Final = 2**22  # a layer takes about a kilobyte
_MOST_MEMBERS: Final = 1000  # Keras writes three
_HDF5: Final = b"\x89HDF\r\n"
_MEMBER: Final = "config.json"
_MOST_DIGITS: Final = 18  # seeds are the longest; integers of hundreds of digits are no floats


def read_architecture(path: Path) -> tuple[dict[str, Any], str]:
    """The architecture in a file, as nested plain data, and the SHA-256 of the file.

    Args:
      path: of a ``.keras`` file, or of a JSON file.

    Raises:
      StudyFileError: it cannot be read, is no such file, or is larger than the limits; says why and how to fix it.
    """
    content = _content(path)
    if content.startswith(_HDF5):
        refuse(path, 'an HDF5 file of older versions of Keras; save the model again: model.save("model.keras")')
    text = _member(path, content) if content.startswith(b"PK") else content
    if len(text) > raised(_MOST_TEXT):
        refuse(
            path,
            f"its architecture takes more than {_MOST_TEXT >> 20} MiB of text, far more than any network that wellfit "
            f"trains; {remedy(len(text), _MOST_TEXT)}",
        )
    return tables_of(text, str(path)), hashlib.sha256(content).hexdigest()


def refuse(place: object, problem: str) -> NoReturn:
    """Raise a ``StudyFileError`` with a place and the problem in one line."""
    raise StudyFileError(f"{place}: {problem}")


def tables_of(text: str | bytes, where: str) -> dict[str, Any]:
    """Nested plain data from JSON.

    Args:
      text: JSON, encoded as UTF-8 if it is bytes.
      where: its name in errors.

    Raises:
      StudyFileError: it is not JSON, nested too deeply, not an object, or has an integer of more than 18 digits.

    Example:
      >>> tables_of('{"class_name": "Sequential"}', "model.json")
      {'class_name': 'Sequential'}
    """

    def integer(written: str) -> int:
        if (digits := len(written.lstrip("-"))) > _MOST_DIGITS:
            refuse(where, f"an integer of {digits:,} digits; no option of a layer has more than {_MOST_DIGITS}")
        return int(written)

    try:
        decoded = text if isinstance(text, str) else text.decode("utf-8-sig")
        tables = json.loads(decoded, parse_constant=_no_number, parse_int=integer)
    except (ValueError, RecursionError, MemoryError) as error:
        refuse(where, f"holds no architecture of Keras: not JSON ({one_line(error)}); {_SAVE}")
    if not isinstance(tables, dict):
        refuse(where, f"holds no architecture of Keras: a JSON object is needed; {_SAVE}")
    return tables


_SAVE: Final = 'save the model again: model.save("model.keras")'


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _content(path: Path) -> bytes:
    try:
        form = form_of(path)
        if form is None:
            refuse(path, "no such file; give the path of a .keras file")
        if form != "a file":
            refuse(path, f"{form}, not a file; give the path of a .keras file")
        return read_plain(path.resolve(), raised(_MOST_BYTES))
    except OSError as error:
        fix = "for a network with large weights, give its architecture alone, as model.to_json() has it"
        refuse(path, f"cannot be read: {error.strerror or one_line(error)}; {fix}")


def _member(path: Path, content: bytes) -> bytes:
    """The text of a member of an archive, at most one byte more than the limit."""
    if content.count(b"PK\x01\x02") > _MOST_MEMBERS:  # before zipfile makes an object of each
        refuse(path, f"not a file that Keras saved: an archive of more than {_MOST_MEMBERS:,} files; {_SAVE}")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if _MEMBER not in archive.namelist():
                refuse(path, f"not a file that Keras saved: an archive without {_MEMBER}; {_SAVE}")
            info = archive.getinfo(_MEMBER)
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                refuse(path, f"not a file that Keras saved: {_MEMBER} is compressed in another way; {_SAVE}")
            with archive.open(info) as file:
                return file.read(raised(_MOST_TEXT) + 1)
    except DAMAGE as error:
        refuse(path, f"a damaged archive ({one_line(error)}); {_SAVE}")
