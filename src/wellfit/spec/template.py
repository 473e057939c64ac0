"""What helps to write a study file: a commented one to start from, and the JSON Schema for editors."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from wellfit.errors import StudyFileError

__all__ = ["TEMPLATE", "json_schema", "write_template"]

TEMPLATE: Final = """\
# A study: one question, asked of a data set. Run it with: wellfit run {file}
# What may stand here, with ranges, for an editor that knows TOML: wellfit schema > wellfit.schema.json
#:schema ./wellfit.schema.json

name = "{name}"
title = "Which regularizer helps?"   # the question, for headlines
# extends = "lab5"                   # start from another study, and say here only what differs

[data]
name = "digits"                      # see wellfit list; or path = "my-images/", "my.csv", "my.npz", beside this file
validation = 0.2                     # share of the training examples that validates
scale = "unit"                       # "unit": pixels divided by their largest value; "standardize": feature rows

[model]
kind = "mlp"                         # "logistic", "mlp", "lenet5", "cnn", or "layers" with a list of layers
hidden = [128, 64]

[train]                              # the base recipe, which every variant starts from
epochs = 30
batch_size = 32
optimizer = "adam"                   # sgd, momentum, nesterov, adagrad, rmsprop, adam, adamw, nadam, lion
learning_rate = 1e-3                 # left out: the optimizer's own default
seeds = 5                            # how many, or which: [0, 1, 2]
# precision = "auto"                 # "float32"; "mixed": products in bfloat16; "auto": that, where it is faster

# A variant is the base recipe with changes; anything can be changed. The others are compared with the first one.

[variants.baseline]

[variants.l2]
l2 = 1e-3

[variants.dropout]
dropout = 0.3

[variants.early-stopping]
early_stopping = {{ monitor = "val_loss", patience = 5, restore_best_weights = true }}

[variants.smaller]
model = {{ hidden = [32] }}

# A sweep makes one variant a value; with several keys, one a combination.

# [sweeps.grid]
# l2 = [1e-4, 1e-3]
# dropout = [0.2, 0.4]

# [published]                        # numbers of a paper or a course, to stand beside yours
# baseline = {{ test_accuracy = 0.97 }}

# [compare]
# margin = 0.001                     # differences in accuracy below this do not matter: decide before you look

# [[questions]]                      # what else is to be answered: beats, best, onset, stop, winner or matches
# ask = "Does dropout beat L2?"
# kind = "beats"
# variant = "dropout"
# than = ["l2"]

# [quick]                            # what wellfit run --quick leaves of it
# epochs = 3
# seeds = 2
# train_share = 0.25

# [parts.wider]                      # another question of the same data: wellfit run {file}/wider
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
      StudyFileError: no fitting name, a file that is there already, or one that cannot be written.
    """
    from wellfit.spec.checks import check_name
    from wellfit.spec.source import Source

    path = Path(name if name.endswith(".toml") else f"{name}.toml")
    check_name(path.stem, ("NAME",), Source("wellfit new"))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(TEMPLATE.format(name=path.stem, file=path.name))
    except FileExistsError:
        raise StudyFileError(f"{path}: is there already, and is not overwritten; choose another name") from None
    except OSError as error:
        raise StudyFileError(f"{path}: cannot be written: {error.strerror}; choose another place") from None
    return path


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a study file, as editors take it.

    Nothing is required in it, because a file may extend another, and it holds no defaults: those are the recipe's.

    Example:
      >>> schema = json_schema()
      >>> schema["properties"]["train"], schema["$defs"]["TrainTable"]["properties"]["label_smoothing"]["type"]
      ({'$ref': '#/$defs/TrainTable'}, 'number')
    """
    from wellfit.spec.schema import StudyTables

    schema: dict[str, Any] = _bare(StudyTables.model_json_schema())
    schema.pop("required", None)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "wellfit study file", **schema}


def _bare(schema: Any) -> Any:
    """A schema without pydantic's defaults and titles, which are not ours; keys of the file that are so called stay."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _bare(value) for name, value in item.items()} if key in ("properties", "$defs") else _bare(item)
        for key, item in schema.items()
        if key != "default" and not (key == "title" and isinstance(item, str))
    }
