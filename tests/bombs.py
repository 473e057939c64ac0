"""Small files that ask for much: memory, time, or a read that never ends; and what a child that reads one may use.

A reader answers each with a data set or one line, within `SECONDS` and `BYTES`.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

SECONDS: Final = 10.0
"""Processor time, without the imports."""
BYTES: Final = 1e9
"""At the peak, imports included."""
MB: Final = 1 << 20


def _gz(content: bytes, times: int) -> bytes:
    """Many equal chunks: members of one gzip file, of which each is made once."""
    return gzip.compress(content, 9, mtime=0) * times


def _stream(content: bytes, times: int, packer: Any) -> bytes:
    return b"".join(packer.compress(content) for _ in range(times)) + packer.flush()


def _deflated(content: bytes, times: int) -> bytes:
    return _stream(content, times, zlib.compressobj(1, zlib.DEFLATED, -15))


def _zipped(members: dict[str, tuple[bytes, bytes, int]]) -> bytes:
    """A zip archive; of each member the start, and a chunk with how often it follows."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, (start, chunk, times) in members.items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(start)
                for _ in range(times):
                    file.write(chunk)
    return target.getvalue()


def _npy_header(shape: tuple[int, ...], descr: str = "|u1") -> bytes:
    target = io.BytesIO()
    np.lib.format.write_array_header_1_0(target, {"descr": descr, "fortran_order": False, "shape": shape})
    return target.getvalue()


def _png(width: int, height: int, rows: bytes, *, between: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + between + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def _text_chunk(size: int) -> bytes:
    data = b"a\0\0" + zlib.compress(b"\0" * size, 9)
    return struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))


def _gif(width: int, height: int, frames: int = 1) -> bytes:
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, width if frames == 1 else 1, height if frames == 1 else 1, 0)
    return head + (frame + b"\x02\x02\x44\x01\x00") * frames + b"\x3b"


def _folder(place: Path, content: bytes, suffix: str) -> Path:
    """A folder of two classes whose images are all the same."""
    for name in "ab":
        (place / name).mkdir(parents=True)
        for at in range(3):
            (place / name / f"{at}{suffix}").write_bytes(content)
    return place


def _pillow(size: tuple[int, int], kind: str, mode: str = "L", **settings: Any) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    Image.new(mode, size).save(target, kind, **settings)
    return target.getvalue()


def _animated(size: tuple[int, int], kind: str, frames: int) -> bytes:
    from PIL import Image

    target = io.BytesIO()
    images = [Image.new("RGB", size, (at % 256, at // 256, 0)) for at in range(frames)]
    images[0].save(target, kind, save_all=True, append_images=images[1:])
    return target.getvalue()


def _hdf5(place: Path, make: Callable[[Any], None]) -> Path:
    import h5py

    with h5py.File(place, "w") as file:
        make(file)
    return place


def _parquet(place: Path, rows: int, length: int) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    text = pa.array(["x" * length], pa.string())
    codes = pa.array(np.zeros(rows, np.int32))
    table = pa.table({"a": pa.DictionaryArray.from_arrays(codes, text).cast(pa.string())
                      if rows * length < 2**28 else pa.DictionaryArray.from_arrays(codes, text),
                      "label": pa.array(np.arange(rows) % 2)})  # fmt: skip
    parquet.write_table(table, place, compression="zstd")
    return place


def _idx(place: Path, times: int) -> Path:
    place.mkdir()
    labels = struct.pack(">BBBBI", 0, 0, 8, 1, 4) + bytes([0, 1, 0, 1])
    images = struct.pack(">BBBBIII", 0, 0, 8, 3, 4, 28, 28) + bytes(4 * 784)
    for name, content in (("train-images-idx3", images), ("train-labels-idx1", labels),
                          ("t10k-images-idx3", images), ("t10k-labels-idx1", labels)):  # fmt: skip
        (place / f"{name}-ubyte.gz").write_bytes(gzip.compress(content))
    head = struct.pack(">BBBBIII", 0, 0, 8, 3, times * MB // 784, 28, 28)
    (place / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(head) + _gz(bytes(MB), times))
    return place


def _npz(*, asked: bool) -> bytes:
    x, other = np.zeros((4, 2), np.float32), (_npy_header((3000, MB)), bytes(MB), 3000)
    small = {"x.npy": (_npy_header(x.shape, "<f4") + x.tobytes(), b"", 0)}
    labels = {"y.npy": (_npy_header((4,)) + bytes([0, 1, 0, 1]), b"", 0)}
    return _zipped({"x.npy": other, **labels} if asked else {**small, **labels, "other.npy": other})


def _in_file(name: str, content: Callable[[], bytes]) -> tuple[str, Callable[[Path], Path]]:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content())
        return folder / name

    return name, make


def _in_folder(name: str, suffix: str, content: Callable[[], bytes]) -> tuple[str, Callable[[Path], Path]]:
    return name, lambda folder: _folder(folder / name, content(), suffix)


def _link(name: str, target: str) -> tuple[str, Callable[[Path], Path]]:
    def make(folder: Path) -> Path:
        os.symlink(target, folder / name)
        return folder / name

    return name, make


def _fifo(name: str) -> tuple[str, Callable[[Path], Path]]:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return name, make


def _fifos(name: str, suffix: str) -> tuple[str, Callable[[Path], Path]]:
    def make(folder: Path) -> Path:
        for kind in "ab":
            (folder / name / kind).mkdir(parents=True)
            for at in range(3):
                os.mkfifo(folder / name / kind / f"{at}{suffix}")
        return folder / name

    return name, make


def _npy_name(shape: tuple[int, ...], descr: str = "|u1") -> Callable[[], bytes]:
    return lambda: _npy_header(shape, descr) + bytes(64)


def _csv_gz_in_zip() -> bytes:
    return _zipped({"a.csv.gz": (gzip.compress(b"a,label\n"), _gz(b"1,2\n" * (MB // 4), 1), 2000)})


def _xlsx() -> bytes:
    import pandas as pd

    target = io.BytesIO()
    pd.DataFrame({"a": [1, 2, 3, 4], "label": list("xyxy")}).to_excel(target, index=False)
    with zipfile.ZipFile(target) as archive:
        parts = {name: (archive.read(name), b"", 0) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"][0]
    start, end = sheet.split(b"</sheetData>")
    del parts["xl/worksheets/sheet1.xml"]
    rows = b'<row><c t="n"><v>1</v></c><c t="n"><v>1</v></c></row>' * 20000
    return _zipped({**parts, "xl/worksheets/sheet1.xml": (start, rows, 900)}) if end else b""


def _wide_xlsx() -> bytes:
    """One cell that claims to be the last of the sheet."""
    content = _xlsx_of(b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>')
    return content


def _xlsx_of(rows: bytes) -> bytes:
    import pandas as pd

    target = io.BytesIO()
    pd.DataFrame({"a": [1], "label": ["x"]}).to_excel(target, index=False)
    with zipfile.ZipFile(target) as archive:
        parts = {name: (archive.read(name), b"", 0) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"][0]
    parts["xl/worksheets/sheet1.xml"] = (re.sub(rb"<sheetData>.*</sheetData>", b"<sheetData>" + rows + b"</sheetData>",
                                                sheet, flags=re.DOTALL), b"", 0)  # fmt: skip
    return _zipped(parts)


def _mat(compressed: bool) -> bytes:
    head = b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<HH", 0x0100, 0x4D49)
    n = 2**31 - 64
    flags = struct.pack("<IIII", 6, 8, 9, 0)
    size = struct.pack("<IIii", 5, 8, n // MB, MB)
    name = struct.pack("<HHBxxx", 1, 1, ord("X"))
    body = flags + size + name + struct.pack("<II", 2, n)
    matrix = struct.pack("<II", 14, len(body) + n) + body
    if not compressed:
        return head + matrix + bytes(64)
    packer = zlib.compressobj(1)
    inner = packer.compress(matrix) + b"".join(packer.compress(bytes(MB)) for _ in range(1500)) + packer.flush()
    return head + struct.pack("<II", 15, len(inner)) + inner


def _external(file: Any) -> None:
    import h5py

    file["x"] = h5py.ExternalLink("/etc/passwd", "/x")
    file.create_dataset("y", (10,), "u1", external=[("/dev/zero", 0, h5py.h5f.UNLIMITED)])


def _virtual(file: Any) -> None:
    import h5py

    layout = h5py.VirtualLayout((10**6, 10**6), "u1")
    layout[0] = h5py.VirtualSource("/etc/passwd", "x", (10**6,))
    file.create_virtual_dataset("x", layout)
    file["y"] = np.zeros(10, np.uint8)


def _claimed(file: Any) -> None:
    file.create_dataset("x", (10**7, 10**4), "u1", chunks=(10**3, 10**3), compression="gzip")
    file["y"] = np.zeros(10, np.uint8)


def _packed_hdf5(file: Any) -> None:
    data = file.create_dataset("x", (2000, MB), "u1", chunks=(1, MB), compression="gzip")
    raw = zlib.compress(bytes(MB), 9)
    for at in range(2000):
        data.id.write_direct_chunk((at, 0), raw)
    file["y"] = np.arange(2000) % 2


def _one_chunk(file: Any) -> None:
    """One chunk of 4 GB: the library unpacks a whole chunk to read one value."""
    file.create_dataset("x", (2**31 - 1, 2), "u1", chunks=(2**31 - 1, 1), compression="gzip")
    file["y"] = np.zeros(10, np.uint8)


BOMBS: Final[dict[str, Callable[[Path], Path]]] = dict(
    [
        ("idx", lambda folder: _idx(folder / "idx", 6300)),
        _in_file("asked.npz", lambda: _npz(asked=True)),
        _in_file("unasked.npz", lambda: _npz(asked=False)),
        _in_file("header.npy", _npy_name((10**10, 10))),
        _in_file("zeros.npy", _npy_name((0, 10**18))),
        _in_file("negative.npy", _npy_name((-1, 5))),
        _in_file("string.npy", _npy_name((1,), "<U1000000000")),
        _in_file("header.npz", lambda: _zipped({"x.npy": (_npy_header((10**10,)), b"", 0)})),
        _in_file("line.csv.gz", lambda: _gz(b"0" * MB, 3000)),
        _in_file("lines.csv.gz", lambda: _gz(b"1,2,3\n" * (MB // 6), 3000)),
        _in_file("line.csv.bz2", lambda: bz2.compress(b"0" * (8 * MB)) * 250),
        _in_file("line.csv.xz", lambda: _stream(b"0" * MB, 500, lzma.LZMACompressor(preset=0))),
        _in_file("dictionary.csv.xz", lambda: lzma.compress(b"1,2\n", filters=[{"id": lzma.FILTER_LZMA2, "preset": 0,
                                                                              "dict_size": 1 << 20}])),
        _in_file("line.zip", lambda: _zipped({"a.csv": (b"", b"1,2,3\n" * (MB // 6), 2000)})),
        _in_file("nested.zip", _csv_gz_in_zip),
        _in_file("nested.csv.gz", lambda: gzip.compress(_gz(b"0" * MB, 3000))),
        _in_file("quine.csv.gz", lambda: gzip.compress(gzip.compress(gzip.compress(gzip.compress(b"a,b\n1,2\n"))))),
        _in_file("zstd.csv.zst", lambda: b"\x28\xb5\x2f\xfd" + bytes(100)),
        _in_file("many.zip", lambda: _zipped({f"{at}.csv": (b"", b"", 0) for at in range(20000)})),
        _in_file("long.csv", lambda: b"a,label\n" + b"9" * (100 * MB) + b",1\n"),
        _in_file("quote.csv", lambda: b'a,label\n"' + b"x,1\n" * (10 * MB)),
        _in_file("wide.csv", lambda: (b"a," * 300_000 + b"label\n") * 4),
        _in_file("header.csv", lambda: b",".join(b"c%d" % at for at in range(10_000_000))),
        _in_file("digits.csv", lambda: b"a,label\n" + b"".join(b"%d,%s\n" % (at, b"9" * 5000) for at in range(4))),
        _in_file("big.xlsx", _xlsx),
        _in_file("wide.xlsx", _wide_xlsx),
        _in_file("packed.mat", lambda: _mat(True)),
        _in_file("claimed.mat", lambda: _mat(False)),
        ("text.parquet", lambda folder: _parquet(folder / "text.parquet", 3_000_000, 10_000)),
        ("rows.parquet", lambda folder: _parquet(folder / "rows.parquet", 100_000_000, 1)),
        ("external.h5", lambda folder: _hdf5(folder / "external.h5", _external)),
        ("virtual.h5", lambda folder: _hdf5(folder / "virtual.h5", _virtual)),
        ("claimed.h5", lambda folder: _hdf5(folder / "claimed.h5", _claimed)),
        ("packed.h5", lambda folder: _hdf5(folder / "packed.h5", _packed_hdf5)),
        ("chunk.h5", lambda folder: _hdf5(folder / "chunk.h5", _one_chunk)),
        _in_folder("png", ".png", lambda: _png(30000, 30000, zlib.compress(bytes(30001 * 1000)))),
        _in_folder("png-below", ".png", lambda: _png(13000, 13000, zlib.compress(bytes(13001 * 13000)))),
        _in_folder("png-text", ".png", lambda: _png(8, 8, zlib.compress(bytes(72)), between=_text_chunk(900 * MB))),
        _in_folder("png-endless", ".png", lambda: _png(8, 8, zlib.compress(bytes(900 * MB)))),
        _in_folder("gif", ".gif", lambda: _gif(65535, 65535)),
        _in_folder("gif-below", ".gif", lambda: _gif(13000, 13000)),
        _in_folder("gif-frames", ".gif", lambda: _gif(100, 100, 100_000)),
        _in_folder("gif-frames-huge", ".gif", lambda: _gif(9000, 9000, 1000)),
        _in_folder("jpeg", ".jpg", lambda: re.sub(rb"(\xff\xc0..\x08)....", b"\\g<1>\xff\xff\xff\xff",
                                                  _pillow((8, 8), "JPEG"), flags=re.DOTALL)),
        _in_folder("jpeg-below", ".jpg", lambda: _pillow((13000, 13000), "JPEG")),
        _in_folder("tiff", ".tif", lambda: _pillow((13000, 13000), "TIFF", compression="tiff_deflate")),
        _in_folder("tiff-frames", ".tif", lambda: _animated((1, 1), "TIFF", 3000)),
        _in_folder("webp", ".webp", lambda: _pillow((16000, 10000), "WEBP", lossless=True, method=0)),
        _in_folder("webp-frames", ".webp", lambda: _animated((64, 64), "WEBP", 3000)),
        _in_folder("apng-frames", ".png", lambda: _animated((4, 4), "PNG", 10_000)),
        _in_folder("bmp", ".bmp", lambda: b"BM" + struct.pack("<IIIIiiHHIIiiII", 100, 0, 54, 40, 30000, 30000, 1, 24,
                                                             0, 0, 0, 0, 0, 0)),
        _in_folder("ppm", ".ppm", lambda: b"P3 9999999999999999999999999999 9 255 " + b"1 " * 100),
        _in_folder("tga-as-png", ".png", lambda: b"\0" * 64),
        *(_link(f"zero{end}", "/dev/zero") for end in (".csv", ".npz", ".npy", ".parquet", ".mat", ".h5", ".xlsx",
                                                     ".zip", ".csv.gz", ".pkl")),
        *(_link(f"mem{end}", "/proc/self/mem") for end in (".csv", ".npy")),
        *(_fifo(f"fifo{end}") for end in (".csv", ".npz", ".npy", ".parquet", ".mat", ".h5", ".xlsx", ".zip",
                                        ".csv.gz", ".pkl", ".pt", "")),
        *(_fifos(f"fifos{end}", end) for end in (".png", ".csv", ".npy", ".txt")),
        _link("folder-zero", "/dev/zero"),
        _link("folder-dev", "/dev"),
        _link("folder-proc", "/proc"),
    ]
)  # fmt: skip


class Answer(NamedTuple):
    """What a child that read a file used: processor seconds, bytes at its peak; and what it said."""

    seconds: float
    peak: float
    text: str
    errors: str


_CHILD: Final = """
import json, resource, sys, time, warnings
import numpy, pandas, PIL.Image
from wellfit.data.catalog import load_dataset
from wellfit.errors import WellfitError
began = time.process_time()
try:
    data = load_dataset(sys.argv[1])
    text = f"read {data.x_train.shape}"
except WellfitError as error:
    text = str(error)
except BaseException as error:
    text = f"BUG {error!r}"
used = time.process_time() - began
with open("/proc/self/status") as status:
    peak = 1024 * next(int(line.split()[1]) for line in status if "VmHWM" in line)
print(json.dumps([used, peak, text]))
"""


def answer(path: Path, seconds: float = 60.0) -> Answer:
    """Read a path in a process of its own; one that hangs is ended."""
    began = time.monotonic()
    try:
        run = subprocess.run([sys.executable, "-c", _CHILD, str(path)], capture_output=True, text=True, check=False,
                             timeout=seconds, env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    except subprocess.TimeoutExpired:
        return Answer(time.monotonic() - began, 0, "BUG hangs", "")
    if run.returncode:
        return Answer(time.monotonic() - began, 0, f"BUG status {run.returncode}", run.stderr)
    return Answer(*json.loads(run.stdout), run.stderr)
