"""Tensors of other libraries."""

from __future__ import annotations

import jax.numpy as jnp
import numpy as np
import pandas as pd
import pytest

from wellfit.data.predictions.tensors import array_of, untensored
from wellfit.errors import DataError

P = np.array([[0.25, 0.75], [0.5, 0.5]], np.float32)


def test_tensors_of_pytorch():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor(P, requires_grad=True)
    for of in (tensor, tensor.to(torch.bfloat16), tensor.to(torch.float16), torch.nn.Parameter(tensor)):
        np.testing.assert_array_equal(array_of(of, "p").astype(np.float32), P)
    assert array_of(torch.tensor([1, 0]), "y").dtype == np.int64
    assert tensor.requires_grad


def test_tensors_of_jax_and_keras():
    keras = pytest.importorskip("keras")
    for of in (jnp.asarray(P), jnp.asarray(P, jnp.bfloat16), keras.ops.convert_to_tensor(P), keras.Variable(P)):
        np.testing.assert_array_equal(array_of(of, "p").astype(np.float32), P)


def test_a_tensor_elsewhere_than_in_main_memory():
    """A tensor of PyTorch on a GPU has no array before it is moved."""

    class Moved:
        dtype = "torch.float32"

        def numpy(self) -> np.ndarray:
            return P

    class OnGPU:
        def detach(self) -> OnGPU:
            return self

        def cpu(self) -> Moved:
            return Moved()

        def __array__(self) -> np.ndarray:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")

    assert array_of(OnGPU(), "p") is P


def test_what_is_no_tensor_stays():
    frame, texts = pd.Series(["a", None]), ["a", None]
    assert untensored(frame) is frame
    assert untensored(texts) is texts


@pytest.mark.parametrize("values", [[[0.5, 0.5], [1.0]], [np.zeros((3, 2)), np.zeros((2, 2))]])
def test_rows_of_different_lengths_are_one_line(values: list[object]):
    with pytest.raises(DataError, match=r"^p: list is no array .*; give one array, with the batches joined$"):
        array_of(values, "p")
