"""A study file with sweeps, published numbers, a quick version and parts."""

from __future__ import annotations

from pathlib import Path

BASE = """\
name = "base"
title = "Which?"
description = "a study"

[data]
path = "my.csv"

[model]
kind = "cnn"
hidden = [8, 4]

[train]
epochs = 20
seeds = [3, 4, 5]
schedule = { kind = "step", every = 0.5 }

[variants.plain]

[variants.long]
epochs = 40
dropout = 0.5

[sweeps.l2]
l2 = [1, 2, 3, 4, 5, 6]

[published]
plain = { test_loss = 1.0 }
"l2=2" = { test_loss = 2.0 }
"l2=6" = { test_loss = 6.0 }

[quick]
epochs = 5

[parts.wide]
title = "Wider?"
[parts.wide.model]
hidden = [16]
[parts.wide.variants.a]
[parts.wide.variants.b]
dropout = 0.1
[parts.wide.quick]
seeds = 1

[parts.bare]

[parts.more]
extends = "lab5"
[parts.more.variants.noisy]
l2 = 1e-3
"""


def written(folder: Path, text: str, name: str = "own.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path
