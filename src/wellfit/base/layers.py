"""The layers of a model as a table: what ``wellfit model`` prints, and what a report shows."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

__all__ = ["LayerRow", "ModelTable"]


class LayerRow(NamedTuple):
    """A layer: its name, the shape of one example after it, its number of parameters, and what it is set to."""

    name: str
    output_shape: tuple[int, ...]
    parameters: int
    setting: str = ""

    @property
    def shape(self) -> str:
        """The output shape in words.

        Example:
          >>> LayerRow("conv2d_1", (28, 28, 6), 156).shape
          '28 x 28 x 6'
        """
        return " x ".join(map(str, self.output_shape))


@dataclass(frozen=True)
class ModelTable:
    """The layers of one network; printed, a table with totals.

    Args:
      rows: the layers.
      statistics: the number of running means and variances of batch normalization, which are not trained.
      base: whether it is the base recipe's network.
      variants: those that use it.

    Example:
      >>> first = LayerRow("dense_1", (4,), 68), LayerRow("dropout_1", (4,), 0, "rate 0.5")
      >>> print(ModelTable((*first, LayerRow("dense_2", (2,), 10)), 0, True, ("baseline",)))
      Base recipe's model, used by baseline
      layer      output shape  parameters
      dense_1    4                     68
      dropout_1  4                      0  rate 0.5
      dense_2    2                     10
      78 parameters, 312 B
    """

    rows: tuple[LayerRow, ...]
    statistics: int
    base: bool = False
    variants: tuple[str, ...] = ()

    @property
    def total(self) -> int:
        """Trainable parameters of all layers."""
        return sum(row.parameters for row in self.rows)

    @property
    def bytes(self) -> int:
        """Memory of the trainable parameters, four bytes each."""
        return 4 * self.total

    @property
    def sizes(self) -> tuple[str, ...]:
        """What all layers have together, a line each."""
        lines = [f"{self.total:,} parameters, {_memory(self.bytes)}"]
        if self.statistics:
            size = _memory(4 * self.statistics)
            lines.append(f"Not trained: {self.statistics:,} running means and variances of batch normalization, {size}")
        return tuple(lines)

    def as_json(self) -> dict[str, Any]:
        """The plain data that ``wellfit model --json`` prints."""
        layers = [
            {"layer": row.name, "output_shape": list(row.output_shape), "parameters": row.parameters,
             "setting": row.setting}
            for row in self.rows
        ]  # fmt: skip
        users = {"base": self.base, "variants": list(self.variants)}
        return {**users, "layers": layers, "total": self.total, "bytes": self.bytes, "statistics": self.statistics}

    @classmethod
    def from_json(cls, plain: Mapping[str, Any]) -> ModelTable:
        """The table that ``as_json`` wrote.

        Raises:
          ValueError, TypeError, KeyError: it wrote something else.

        Example:
          >>> table = ModelTable((LayerRow("dense_1", (2,), 10, "softmax"),), 0, True, ("baseline",))
          >>> ModelTable.from_json(table.as_json()) == table
          True
        """
        rows = tuple(
            LayerRow(layer["layer"], tuple(layer["output_shape"]), layer["parameters"], layer["setting"])
            for layer in plain["layers"]
        )
        for row in rows:
            sizes = (*row.output_shape, row.parameters)
            if not all(type(size) is int and size >= 0 for size in sizes) or not _texts(row.name, row.setting):
                raise ValueError(f"{row} is no layer")
        table = cls(rows, plain["statistics"], plain["base"], tuple(plain["variants"]))
        if type(table.statistics) is not int or type(table.base) is not bool or not _texts(*table.variants):
            raise ValueError(f"{table.statistics!r}, {table.base!r}, {table.variants!r} are not those of a table")
        return table

    def __str__(self) -> str:
        cells = [("layer", "output shape", "parameters", "")]
        cells += [(row.name, row.shape, f"{row.parameters:,}", row.setting) for row in self.rows]
        left, middle, right, _ = (max(map(len, column)) for column in zip(*cells, strict=True))
        lines = [f"{a:<{left}}  {b:<{middle}}  {c:>{right}}  {setting}".rstrip() for a, b, c, setting in cells]
        users = f"used by {', '.join(self.variants)}" if self.variants else "no variant uses it"
        head = f"base recipe's model, {users}" if self.base else users if self.variants else ""
        return "\n".join([*textwrap.wrap(head[:1].upper() + head[1:], 80), *lines, *self.sizes])


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)


def _memory(size: int) -> str:
    """Bytes in Keras's notation: units of 1,024, two decimals."""
    if size < 1024:
        return f"{size} B"
    value, unit = next(
        ((size / 1024**n, unit) for n, unit in ((1, "KB"), (2, "MB")) if size < 1024 ** (n + 1)),
        (size / 1024**3, "GB"),
    )
    return f"{value:.2f} {unit}"
