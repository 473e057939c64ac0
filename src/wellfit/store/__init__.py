"""The study directory: everything that is known about a study, safe against kill -9, readable at any time.

    study.db                    SQLite: the study, its runs, every epoch of every run, findings; the manifest of it all
    weights/VARIANT.SEED.npz    the weights at the readout, and histograms of the weights after every epoch
    test/VARIANT.SEED.npz       the probabilities of every test example, and which validation examples were right;
                                test/labels.npz: the true classes of the test examples
    test/keepsakes.npz          what reports show of the data: mistakes, examples, decision regions
    ends/VARIANT.SEED.EPOCH.npz the final state of a trajectory, from which a study with more epochs continues
    checkpoints/                populations in training; removed when they are finished
    progress                    the epochs of the population in training, for readers; removed when its runs are saved
    study.summary               the finished summary of a large study, which is computed again where it is missing
    lock                        held by the process that writes

A run's files are in place before the row that names them and their checksums is committed, so every file that the
database names exists. SQLite keeps a rollback journal instead of a write-ahead log, so that the database is one file,
which can be copied, and read from a read-only medium or a network drive. Writes are few and short; readers wait.
"""

from __future__ import annotations

from wellfit.store.directory import Store
from wellfit.store.opening import create_or_open, discard, fresh, open_existing, open_if_begun

__all__ = ["Store", "create_or_open", "discard", "fresh", "open_existing", "open_if_begun"]
