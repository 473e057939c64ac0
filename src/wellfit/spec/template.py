"""A commented study file to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from wellfit.errors import StudyFileError

__all__ = ["TEMPLATE", "write_template"]

TEMPLATE: Final = """\
# A study: one question, asked of a data set. Run it with: wellfit run {file}
# For completion and checks in your editor, write the JSON Schema: wellfit schema > wellfit.schema.json
#:schema ./wellfit.schema.json

name = "{name}"
title = "Which regularizer helps?"   # the question, for headlines
# extends = "lab5"                   # start from another study, and say here only what differs

[data]
name = "digits"                      # see wellfit list; or path = "my-images/", "my.csv", "my.npz" next to this file
# label = "Churn"                    # of your own table: the column with the classes; drop = ["id"] leaves columns out
# image_size = [64, 64]              # of your own images: resize them all; more settings: docs/data.md
validation = 0.2                     # share of the training examples held out for validation, others for every seed
scale = "auto"                       # images "unit": pixels from 0 to 1; tables "standardize": mean 0, deviation 1

[model]
kind = "mlp"                         # "logistic", "mlp", "lenet5", "cnn", or "layers" with a list of layers
hidden = [128, 64]
# keras = "net.keras"                # instead of all keys above: the network in a file of Keras

[train]                              # the base recipe, which every variant starts from
epochs = 30
batch_size = 32
optimizer = "adam"                   # sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, nadam, lion
learning_rate = 1e-3                 # omit for the optimizer's own default
seeds = 5                            # how many, or a list: [0, 1, 2]
# precision = "auto"                 # "float32"; "mixed" (products in bfloat16); "auto" (mixed where it is faster)

# A variant is the base recipe with changes to any of its settings. All variants are compared with the first one.

[variants.baseline]

[variants.l2]
l2 = 1e-3

[variants.dropout]
dropout = 0.3

[variants.early-stopping]
early_stopping = {{ monitor = "val_loss", patience = 5, restore_best_weights = true }}

[variants.smaller]
model = {{ hidden = [32] }}

# A sweep makes one variant per value or, with several keys, one per combination.

# [sweeps.grid]
# l2 = [1e-4, 1e-3]
# dropout = [0.2, 0.4]

# [search]                           # try configurations first; the best is judged as the variant "found"
# trials = 40                        # docs/how-to/search.md
# [search.space]
# weight_decay = {{ low = 1e-6, high = 1e-1, log = true }}
# "model.hidden" = [[64], [128, 64]]

# [published]                        # results from a paper or a course, shown next to yours
# baseline = {{ test_accuracy = 0.97 }}

# [compare]
# metric = "balanced_accuracy"       # "accuracy", "macro_f1", "roc_auc", "log_loss", "brier": what verdicts rest on
# margin = 0.001                     # smaller differences in it do not matter; decide before you train

# [[questions]]                      # further questions: beats, best, onset, stop, winner, matches, generalizes,
#                                    # signs, capacity, impact or patterns
# ask = "Does dropout beat L2?"
# kind = "beats"
# variant = "dropout"
# than = ["l2"]

# [report]                           # who hands it in, and your own words; changing them trains nothing again
# authors = ["Ada Lovelace"]
# course = "Deep Learning"
# [report.text]                      # Markdown for each section, by its name; or text = "..." above for one text
# introduction = "We wanted to know ..."
# "Learning curves" = "The loss of *dropout* falls slowest."
# conclusion = "..."

# [quick]                            # the smaller version that wellfit run --quick trains
# epochs = 3
# seeds = 2
# train_share = 0.25

# [parts.wider]                      # another question about the same data: wellfit run {file}/wider
# title = "Does a wider network help?"
# [parts.wider.variants]
# baseline = {{}}
# wider = {{ model = {{ hidden = [512, 256] }} }}
"""


def write_template(name: str) -> Path:
    """Write a commented study file to start from.

    Args:
      name: of the study, or the path of its file, with or without ``.toml``.

    Returns:
      The file.

    Raises:
      StudyFileError: an invalid name, an existing file, or a file that cannot be written.
    """
    from wellfit.spec.consistency import check_name
    from wellfit.spec.source import Source

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    check_name(path.stem, ("NAME",), Source("wellfit new"))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=path.stem, file=path.name))
    except FileExistsError:
        raise StudyFileError(f"{path}: already exists and is not overwritten; choose another name") from None
    except OSError as error:
        raise StudyFileError(f"{path}: cannot be written: {error.strerror}; choose another location") from None
    return path
