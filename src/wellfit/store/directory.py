"""An open study directory and its parts."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from wellfit.errors import StoreError, StoreUnreadableError
from wellfit.store import manifest
from wellfit.store.checkpoints import Checkpoints
from wellfit.store.database import Database
from wellfit.store.final_states import FinalStates
from wellfit.store.keepsakes import Keepsakes
from wellfit.store.lock import Lock, is_locked
from wellfit.store.metadata import Metadata
from wellfit.store.progress import FILE, ProgressFile
from wellfit.store.runs import Runs
from wellfit.store.summary_file import SummaryFile

__all__ = ["Store"]


@dataclass(frozen=True)
class Store:
    """An open study directory, to be used in a ``with`` block; ``create_or_open`` and ``open_existing`` return one.

    Args:
      directory: the study directory.
      database: its database.
      lock: held where the directory is open for writing.
    """

    directory: Path
    database: Database
    lock: Lock | None
    metadata: Metadata
    runs: Runs
    final_states: FinalStates
    checkpoints: Checkpoints
    progress: ProgressFile
    keepsakes: Keepsakes
    summary: SummaryFile

    @classmethod
    def of(cls, directory: Path, database: Database, lock: Lock | None = None) -> Store:
        """The store of an open database."""
        metadata, final_states = Metadata(database), FinalStates(directory, database)
        return cls(
            directory=directory,
            database=database,
            lock=lock,
            metadata=metadata,
            runs=Runs(directory, database, metadata, final_states),
            final_states=final_states,
            checkpoints=Checkpoints(directory, metadata),
            progress=ProgressFile(directory / FILE),
            keepsakes=Keepsakes(directory, database),
            summary=SummaryFile(directory),
        )

    def __enter__(self) -> Store:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close(error)

    def close(self, error: BaseException | None = None) -> None:
        """Save the training time that is not saved yet, write the manifest, close the database, and release the lock.

        Args:
          error: the one that ends the block, if any. Of a damaged database no manifest is written, and no other error
            hides this one.
        """
        try:
            with contextlib.nullcontext() if error is None else contextlib.suppress(StoreError):
                self.metadata.save_seconds()
                if self.lock is not None and not isinstance(error, StoreUnreadableError):
                    manifest.write(self.database)
        finally:
            self.database.close()
            if self.lock is not None:
                self.lock.release()

    def is_running(self) -> bool:
        """Whether a living process, this one included, trains in the directory."""
        return self.lock is not None or is_locked(self.directory / "lock")
