"""What the columns of a table of runs are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wellfit.data.predictions.run_columns import as_numbers, cells_of, run_table, seeds_of, shown, variants_of
from wellfit.errors import DataError


def table(path: Path, text: str, named: tuple[str, int] | None = None):
    path.write_text(text)
    return run_table(path, named)


def test_columns_say_variant_and_seed_or_the_name_does(tmp_path: Path):
    text = "Model,run,y_pred,y_true,index\nb,1,0,0,0\na,0,1,1,0\nb,0,1,1,0\n"
    found = table(tmp_path / "runs.csv", text)
    codes, names = variants_of(found)
    assert (codes.tolist(), names, seeds_of(found).tolist()) == ([0, 1, 0], ["b", "a"], [1, 0, 0])
    alone = table(tmp_path / "l2=0.1.7.csv", "predicted,label,example\n0,0,0\n1,1,1\n")
    assert (variants_of(alone)[1], seeds_of(alone).tolist()) == (["l2=0.1"], [7, 7])
    given = table(tmp_path / "runs.csv", text, ("c", 3))  # its columns do not count then
    assert (variants_of(given)[1], seeds_of(given).tolist()) == (["c"], [3, 3, 3])


def test_versions_stay_as_they_are_written(tmp_path: Path):
    found = table(tmp_path / "runs.csv", "variant,seed,accuracy\n1.1,0,0.5\n1.10,0,0.6\n")
    assert variants_of(found)[1] == ["1.1", "1.10"]


def test_classes_in_names_of_columns(tmp_path: Path):
    found = table(tmp_path / "a.0.csv", "example,label,p_1.0,prob:0,proba_ 2 \n0,0,0.2,0.5,0.3\n")
    assert found.probabilities == {"1.0": 2, "0": 3, "2": 4}
    assert table(tmp_path / "a.0.csv", "example,label,logit_x,logit_y\n0,x,2,-1\n").logits


def test_an_empty_cell_is_named(tmp_path: Path):
    found = table(tmp_path / "runs.csv", "variant,seed,accuracy\na,0,0.5\n,1,0.6\n")
    with pytest.raises(DataError, match="line 3: no variant; fill it in, or remove the row"):
        cells_of(found, "variant")


def test_texts_are_no_numbers_and_stand_in_quotation_marks():
    numbers = as_numbers(pd.Series(["1.5", "x", None], dtype="category"))
    np.testing.assert_array_equal(numbers, [1.5, np.nan, np.nan])
    assert (shown("x\ny"), shown(np.float64(1.5)), shown(3)) == ("'x\\ny'", "1.5", "3")
