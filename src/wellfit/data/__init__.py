"""What we learn from: readers, the catalog of known data sets, splits and scaling, and audits of all of them."""

from __future__ import annotations

from wellfit.data.assemble import make_dataset
from wellfit.data.audits import audit
from wellfit.data.catalog import CATALOG, CatalogEntry, load_dataset
from wellfit.data.splits import dataset_hash, fit_scaling, make_splits, training_data

__all__ = [
    "CATALOG",
    "CatalogEntry",
    "audit",
    "dataset_hash",
    "fit_scaling",
    "load_dataset",
    "make_dataset",
    "make_splits",
    "training_data",
]
