"""Tables: one labeled example per row, read through pandas from text, Parquet, Excel, or DataFrames."""

from wellfit.data.tables.files import is_table
from wellfit.data.tables.folders import find_tables, read_table, read_table_folder
from wellfit.data.tables.frames import from_frames
from wellfit.data.tables.npz import read_npz

__all__ = ["find_tables", "from_frames", "is_table", "read_npz", "read_table", "read_table_folder"]
