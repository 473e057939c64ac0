"""A model in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wellfit.data.parts import listed
from wellfit.nn.models import build, summary

if TYPE_CHECKING:
    from wellfit.model.fitted import FittedModel

__all__ = ["summary_lines"]


def summary_lines(model: FittedModel) -> list[str]:
    """The lines of ``FittedModel.summary``.

    Example:
      >>> from wellfit import Study, mlp
      >>> lines = summary_lines(Study("digits", mlp(16), epochs=1, seeds=2).run().model())
      >>> [line for line in lines if "dense_1" in line]
      ['  dense_1    16              1,040']
    """
    origin, form = model.origin, model.form
    features = model.networks[0].preparation.features
    shape = (len(features),) if features else form.shape
    rows = summary(build(model.spec, shape, len(model.classes)))
    seeds = ", ".join(str(network.seed) for network in model.networks)
    what = f"the network of seed {seeds}" if len(model.networks) == 1 else f"an ensemble of the seeds {seeds}"
    width = max(len(row.name) for row in rows) + 2
    lines = [f"{origin.variant} of {origin.study}: {what}", f"Data: {origin.data}"]
    lines.append(f"Input: {_input(model)}")
    lines += [
        f"  {row.name:<{width}}{' x '.join(map(str, row.output_shape)):<12}{row.parameters:>9,}"
        for row in rows
        if row.name != "image_1"
    ]
    lines.append(f"Parameters of a network: {sum(row.parameters for row in rows):,}")
    lines.append(f"Classes: {len(model.classes)} ({listed(model.classes, 12)})")
    return [*lines, f"Choice: {origin.choice}", f"Expected: {origin.expected}"]


def _input(model: FittedModel) -> str:
    form, scaling = model.form, model.networks[0].scaling
    how = "standardized"
    if scaling.kind == "unit":
        how = "used as they are" if form.pixel_max is None else "scaled to [0, 1]"
    if len(form.shape) > 1:
        size = " x ".join(map(str, form.shape))
        most = "" if form.pixel_max is None else f" from 0 to {form.pixel_max:g}"
        return f"images of {size} pixels{most}, {how}"
    if not form.columns:
        return f"rows of {form.shape[0]:,} values, {how}"
    return f"{len(form.used):,} columns ({listed(form.used)}), {how}"
