"""Small valid files in every form that wellfit reads, the same bytes every time: what the fuzz mutates."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

ROWS = 24
_FIXED = (2020, 1, 1, 0, 0, 0)


@cache
def originals() -> dict[str, bytes]:
    """Every single file by its name: tables, arrays and archives."""
    return {**_tables(), **_packed(), **_arrays(), **_idx()}


@cache
def pictures() -> dict[str, bytes]:
    """Images of 6 x 5 pixels by their names: every format and mode."""
    gray = np.arange(30, dtype=np.uint8).reshape(5, 6) * 8
    rgb = np.stack([gray, gray[::-1], gray[:, ::-1]], axis=2)
    alpha = np.dstack([rgb, gray])
    made = {
        "gray.png": _picture(gray, "png"),
        "rgb.png": _picture(rgb, "png"),
        "alpha.png": _picture(alpha, "png"),
        "deep.png": _picture(gray.astype(np.uint16) * 257, "png"),
        "palette.png": _picture(Image.fromarray(rgb).convert("P"), "png"),
        "bits.png": _picture(Image.fromarray(gray).convert("1"), "png"),
        "photo.jpg": _picture(rgb, "jpeg"),
        "gray.jpeg": _picture(gray, "jpeg"),
        "print.jpg": _picture(Image.fromarray(rgb).convert("CMYK"), "jpeg"),
        "turned.jpg": _turned(rgb),
        "small.gif": _picture(Image.fromarray(rgb).convert("P"), "gif"),
        "moving.gif": _frames(rgb),
        "old.bmp": _picture(rgb, "bmp"),
        "float.tif": _picture(gray.astype(np.float32) / 255, "tiff"),
        "deep.tiff": _picture(gray.astype(np.uint16) * 257, "tiff"),
        "new.webp": _picture(rgb, "webp"),
        "plain.pgm": _picture(gray, "ppm"),
        "plain.ppm": _picture(rgb, "ppm"),
    }
    return made


def fixed_zip(members: dict[str, bytes]) -> bytes:
    """A compressed zip archive whose bytes do not depend on the time."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _FIXED), content)
    return out.getvalue()


def zip_members(content: bytes) -> dict[str, bytes]:
    """The contents of a valid zip archive by their names."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _frame() -> pd.DataFrame:
    """A table with numbers, missing values, whole numbers, text, booleans and an id; the class is last."""
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(1001, 1001 + ROWS),
            "length": generator.normal(5, 1, ROWS).round(2),
            "width": generator.normal(3, 1, ROWS).round(3),
            "legs": generator.integers(2, 6, ROWS),
            "island": [["Torgersen", "Biscoe", "Dream, far"][i % 3] for i in range(ROWS)],
            "wild": [i % 2 == 0 for i in range(ROWS)],
            "species": [["Adélie", "Gentoo", "Chinstrap"][i % 3] for i in range(ROWS)],
        }
    )
    frame.loc[[3, 7], "width"] = np.nan
    return frame


def _tables() -> dict[str, bytes]:
    frame = _frame()
    numbers = frame[["length", "width", "legs"]].assign(label=[i % 3 for i in range(ROWS)]).fillna(0)
    digits = pd.DataFrame(np.random.default_rng(1).integers(0, 256, (ROWS, 64)))
    digits.insert(0, "label", [i % 4 for i in range(ROWS)])
    numbers_text = "\n".join(" ".join(f"{v:.6e}" for v in row) for row in numbers.to_numpy(float))
    return {
        "penguins.csv": frame.to_csv(index=False).encode(),
        "indexed.csv": frame.to_csv().encode(),
        "latin.csv": frame.to_csv(index=False).encode("latin-1"),
        "utf16.csv": frame.to_csv(index=False).encode("utf-16"),
        "marked.csv": frame.to_csv(index=False, lineterminator="\r\n").encode("utf-8-sig"),
        "german.csv": frame.to_csv(index=False, sep=";", decimal=",").encode(),
        "quoted.csv": frame.to_csv(index=False, quoting=1).encode(),
        "tabs.tsv": frame.to_csv(index=False, sep="\t").encode(),
        "bars.txt": frame.to_csv(index=False, sep="|").encode(),
        "bare.data": frame.drop(columns="id").to_csv(index=False, header=False).encode(),
        "numbers.csv": numbers.to_csv(index=False).encode(),
        "spaces.dat": numbers_text.encode(),
        "digits.csv": digits.to_csv(index=False).encode(),
        "question.csv": frame.to_csv(index=False, na_rep="?").encode(),
    }


def _packed() -> dict[str, bytes]:
    """Compressed tables, and the binary ones."""
    frame = _frame()
    text = frame.to_csv(index=False).encode()
    parquet, xlsx = io.BytesIO(), io.BytesIO()
    frame.to_parquet(parquet, index=False)
    frame.to_excel(xlsx, index=False)
    sheet = {name: b"" if name == "docProps/core.xml" else c for name, c in zip_members(xlsx.getvalue()).items()}
    sheet["docProps/core.xml"] = (
        b'<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"/>'
    )
    return {
        "table.csv.gz": gzip.compress(text, mtime=0),
        "table.csv.bz2": bz2.compress(text),
        "table.csv.xz": lzma.compress(text),
        "table.csv.zip": fixed_zip({"table.csv": text}),
        "table.zip": fixed_zip({"table.csv": text, "__MACOSX/._table.csv": b"\0\5\x16\7"}),
        "table.parquet": parquet.getvalue(),
        "table.xlsx": fixed_zip(sheet),
    }


def _arrays() -> dict[str, bytes]:
    generator = np.random.default_rng(2)
    x = generator.integers(0, 256, (ROWS, 6, 5), dtype=np.uint8)
    y = np.arange(ROWS) % 3
    rows = generator.normal(size=(ROWS, 4))
    four = {"x_train": x, "y_train": y, "x_test": x[:9], "y_test": y[:9]}
    names = np.array(["cat", "dog", "Über"])[y]
    return {
        "four.npz": _npz(four),
        "two.npz": _npz({"images": x, "labels": y[:, None]}),
        "names.npz": _npz({"x": rows.astype(np.float32), "y": names}),
        "hot.npz": _npz({"X_train": x[..., None], "Y_train": np.eye(3)[y]}),
        "medical.npz": _npz(
            {
                "train_images": x,
                "train_labels": y[:, None].astype(np.uint8),
                "val_images": x[:9],
                "val_labels": y[:9, None],
                "test_images": x[:9],
                "test_labels": y[:9, None],
            }
        ),
        "single.npy": _npy(np.column_stack([rows, y])),
        "records.npy": _npy(np.rec.fromarrays([rows[:, 0], y, names], names="a,label,name")),
        "digits.mat": _mat({"X": x.transpose(1, 2, 0), "y": y[:, None] + 1}),
        "plain.mat": _mat({"data": rows, "label": y[:, None]}),
        "digits.h5": _h5({"X": x, "y": y}),
        "grouped.h5": _h5({"train/x": x, "train/y": y, "test/x": x[:9], "test/y": y[:9]}),
    }


def _idx() -> dict[str, bytes]:
    """Four IDX files, as a folder has them, plain and compressed."""
    x = np.random.default_rng(3).integers(0, 256, (ROWS, 6, 5), dtype=np.uint8)
    images = b"\0\0\x08\x03" + b"".join(n.to_bytes(4, "big") for n in x.shape) + x.tobytes()
    labels = b"\0\0\x08\x01" + ROWS.to_bytes(4, "big") + (np.arange(ROWS) % 3).astype(np.uint8).tobytes()
    return {
        "train-images-idx3-ubyte": images,
        "train-labels-idx1-ubyte": labels,
        "t10k-images-idx3-ubyte.gz": gzip.compress(images, mtime=0),
        "t10k-labels-idx1-ubyte.gz": gzip.compress(labels, mtime=0),
    }


def _picture(image: Any, kind: str) -> bytes:
    out = io.BytesIO()
    (Image.fromarray(image) if isinstance(image, np.ndarray) else image).save(out, kind)
    return out.getvalue()


def _turned(rgb: Any) -> bytes:
    """A photo whose Exif data say that it lies on its side."""
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(rgb).save(out, "jpeg", exif=exif)
    return out.getvalue()


def _frames(rgb: Any) -> bytes:
    out = io.BytesIO()
    first, *others = [Image.fromarray(np.roll(rgb, shift, axis=0)).convert("P") for shift in range(3)]
    first.save(out, "gif", save_all=True, append_images=others)
    return out.getvalue()


def _npy(array: Any) -> bytes:
    out = io.BytesIO()
    np.save(out, array, allow_pickle=False)
    return out.getvalue()


def _npz(arrays: dict[str, Any]) -> bytes:
    return fixed_zip({f"{name}.npy": _npy(array) for name, array in arrays.items()})


def _mat(arrays: dict[str, Any]) -> bytes:
    from scipy.io import savemat

    out = io.BytesIO()
    savemat(out, arrays)
    header = b"MATLAB 5.0 MAT-file".ljust(116)  # otherwise it names the time
    return header + out.getvalue()[116:]


def _h5(arrays: dict[str, Any]) -> bytes:
    try:
        import h5py
    except ImportError:  # read where the user has it; the bytes of the signature alone where not
        return b"\x89HDF\r\n\x1a\n" + bytes(64)
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, track_times=False)
    return out.getvalue()
