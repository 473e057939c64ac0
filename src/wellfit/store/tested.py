"""What is kept of a run's answers: its test probabilities, and which validation examples it classified correctly."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wellfit.base import FloatArray, IntArray
from wellfit.errors import StoreUnreadableError
from wellfit.store.arrays import Arrays

__all__ = ["Tested", "Validated"]


class Validated(NamedTuple):
    """What a run's answers to the validation examples are worth.

    Args:
      right: whether each was classified correctly.  # (v,)
      numbers: of the examples, the same for every seed of the study, ascending.  # (v,)
      groups: the group of each; None without groups.  # (v,)
    """

    right: NDArray[np.bool_]
    numbers: IntArray
    groups: IntArray | None = None

    def packed(self) -> dict[str, NDArray[Any]]:
        """As arrays of a file: two bits for every number, whether it is an example and whether that was right."""
        bits = np.zeros((2, int(self.numbers.max(initial=-1)) + 1), bool)
        bits[0, self.numbers], bits[1, self.numbers] = True, self.right
        arrays: dict[str, NDArray[Any]] = {"validation": np.packbits(bits, axis=1)}
        return arrays if self.groups is None else arrays | {"validation_groups": self.groups.astype(np.int64)}

    @classmethod
    def unpacked(cls, arrays: Arrays) -> Validated | None:
        """From the arrays of a file; None if it has none, as in directories of version 0.1.

        Raises:
          StoreUnreadableError: arrays of another kind.

        Example:
          >>> kept = Validated(np.array([True, False]), np.array([2, 9])).packed()
          >>> Validated.unpacked(kept).right.tolist(), Validated.unpacked(kept).numbers.tolist()
          ([True, False], [2, 9])
        """
        if "validation" not in arrays:
            return None
        packed, groups = arrays["validation"], arrays.get("validation_groups")
        if packed.dtype != np.uint8 or packed.ndim != 2 or len(packed) != 2:
            raise StoreUnreadableError("validation answers of another shape than two rows of bits")
        bits = np.unpackbits(packed, axis=1).astype(bool)
        numbers: IntArray = np.flatnonzero(bits[0])
        if groups is not None and (groups.dtype.kind not in "iu" or groups.shape != numbers.shape):
            raise StoreUnreadableError("groups that are not those of the validation examples")
        return cls(bits[1, numbers], numbers, groups)


class Tested(NamedTuple):
    """What a run predicts for test examples, and whether it was right about validation examples.

    Args:
      probabilities: float32.  # (m, K)
      rows: which of the study's test examples these are, ascending; None for all.  # (m,)
      validated: None in directories of version 0.1.
      classes_only: whether only the predicted class of each example is known, which then has the probability 1; of a
        run that was trained elsewhere.
    """

    probabilities: FloatArray
    rows: IntArray | None
    validated: Validated | None = None
    classes_only: bool = False

    @classmethod
    def unpacked(cls, arrays: Arrays, classes: int) -> Tested:
        """From the arrays of a file.

        Args:
          arrays: by name.
          classes: their number, where only predicted classes are known.

        Raises:
          StoreUnreadableError: arrays of another kind.

        Example: a run of which only the predicted classes are known.
          >>> tested = Tested.unpacked({"predicted": np.array([1, 0])}, 2)
          >>> tested.probabilities.tolist(), tested.classes_only
          ([[0.0, 1.0], [1.0, 0.0]], True)
        """
        rows: IntArray | None = arrays.get("rows")
        if "predicted" not in arrays:
            return cls(arrays["probabilities"], rows, Validated.unpacked(arrays))
        predicted = arrays["predicted"]
        if predicted.ndim != 1 or predicted.dtype.kind not in "iu" or ((predicted < 0) | (predicted >= classes)).any():
            raise StoreUnreadableError("predictions that are no classes of the study")
        return cls(np.eye(classes, dtype=np.float32)[predicted], rows, None, classes_only=True)

    def of(self, values: IntArray) -> IntArray:
        """The values of its examples, out of those of all test examples.

        Args:
          values: one for each test example.  # (M,)

        Raises:
          StoreUnreadableError: the rows do not fit the test examples.
        """
        if self.rows is None:
            return values
        rows = self.rows
        fits = rows.ndim == 1 and len(rows) == len(self.probabilities) and bool((np.diff(rows) > 0).all())
        if not fits or (len(rows) and not 0 <= rows[0] <= rows[-1] < len(values)):
            raise StoreUnreadableError("test rows that are not those of its test examples")
        return values[rows]
