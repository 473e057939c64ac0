"""The text of a table's file: what is compressed is unpacked within bounds, and every encoding becomes UTF-8."""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import lzma
import os
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from wellfit.data.limits import raised, remedy
from wellfit.errors import DataError, one_line
from wellfit.files import form_of

__all__ = ["MAX_BYTES", "archive_members", "read_bytes", "regular_file", "to_utf8", "unpack"]

MAX_BYTES: Final = 4 << 30
"""The largest file, and the largest content of a compressed file, in bytes."""

_CHUNK: Final = 1 << 20
_UNSUSPECTED: Final = 64 << 20  # a compressed file may grow to this without further questions
_RATIO: Final = 50  # tables of numbers shrink to a half or a tenth; what shrinks more than this may be a bomb
_XZ_MEMORY: Final = 256 << 20
_BAD = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    ValueError,
)

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_TABLES = (
    (b"\x89HDF", "an HDF5 file"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an Excel file of the old format (.xls); save it as .xlsx or .csv"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file; decompress it"),
    (b"7z\xbc\xaf", "a 7-Zip archive; extract it"),
    (b"Rar!", "a RAR archive; extract it"),
    (b"{\\rtf", "an RTF document; save it as .csv"),
)


def regular_file(path: Path) -> os.stat_result:
    """Refuse what is not a plain file: reading a pipe or a device may never end.

    Raises:
      DataError: a folder, pipe, device or socket, or a file of more than ``MAX_BYTES``.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give the path of a file") from None
    if (form := form_of(path)) != "a file":
        raise DataError(f"{path}: {form}, not a file; copy the table to a file")
    if found.st_size > raised(MAX_BYTES):
        raise DataError(
            f"{path}: has {found.st_size / 2**30:.1f} GiB, but tables of up to {raised(MAX_BYTES) >> 30} GiB are read; "
            f"take a sample of the rows, or, {remedy(found.st_size, MAX_BYTES)}"
        )
    return found


def read_bytes(path: Path, most: int | None = None) -> bytes:
    """The content of a plain file, as it is: its first bytes.

    Raises:
      DataError: not a plain file, too large, or not readable.
    """
    regular_file(path)
    try:
        with path.open("rb") as file:
            return file.read(raised(MAX_BYTES) if most is None else most)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); change its permissions or copy it") from None


def unpack(content: bytes, where: str) -> bytes:
    """Undo gzip, bzip2, xz, or a zip archive of one file, whatever the file's name says.

    Args:
      content: of the file; returned unchanged if it is not compressed.
      where: the file, for error messages.

    Raises:
      DataError: damaged or encrypted, an archive of several files, or a content beyond all proportion.

    Example:
      >>> unpack(gzip.compress(b"cat,1"), "a.csv")
      b'cat,1'
    """
    for _ in range(3):  # a .csv.gz inside a zip archive
        try:
            if content.startswith(b"\x1f\x8b"):
                content = _bounded(gzip.GzipFile(fileobj=io.BytesIO(content)), len(content), where)
            elif content.startswith(b"BZh"):
                content = _bounded(bz2.BZ2File(io.BytesIO(content)), len(content), where)
            elif content.startswith(b"\xfd7zXZ\0"):
                content = _joined(_xz_chunks(content), len(content), where)
            elif content.startswith(b"PK\x03\x04"):
                content = _only_member(content, where)
            else:
                break
        except _BAD as error:
            raise DataError(f"{where}: cannot be unpacked ({one_line(error)}); replace the file") from None
    if content[257:262] == b"ustar":
        raise DataError(f"{where}: a tar archive; extract it and give the table's path")
    return content


def _bounded(file: IO[bytes] | gzip.GzipFile, packed: int, where: str) -> bytes:
    with file:
        return _joined(iter(lambda: file.read(_CHUNK), b""), packed, where)


def _joined(chunks: Iterator[bytes], packed: int, where: str) -> bytes:
    usual = min(MAX_BYTES, max(_UNSUSPECTED, packed * _RATIO))
    limit = raised(usual)
    whole = bytearray()
    for chunk in chunks:
        whole += chunk
        if len(whole) > limit:
            raise DataError(
                f"{where}: its {packed:,} bytes unpack to more than {limit >> 20:,} MiB; "
                f"if that is right, decompress the file first, or, {remedy(0, usual)}"
            )
    return bytes(whole)


def _xz_chunks(content: bytes) -> Iterator[bytes]:
    """LZMAFile cannot bound the memory that a file's header asks for."""
    while content:
        stream = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_MEMORY)
        chunk = stream.decompress(content, _CHUNK)
        while chunk or not stream.eof:
            yield chunk
            if stream.eof:
                break
            chunk = stream.decompress(b"", _CHUNK)
            if not chunk and not stream.eof and stream.needs_input:
                raise EOFError("the file ends too early")
        content = stream.unused_data.lstrip(b"\0")


def archive_members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The files of a zip archive, without folders and what file managers add."""
    return [
        info
        for info in archive.infolist()
        if info.filename
        and not info.is_dir()
        and not info.filename.startswith("__MACOSX")
        and not Path(info.filename).name.startswith(".")
    ]


def _only_member(content: bytes, where: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive_members(archive)
        if len(members) != 1:
            names = ", ".join(info.filename for info in members[:5]) + (", ..." if len(members) > 5 else "")
            raise DataError(
                f"{where}: the archive holds {len(members)} files{f' ({names})' if names else ''}; "
                "extract it and give the path of the table or of its folder"
            )
        return _bounded(archive.open(members[0]), len(content), where)


# --- Encoding ---------------------------------------------------------------------------------------------------------


def to_utf8(content: bytes, encoding: str | None, where: str) -> tuple[bytes, str]:
    r"""Convert text of any usual encoding to UTF-8, with line feeds between its lines.

    Args:
      content: of the file, unpacked.
      encoding: the user's setting; None to detect UTF-8, UTF-16, UTF-32, Latin-1 and Windows-1252.
      where: the file, for error messages.

    Returns:
      The text as UTF-8 without a byte order mark, and the encoding's name where it was not UTF-8, otherwise "".

    Raises:
      DataError: not text, or not in the given encoding.

    Example:
      >>> to_utf8("caf\u00e9,1\r\n".encode("latin-1"), None, "a.csv")
      (b'caf\xc3\xa9,1\n', 'Latin-1')
    """
    kind = next((name for magic, name in _NO_TABLES if content.startswith(magic)), None)
    if kind is not None:
        raise DataError(f"{where}: not a text table but {kind}")
    content, name = _decoded(content, encoding, where)
    if content[:200].lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        raise DataError(f"{where}: a web page, not a table; download the file itself again")
    content = content.removesuffix(b"\x1a")  # DOS ends files so
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise DataError(f"{where}: line {line} has a null character; the file is damaged or not text: replace it")
    start = content[:4096]
    if sum(byte < 32 and byte not in b"\t\n\r\f" for byte in start) > len(start) // 50:
        raise DataError(f"{where}: not a text file; give a table as .csv, .tsv, .parquet or .xlsx")
    if b"\r" in content:
        content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return content, name


def _decoded(content: bytes, encoding: str | None, where: str) -> tuple[bytes, str]:
    """The text as UTF-8, and the name of its encoding where that is worth saying."""
    mark, found = next(((bom, name) for bom, name in _BOMS if content.startswith(bom)), (b"", ""))
    content = content[len(mark) :]
    if encoding is not None:
        return _transcoded(content, found or encoding, where), ""
    if not found and content.isascii() and b"\0" not in content[:4096]:
        return content, ""
    name = found or _guess(content, where)
    titles = {"utf-8": "", "latin-1": "Latin-1", "cp1252": "Windows-1252"}
    return _transcoded(content, name, where), titles.get(name, name.upper().removesuffix("-LE").removesuffix("-BE"))


def _transcoded(content: bytes, encoding: str, where: str) -> bytes:
    try:
        if "escape" in codecs.lookup(encoding).name:  # Python's own, which reads programs
            raise LookupError
        text = content.decode(encoding)
    except LookupError:
        raise DataError(
            f'{where}: unknown encoding {encoding!r}; set [data] encoding to "utf-8" or "latin-1"'
        ) from None
    except UnicodeError as error:
        line = content.count(b"\n", 0, getattr(error, "start", 0)) + 1
        raise DataError(
            f'{where}: line {line} is not text in {encoding.upper()}; set [data] encoding = "latin-1", or save it so'
        ) from None
    return text.encode("utf-8", errors="replace")


def _guess(content: bytes, where: str) -> str:
    """UTF-16 has a zero in every second byte; UTF-8 is recognized by its strict form; the rest is Western European."""
    start = content[:4096]
    for name, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if zeros and zeros.count(0) > 0.8 * len(zeros) and others.count(0) < 0.1 * len(others):
            return name
    try:
        content.decode()
    except UnicodeDecodeError as error:
        text = content.decode(errors="replace")
        broken = text.count("�")
        if sum(not c.isascii() for c in text) > 2 * broken:  # UTF-8 with a few damaged characters
            line = content.count(b"\n", 0, error.start) + 1
            raise DataError(
                f"{where}: line {line} is not UTF-8 like the rest; save the file again, or set [data] encoding"
            ) from None
        high = {byte for byte in set(content) if 0x80 <= byte < 0xA0}
        return "cp1252" if high and not high & {0x81, 0x8D, 0x8F, 0x90, 0x9D} else "latin-1"
    return "utf-8"
