"""Values that break readers: texts, numbers, names, headers of npy files, and settings."""

from __future__ import annotations

from typing import Any

_NUMBERS = (
    f"nan inf -inf 1e999 -1e308 {'9' * 400} 0x10 1_000 1.5 -1 18446744073709551616 -9223372036854775809 2020-01-01"
)
_WORDS = "True None NA ? é 猫 label class target __import__('os') <b> {} {0} %s \\ =1+1 # % , ,,,,, ; |"

TEXTS = (
    *(_NUMBERS.split() + _WORDS.split()),
    *("\0", "\0\0\0\0", "\ufeff", "\u2028", "\x1b[31m", "\x85", "\ud800", "a" * 5000),
    *('"', '""', "'", '"a\nb"', "\n", "\r", "\r\n\r\n", "\t", " "),
)
"""What is inserted into text."""

EXTREMES = tuple(sorted({2**n + d for n in (0, 1, 8, 15, 16, 31, 32, 40, 63, 64) for d in (-1, 0)}))
"""What is written over length fields, as far as it fits."""

SHAPES = (
    *("(24,)", "()", "(0,)", "(-1,)", "(2**40,)", "(24, 6, 5, 1, 1)", "(4000000000, 4000000000)", "(300000000,)"),
    *("(1,)*33", "24", "(True,)", "('a',)"),
)
"""Shapes in the header of an npy file."""

DTYPES = (
    *("'|O'", "'<U1000000000'", "'<f2'", "'<f16'", "'<c16'", "'<M8[ns]'", "'|V8'", "'<i9'"),
    *("[('a', '<f8')]", "'|S0'", "'|b1'", "'>u4'", "'|u1'"),
)
"""Types in the header of an npy file."""

SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".data", ".csv.gz", ".csv.bz2", ".csv.xz", ".zip", ".parquet", ".xlsx", ".xls", ".npz"),
    *(".npy", ".mat", ".h5", ".hdf5", ".png", ".jpg", ".gz", ".json", ".pkl", ".arff", ".html", "", ".CSV", ".feather"),
)
"""What files are renamed to."""

NAMES = (
    *("naïve", "猫", "a\nb", "x" * 200, "<b>bold", ".hidden", "Thumbs.db", "train", "Test", "valid", "__MACOSX", "a,b"),
    *("\x1b[31mred", " ", "CON", "-rf", "1"),
)
"""Names of further files and folders."""

SETTINGS: dict[str, tuple[Any, ...]] = {
    "label": ("species", "label", "nothing", "", 1, -1, 3, 10**9, -(10**9), 0, "é", "id"),
    "drop": (("id",), (1,), (-1,), ("nothing",), tuple(range(1, 200))),
    "columns": (("length", "width"), (2,), ("species",), (10**6,)),
    "categories": (("legs",), (4,), ("nothing",)),
    "missing": (("-999",), ("0",), ("",), ("Dream, far", "1")),
    "group": ("id", "island", 5, "nothing", -1),
    "header": (True, False),
    "separator": (",", ";", "|", "::", ".", "a", r"\s+", "(", "é", "\t", " ", "\n", '"', "\0"),
    "decimal": (".", ","),
    "encoding": (
        *("utf-8", "latin-1", "utf-16", "cp1252", "ascii", "nothing", "rot13", "base64", "idna", "utf-7", "hex"),
        "unicode_escape",
    ),
    "pixel_max": (1.0, 255.0, 16.0, 65535.0, 1e-300, 1e300),
    "image_size": (1, 4, (3, 7), 64),
    "resize": ("letterbox", "stretch"),
    "color": ("gray", "rgb"),
    "background": ("white", "black", "#12345", "#ff00ff", "nothing", "é"),
    "classes": (("a", "b", "c"), ("a", "b"), tuple("abcdefghij"), ("1", "2", "3")),
    "test_file": ("penguins.csv", "nothing.csv", ".", "..", "test"),
    "validation_file": ("numbers.csv", "nothing.npz", ".", "val"),
    "skip_corrupt": (True,),
}
"""Values of every setting of ``Reading``."""
