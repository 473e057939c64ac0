"""The study directory: everything that is known of a study, safe against kill -9 and open to readers at any time.

    study.db                    SQLite: the study, its runs, every epoch of every run, findings
    weights/VARIANT.SEED.npz    the weights at the readout
    test/VARIANT.SEED.npz       the probabilities of every test example; test/labels.npz: the true classes
    test/keepsakes.npz          what reports show of the data: pictures that were got wrong, examples, decision grids
    ends/VARIANT.SEED.EPOCH.npz where a trajectory ended, so that a study with more epochs goes on from there
    checkpoints/                populations at work, dropped when they are done
    progress                    the epochs of a population at work, for readers; dropped when its runs are saved
    lock                        held by the process that writes

A run's files are in place before the row that names them and their checksums is committed, so what the database
tells of is there. SQLite keeps a rollback journal rather than a write-ahead log: a study is then one file that can be
copied, and read from a read-only medium or a network drive; writers are few and quick, and readers wait for them.
"""

from __future__ import annotations

from wellfit.store.directory import Store
from wellfit.store.opening import create_or_open, fresh, holds_study, open_existing

__all__ = ["Store", "create_or_open", "fresh", "holds_study", "open_existing"]
