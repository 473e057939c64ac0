"""Tables: one labeled example per row, read through pandas from text, Parquet, Excel, or DataFrames."""

from wellfit.data.tables.files import is_table, stem_of
from wellfit.data.tables.folders import find_tables, read_table, read_table_folder
from wellfit.data.tables.frames import from_frames

__all__ = ["find_tables", "from_frames", "is_table", "read_table", "read_table_folder", "stem_of"]
