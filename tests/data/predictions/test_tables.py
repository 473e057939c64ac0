"""Predictions in tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from predictions import ACCURACIES, LABELS, accuracy_frame, all_values, archives, long_frame, probabilities
from wellfit.data.predictions.read import read_predictions
from wellfit.data.predictions.tables import read_tables
from wellfit.errors import DataError


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False) if path.suffix == ".csv" else frame.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_long_table_holds_what_the_archives_hold(tmp_path: Path, suffix: str):
    table = read_predictions([written(long_frame().sample(frac=1, random_state=0), tmp_path / f"long{suffix}")])
    folder = read_predictions([archives(tmp_path / "runs")])
    np.testing.assert_array_equal(table.labels, folder.labels)
    assert table.classes == folder.classes
    of_folder = {(run.variant, run.seed): run.values() for run in folder.runs}
    for run in table.runs:
        assert run.values().tobytes() == of_folder[run.variant, run.seed].tobytes()


def test_classes_with_names_in_several_files(tmp_path: Path):
    frame = long_frame(classes_only=True)
    names = np.array(["cat", "dog", "eel"])
    frame["label"], frame["predicted"] = names[frame["label"]], names[frame["predicted"]]
    files = [written(part.drop(columns=["variant", "seed"]), tmp_path / f"{name}.{seed}.csv")
             for (name, seed), part in frame.groupby(["variant", "seed"])]  # fmt: skip
    found = read_predictions(files)
    assert found.classes == ("cat", "dog", "eel")
    assert found.variants == dict.fromkeys(sorted(ACCURACIES), (0, 1, 2))
    run = next(run for run in found.runs if (run.variant, run.seed) == ("l1", 2))
    np.testing.assert_array_equal(run.values(), probabilities("l1", 2).argmax(axis=1))


def test_labels_apart_and_accuracies_alone(tmp_path: Path):
    written(pd.DataFrame({"label": LABELS}), tmp_path / "labels.csv")
    written(long_frame().drop(columns="label"), tmp_path / "long.csv")
    found = read_predictions([tmp_path])
    np.testing.assert_array_equal(found.labels, LABELS)
    alone = read_tables([written(accuracy_frame(), tmp_path / "accuracies.csv")], "here")
    assert [run.accuracy for run in alone.runs] == accuracy_frame()["accuracy"].tolist()
    assert (alone.classes, len(alone.labels)) == ((), 0)


def test_columns_that_are_named_by_numbers_are_found_by_them(tmp_path: Path):
    frame = long_frame(2)
    usual = read_predictions([written(frame, tmp_path / "usual.csv")])
    turned = frame.rename(columns={f"p_{k}": f"p_{k}.0" for k in range(3)})
    turned = turned[[*[name for name in turned if not name.startswith("p_")], "p_2.0", "p_1.0", "p_0.0"]]
    found = read_predictions([written(turned, tmp_path / "turned.csv")])
    for one, other in zip(usual.runs, found.runs, strict=True):
        right = [(run.values().argmax(axis=1) == of.labels).mean() for run, of in ((one, usual), (other, found))]
        assert right[0] == right[1]
    assert [found.classes[k] for k in found.labels] == [usual.classes[k] for k in usual.labels]


@pytest.mark.parametrize(
    ("names", "labels"),
    [(("01", "02"), ("01", "02", "01")), (("1", "01"), ("1", "01", "1")), (("2.0", "x"), ("2.0", "x", "x"))],
)
def test_names_that_are_no_usual_numbers_stay_texts(tmp_path: Path, names: tuple[str, ...], labels: tuple[str, ...]):
    head = ",".join(f"p_{name}" for name in names)
    rows = "".join(f"{at},{label},0.75,0.25\n" for at, label in enumerate(labels))
    (tmp_path / "a.0.csv").write_text(f"example,label,{head}\n{rows}")
    found = read_predictions([tmp_path / "a.0.csv"])
    assert [found.classes[k] for k in found.labels] == list(labels)
    assert [found.classes[k] for k in found.runs[0].values().argmax(axis=1)] == [names[0]] * 3


@pytest.mark.parametrize(
    ("labels", "column"), [((0, 1, 1), "p_1"), ((0, 1, 1), "p_1.0"), (("cat", "dog", "dog"), "p_dog")]
)
def test_one_column_is_the_probability_of_the_second_of_two_classes(tmp_path: Path, labels: tuple, column: str):
    rows = "".join(f"{at},{label},{p}\n" for at, (label, p) in enumerate(zip(labels, (0.25, 0.75, 0.5), strict=True)))
    file = tmp_path / "a.0.csv"
    file.write_text(f"example,label,{column}\n{rows}")
    found = read_predictions([file])
    assert found.classes == tuple(map(str, labels[:2]))
    np.testing.assert_allclose(found.runs[0].values(), [[0.75, 0.25], [0.25, 0.75], [0.5, 0.5]])
    other = f"p_{labels[0]}"
    file.write_text(f"example,label,{other}\n{rows}")
    message = f"one column of probabilities alone must be that of the second class, p_{labels[1]}, but is {other}"
    with pytest.raises(DataError, match=message):
        read_predictions([file])
    file.write_text(f"example,label,{column}\n{rows}3,zebra,0.5\n")
    with pytest.raises(DataError, match=r"must be that of the second class|but there are 3 classes"):
        read_predictions([file])


def test_what_a_study_file_would_set_is_not_advised(tmp_path: Path):
    file = tmp_path / "grouped.csv"
    file.write_text("variant;seed;example;label;predicted\n" + "".join(f"a;0;{at},000;{at};1\n" for at in range(1, 4)))
    with pytest.raises(
        DataError, match=r"may be .*; save the table in UTF-8, with commas between the columns and points"
    ):
        read_predictions([file])


def spoiled(frame: pd.DataFrame, at: int, **cells: object) -> pd.DataFrame:
    frame = frame.astype(dict.fromkeys(cells, object))
    for column, value in cells.items():
        frame.loc[at, column] = value
    return frame


LONG, ALONE = long_frame(2), accuracy_frame(2)


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (LONG.rename(columns={"seed": "sead"}), "unknown column 'sead'; did you mean 'seed'?"),
        (LONG.drop(columns="variant"), "has no column variant"),
        (LONG.drop(columns="example"), "has no column example"),
        (LONG.drop(columns="label"), "has no column label; add it, or give --labels FILE"),
        (LONG.drop(columns=["p_0", "p_1", "p_2"]), "has neither predicted nor probabilities"),
        (LONG.assign(predicted=0), "has both predicted and probabilities"),
        (LONG.assign(y_true=0), "columns 'label' and 'y_true' both say the label"),
        (LONG.rename(columns={f"p_{k}": f"logit_{k}" for k in range(3)}), "holds logits; give --softmax"),
        (spoiled(LONG, 7, seed=1.5), "long.csv, line 9: seed 1.5 is not a whole number"),
        (spoiled(LONG, 7, variant=None), "long.csv, line 9: no variant; fill it in"),
        (spoiled(LONG, 7, example=6), "line 9: example 6 of variant 'baseline', seed 0 is there twice"),
        (spoiled(LONG, 207, label=int(2 - LABELS[7]) if LABELS[7] != 1 else 0), "line 209: example 7 has the label"),
        (spoiled(LONG, 7, p_0=9.0), "9 in line 9 is not a probability; if these are logits, give --softmax"),
        (spoiled(LONG, 7, p_0=None), "NaN or infinity in line 9"),
        (LONG.drop(columns="p_2"), r"label 2 has no column of probabilities \(p_0, p_1\); name each after its"),
        (LONG.rename(columns={"p_0": "p_3"}), r"label 0 has no column of probabilities \(p_3, p_1, p_2\)"),
        (
            LONG.rename(columns={"p_1": "p_0.0"}),
            "two columns of probabilities are of one class .p_0, p_0.0, p_2.; keep one",
        ),
        (spoiled(LONG, 7, seed="x" * 500), f"line 9: seed '{'x' * 57}...' is not a whole number"),
        (LONG.assign(prob_1=0.5), "columns 'p_1' and 'prob_1' are both of class '1'; keep one of the two"),
        (spoiled(ALONE, 1, accuracy=91.5), "line 3: accuracy 91.5 is not between 0 and 1; divide percentages by 100"),
        (spoiled(ALONE, 1, accuracy=-1), "line 3: accuracy .* is not between 0 and 1; give shares"),
        (spoiled(ALONE, 1, accuracy=None), "line 3: no accuracy; fill it in"),
        (
            long_frame(2, classes_only=True).assign(label=np.tile(np.array(["a", "b", "c"])[LABELS], 6)),
            "long.csv: variant 'baseline', seed 0: predicts 0, 1, 2, none of which is a label .a, b, c.",
        ),
        (ALONE.assign(example=1), "has the columns accuracy and example"),
    ],
)
def test_tables_that_cannot_be_are_one_line(tmp_path: Path, frame: pd.DataFrame, message: str):
    path = written(frame, tmp_path / "long.csv")
    with pytest.raises(DataError, match=message) as caught:
        all_values(read_predictions([path]))
    assert "\n" not in str(caught.value)


def test_files_of_different_kinds_are_one_line(tmp_path: Path):
    long, alone = written(LONG, tmp_path / "long.csv"), written(ALONE, tmp_path / "alone.csv")
    fewer = written(LONG.drop(columns="p_2"), tmp_path / "fewer.csv")
    bare = tmp_path / "bare.csv"
    bare.write_text("1,2,3\n4,5,6\n")
    np.savez(tmp_path / "a.0.npz", probabilities=np.eye(2))
    np.savez(tmp_path / "labels.npz", labels=np.arange(3))
    for files, message in (
        ([long, alone], "accuracies, but .* has predictions"),
        ([long, fewer], "fewer.csv: 2 columns of probabilities, but .*long.csv has 3"),
        ([bare], "bare.csv: has no header"),
        ([long, tmp_path / "a.0.npz"], "a table beside a.0.npz"),
        ([long, tmp_path / "labels.npz"], "line .*: example 3 has no label among 3"),
    ):
        with pytest.raises(DataError, match=message):
            read_predictions(files)


def test_groups_of_the_label_file_are_kept(tmp_path: Path):
    written(long_frame().drop(columns="label"), tmp_path / "long.csv")
    np.savez(tmp_path / "labels.npz", labels=LABELS, groups=np.arange(len(LABELS)) // 4)
    found = read_predictions([tmp_path])
    assert found.groups is not None
    np.testing.assert_array_equal(found.groups, np.arange(len(LABELS)) // 4)


def test_labels_apart_are_those_of_the_table_and_name_the_classes(tmp_path: Path):
    named = long_frame().rename(columns={f"p_{k}": f"p_{name}" for k, name in enumerate(["cat", "dog", "eel"])})
    path = written(named[["variant", "seed", "example", "label", "p_eel", "p_cat", "p_dog"]], tmp_path / "long.csv")
    np.savez(tmp_path / "labels.npz", labels=LABELS, classes=["cat", "dog", "eel"])
    found = read_predictions([tmp_path])
    assert found.classes == ("cat", "dog", "eel")
    np.testing.assert_array_equal(found.runs[0].values(), probabilities("baseline", 0))
    np.savez(tmp_path / "labels.npz", labels=LABELS[::-1])
    with pytest.raises(DataError, match=r"long.csv: other labels than .*labels.npz; give the same examples in the"):
        read_tables([path], "here", labels=tmp_path / "labels.npz")


@pytest.mark.parametrize("classes", [None, ["cat", "dog", "eel"]])
def test_columns_of_all_tables_are_in_one_order(tmp_path: Path, classes: list[str] | None):
    frame = long_frame(1)
    files = []
    for at, (name, part) in enumerate(frame.groupby("variant")):
        order = ["p_0", "p_1", "p_2"] if at == 0 else ["p_2", "p_0", "p_1"]
        files.append(written(part[["variant", "seed", "example", "label", *order]], tmp_path / f"{name}.csv"))
    for run in read_tables(files, "here", classes=classes).runs:
        np.testing.assert_array_equal(run.values(), probabilities(run.variant, 0))


def test_versions_are_names_as_they_are_written(tmp_path: Path):
    rows = [f"{version},{seed},0.{9 - at}" for at, version in enumerate(("1.1", "1.10", "007", "7")) for seed in (0, 1)]
    (tmp_path / "t.csv").write_text("variant,seed,accuracy\n" + "\n".join(rows) + "\n")
    given = read_predictions([tmp_path / "t.csv"])
    assert list(given.variants) == ["1.1", "1.10", "007", "7"]


def test_accuracies_need_no_labels_and_seeds_are_no_truths(tmp_path: Path):
    table = tmp_path / "t.csv"
    table.write_text("variant,seed,accuracy\na,0,0.9\nb,0,0.8\n")
    for given in ({"softmax": True}, {"classes": ["a", "b"]}, {"labels": table}):
        with pytest.raises(DataError, match=r"holds accuracies alone, for which .* has no use; leave it out"):
            read_predictions([table], **given)  # type: ignore[arg-type]
    pd.DataFrame({"variant": ["a", "b"], "seed": [True, False], "accuracy": [0.9, 0.8]}).to_parquet(
        tmp_path / "t.parquet"
    )
    with pytest.raises(DataError, match="seeds are true or false"):
        read_predictions([tmp_path / "t.parquet"])
