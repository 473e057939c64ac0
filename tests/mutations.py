"""Damaged, hostile and odd inputs for the readers, each made from one number alone.

A seed makes one file or folder and the settings that it is read with: a valid file of some form (``originals``),
changed in one to four ways.
"""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import lzma
import os
import random
import re
import zlib
from collections.abc import Callable
from pathlib import Path

from odd_values import DTYPES, EXTREMES, NAMES, SETTINGS, SHAPES, SUFFIXES, TEXTS
from originals import fixed_zip, originals, pictures, zip_members
from wellfit.base import Reading


@dataclasses.dataclass(frozen=True)
class Input:
    """What ``load_dataset`` is called with, and in a few words how it was made."""

    path: Path
    reading: Reading
    told: str


def make_input(seed: int, folder: Path) -> Input:
    """Write the input of one seed below an empty folder."""
    chance = random.Random(seed)
    told: list[str] = []
    settings = {}
    if chance.random() < 0.4:
        for name in chance.sample(sorted(SETTINGS), chance.choice((1, 1, 2, 3))):
            settings[name] = chance.choice(SETTINGS[name])
    kind = chance.choices((_file, _pictures, _idx_folder, _tables_folder), (12, 5, 1, 2))[0]
    path = kind(chance, folder, told)
    if settings:
        told.append(f"settings {settings}")
    return Input(path, Reading(**settings), "; ".join(told))


# --- Files and folders ------------------------------------------------------------------------------------------------


def _file(chance: random.Random, folder: Path, told: list[str]) -> Path:
    """A single file, in one case out of eight with the suffix of another form."""
    name = chance.choice(sorted(originals()))
    told.append(name)
    content = _mutated(chance, originals()[name], told)
    if chance.random() < 0.12:
        name = "renamed" + chance.choice(SUFFIXES)
        told.append(f"as {name}")
    path = folder / name
    path.write_bytes(content)
    return path


def _pictures(chance: random.Random, folder: Path, told: list[str]) -> Path:
    """A folder of images of one size, in some of the usual layouts, a few of them mutated, with other things about."""
    root = folder / "pictures"
    levels = chance.choice(
        ((), (), ("train", "test"), ("Training", "valid", "Testing"), ("wrapper",), tuple("abcdefgh"))
    )
    names = sorted(pictures()) if chance.random() < 0.5 else ["gray.png", "palette.png", "plain.pgm"]
    for level in levels or ("",):
        deep = root.joinpath(*"abcdefgh") if levels and levels[0] == "a" else root / level
        for label in ("cat", "dog"):
            (deep / label).mkdir(parents=True, exist_ok=True)
            for at, name in enumerate(chance.sample(names, min(3, len(names)))):
                (deep / label / f"{at}-{name}").write_bytes(pictures()[name])
    files = sorted(root.rglob("*.*"))
    for file in chance.sample(files, chance.choice((0, 1, 1, 2, len(files)))):
        told.append(str(file.relative_to(root)))
        file.write_bytes(_mutated(chance, file.read_bytes(), told))
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        _add_odd(
            chance,
            chance.choice([root, *sorted(p for p in root.rglob("*") if p.is_dir() and not p.is_symlink())]),
            told,
        )
    return root


def _idx_folder(chance: random.Random, folder: Path, told: list[str]) -> Path:
    for name in sorted(n for n in originals() if "ubyte" in n):
        content = originals()[name]
        if chance.random() < 0.5:
            told.append(name)
            content = _mutated(chance, content, told)
        (folder / name).write_bytes(content)
    return folder


def _tables_folder(chance: random.Random, folder: Path, told: list[str]) -> Path:
    """Two or three tables with the names of a training, a validation and a test set, alike or not."""
    text = [n for n in sorted(originals()) if n.endswith((".csv", ".parquet", ".csv.gz", ".npy"))]
    first = chance.choice(text)
    for part in ("train", chance.choice(("test", "Test", "val")), *(("val",) if chance.random() < 0.3 else ())):
        name = first if chance.random() < 0.7 else chance.choice(text)
        told.append(f"{part} = {name}")
        content = originals()[name] if chance.random() < 0.5 else _mutated(chance, originals()[name], told)
        (folder / f"{part}.{name.partition('.')[2]}").write_bytes(content)
    if chance.random() < 0.2:
        _add_odd(chance, folder, told)
    return folder


def _add_odd(chance: random.Random, place: Path, told: list[str]) -> None:
    """Add what lies about in real folders, or what a hostile one has."""
    kind = chance.choice(
        ("file", "empty", "folder", "loop", "nowhere", "pipe", "locked", "up", "deep", "bytes", "device")
    )
    suffix = {"empty": ".png", "locked": ".png", "device": ".png", "pipe": chance.choice((".png", ".csv"))}.get(
        kind, ""
    )
    path = place / (chance.choice(NAMES) + suffix)
    told.append(f"{kind} {path.name[:20]!r}")
    if path.exists() or path.is_symlink():
        return
    if kind == "file":
        path.write_bytes(chance.randbytes(chance.choice((1, 50))))
    elif kind in ("empty", "locked"):
        path.touch(mode=0 if kind == "locked" else 0o666)
    elif kind in ("folder", "deep"):
        path.joinpath(*(["d"] * 60 if kind == "deep" else [])).mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "bytes":
        Path(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.png")).write_bytes(pictures()["gray.png"])
    else:
        path.symlink_to({"loop": path.name, "nowhere": "/nothing/there", "up": "..", "device": "/dev/zero"}[kind])


# --- Bytes ------------------------------------------------------------------------------------------------------------


def _mutated(chance: random.Random, content: bytes, told: list[str]) -> bytes:
    """Change content in one to four ways; inside of its compression in half of the cases, so that checksums hold."""
    if chance.random() < 0.5:
        for head, unpack, pack in (
            (b"\x1f\x8b", gzip.decompress, _gzip),
            (b"BZh", bz2.decompress, bz2.compress),
            (b"\xfd7zXZ", lzma.decompress, lzma.compress),
        ):
            if content.startswith(head):
                told.append("inside")
                return pack(_changed(chance, unpack(content), told))
        if content.startswith(b"PK\3\4"):
            members = zip_members(content)
            name = chance.choice(sorted(members))
            told.append(f"inside {name}")
            members[name] = _changed(chance, members[name], told)
            return fixed_zip(_edited(chance, members))
        if content.startswith(b"\x89PNG"):
            return _png(chance, content, told)
    return _changed(chance, content, told)


def _changed(chance: random.Random, content: bytes, told: list[str]) -> bytes:
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        changes = [*BINARY, *TEXTUAL] if b"\0" in content[:200] else [*BINARY, *TEXTUAL, *TEXTUAL, *TEXTUAL]
        if content.startswith(b"\x93NUMPY"):
            changes += [_header] * 8
        change = chance.choice(changes)
        told.append(change.__name__.strip("_"))
        content = change(chance, content)
    return content


def _flip(chance: random.Random, content: bytes) -> bytes:
    data = bytearray(content)
    for _ in range(chance.choice((1, 1, 3, 20))):
        if data:
            data[_place(chance, data)] ^= 1 << chance.randrange(8)
    return bytes(data)


def _cut(chance: random.Random, content: bytes) -> bytes:
    return content[: chance.choice((0, 1, 4, len(content) - 1, chance.randint(0, len(content))))]


def _splice(chance: random.Random, content: bytes) -> bytes:
    other = chance.choice(sorted((originals() | pictures()).items()))[1]
    return content[: _place(chance, content)] + other[_place(chance, other) :]


def _repeat(chance: random.Random, content: bytes) -> bytes:
    start = _place(chance, content)
    block = content[start : start + chance.choice((1, 4, 100, 1000))]
    return content[:start] + block * chance.choice((2, 2, 10, 300)) + content[start:]


def _lose(chance: random.Random, content: bytes) -> bytes:
    start = _place(chance, content)
    return content[:start] + content[start + chance.choice((1, 2, 4, 50)) :]


def _length(chance: random.Random, content: bytes) -> bytes:
    """Write an extreme number over two, four or eight bytes."""
    size, start = chance.choice((2, 4, 4, 8)), _place(chance, content)
    number = chance.choice([n for n in EXTREMES if n < 1 << 8 * size])
    return content[:start] + number.to_bytes(size, chance.choice(("little", "big"))) + content[start + size :]


def _insert(chance: random.Random, content: bytes) -> bytes:
    start, text = _place(chance, content), chance.choice(TEXTS)
    encoding = chance.choice(("utf-8", "utf-8", "latin-1", "utf-16-le"))
    return (
        content[:start] + text.encode(encoding, "surrogatepass" if "utf" in encoding else "replace") + content[start:]
    )


def _garbage(chance: random.Random, content: bytes) -> bytes:
    start = _place(chance, content)
    return content[:start] + chance.randbytes(chance.choice((1, 3, 30))) + content[start:]


def _cell(chance: random.Random, content: bytes) -> bytes:
    """Replace one or all of the cells that are alike by another text."""
    cells = re.findall(rb"[^,;|\t\r\n]+", content[:20_000])
    if not cells:
        return content
    text = chance.choice(TEXTS).encode("utf-8", "surrogatepass")
    return content.replace(chance.choice(cells), text, chance.choice((1, 1, -1)))


def _rows(chance: random.Random, content: bytes) -> bytes:
    """Lose, double, shuffle or empty lines."""
    lines = content.split(b"\n")
    kind, at = chance.randrange(6), chance.randrange(len(lines))
    if kind == 0:
        chance.shuffle(lines)
    elif kind == 1:
        lines = lines[: chance.choice((1, 2, 3))]
    elif kind == 2:
        lines[at] = b""
    elif kind == 3:
        lines[at] += chance.choice((b",", b",,,,", b";1", b'"', b"\0"))
    elif kind == 4:
        lines.insert(0, chance.choice((b"# a comment", b"title", b"", b"a,b", b"sep=;", b"@relation x", b"<html>")))
    else:
        lines = lines * chance.choice((2, 40))
    return b"\n".join(lines)


def _header(chance: random.Random, content: bytes) -> bytes:
    """Edit the header of an npy file, with or without the right length."""
    if not content.startswith(b"\x93NUMPY") or len(content) < 11:
        return content
    end = 10 + int.from_bytes(content[8:10], "little")
    header = content[10:end].decode("latin-1")
    header = re.sub(r"\([0-9, ]*\)", lambda _: chance.choice(SHAPES), header) if chance.random() < 0.5 else header
    header = (
        re.sub(r"'descr': [^,]*", lambda _: f"'descr': {chance.choice(DTYPES)}", header)
        if chance.random() < 0.5
        else header
    )
    header = chance.choice((header, header, header, "{" * 500, "(" * 5000, "{'descr': 1}", "[" + "1," * 4000 + "]"))
    size = chance.choice((len(header), len(header), 65535, 0, 4))
    return content[:8] + size.to_bytes(2, "little") + header.encode("latin-1") + content[end:]


def _png(chance: random.Random, content: bytes, told: list[str]) -> bytes:
    """Change one chunk of a PNG file, and its checksum with it."""
    told.append("a chunk")
    out, at, chosen = content[:8], 8, chance.randrange(5)
    for number in range(100):
        size = int.from_bytes(content[at : at + 4], "big")
        kind, data = content[at + 4 : at + 8], content[at + 8 : at + 8 + size]
        if number == chosen:
            data = _length(chance, data) if kind == b"IHDR" else _changed(chance, data, told)
        out += len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        at += 12 + size
        if at >= len(content):
            break
    return out


def _edited(chance: random.Random, members: dict[str, bytes]) -> dict[str, bytes]:
    """Rename, double, lose or add a member of an archive."""
    kind = chance.randrange(12)
    name = chance.choice(sorted(members))
    if kind == 0:
        members[chance.choice(("../../up.csv", "/root.csv", "", "a/b/c.npy", "é.npy", "x.npy", "y.npy"))] = members.pop(
            name
        )
    elif kind == 1:
        members["more/" + name] = members[name]
    elif kind == 2:
        del members[name]
    elif kind == 3:
        members["again.zip"] = fixed_zip(dict(members))
    return members


def _place(chance: random.Random, content: bytes | bytearray) -> int:
    """A position in content: in its head or tail as often as elsewhere, since formats keep their numbers there."""
    n = max(len(content), 1)
    return chance.choice((chance.randrange(n), chance.randrange(min(n, 64)), n - 1 - chance.randrange(min(n, 64))))


def _gzip(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


Change = Callable[[random.Random, bytes], bytes]
BINARY: tuple[Change, ...] = (_flip, _flip, _cut, _splice, _repeat, _lose, _length, _length, _insert, _garbage)
TEXTUAL: tuple[Change, ...] = (_cell, _cell, _rows, _insert)
