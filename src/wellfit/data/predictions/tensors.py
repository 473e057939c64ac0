"""Arrays of other libraries as NumPy has them: tensors with gradients, on a GPU, or in a type that NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellfit.errors import DataError, one_line

__all__ = ["array_of", "untensored"]


def untensored(values: Any) -> Any:
    """A tensor of PyTorch, TensorFlow, JAX or Keras as an array of NumPy; everything else as it is.

    No such library is imported: a tensor is recognized by its methods.

    Example:
      >>> untensored([1, 2]), untensored(np.float32(3))
      ([1, 2], np.float32(3.0))
    """
    if hasattr(values, "detach") and hasattr(values, "cpu"):  # PyTorch
        found = values.detach().cpu()
        found = found.float() if str(found.dtype) == "torch.bfloat16" else found
        return found.numpy()
    if isinstance(values, np.ndarray | np.generic) or not hasattr(values, "__array__"):
        return values
    found = values if hasattr(values, "to_numpy") else np.asarray(values)  # a column of pandas says more than its array
    kind = getattr(found, "dtype", None)
    return found.astype(np.float32) if getattr(kind, "name", "").startswith(("bfloat", "float8")) else found


def array_of(values: Any, where: str) -> NDArray[Any]:
    """What somebody hands over as an array.

    Args:
      values: an array, a tensor of any library, or lists.
      where: the argument, for errors.

    Raises:
      DataError: it is none; rows of different lengths, for example.

    Example:
      >>> array_of([[0.25, 0.75]], "p").shape
      (1, 2)
    """
    try:
        return np.asarray(untensored(values))
    except (TypeError, ValueError, RuntimeError) as error:
        kind = type(values).__name__
        raise DataError(
            f"{where}: {kind} is no array ({one_line(error)}); give one array, with the batches joined"
        ) from None
