"""Parts, extends and settings: which tables are merged, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sized_study import BASE, written
from wellfit.base import EarlyStopping
from wellfit.errors import StudyFileError, UnknownNameError
from wellfit.spec.source import Source
from wellfit.spec.study import load_study, recipes, study_from_mapping

# --- Parts


def test_a_part_inherits_everything_but_the_variants(base: Path) -> None:
    whole, part = load_study(base), load_study(f"{base}/wide")
    assert (part.name, part.title, part.description) == ("base-wide", "Wider?", "")
    assert (part.data, part.seeds, part.base.epochs) == (whole.data, (3, 4, 5), 20)
    assert (part.base.model.kind, part.base.model.hidden) == ("cnn", (16,))
    assert (list(part.variants), part.published) == (["a", "b"], {})
    assert recipes(part)["b"].schedule == whole.base.schedule
    bare = load_study(f"{base}/bare")
    assert (bare.title, list(bare.variants), bare.base) == ("base-bare", ["baseline"], whole.base)
    more = load_study(f"{base}/more")
    assert (more.name, list(more.variants)) == ("base-more", ["baseline", "l2", "dropout", "noisy"])
    assert more.data.name_or_path == "fashion-mnist"


def test_unknown_parts_are_refused(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"unknown part 'dpth' in lab5.toml \(built in\); did you mean 'depth'"):
        load_study("lab5/dpth")
    alone = written(tmp_path, '[data]\nname = "digits"\n')
    with pytest.raises(StudyFileError, match=r"own.toml: has no parts; remove /wide$"):
        load_study(f"{alone}/wide")
    with pytest.raises(StudyFileError, match="lab6/depth: no such file"):
        load_study("lab6/depth")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "dropout = 0.1",
            "droput = 0.1",
            "unknown key 'droput' in base.toml, line 40, [parts.wide.variants.b]; did you",
        ),
        ("dropout = 0.1", "dropout = 2", "base.toml, line 40, [parts.wide.variants.b] dropout: must be at least 0 and"),
        (
            "hidden = [16]",
            "hiden = [16]",
            "unknown key 'hiden' in base.toml, line 37, [parts.wide.model]; did you mean",
        ),
        ("hidden = [16]", "hidden = []", "base.toml, line 36, [parts.wide] model: cnn needs hidden layers"),
        (
            'title = "Wider?"',
            "epochs = 3",
            "unknown key 'epochs' in base.toml, line 35, [parts.wide]; did you mean 'tra",
        ),
        ('title = "Wider?"', 'name = "x"', "unknown key 'name' in base.toml, line 35, [parts.wide]"),
        ("seeds = 1\n", "seeds = 0\n", "base.toml, line 42, [parts.wide.quick] seeds: must be from 1 to 10000, got 0"),
        ("epochs = 20", "epochs = 0", "base.toml, line 13, [train] epochs: must be from 1 to 1000000, got 0"),
    ],
)
def test_mistakes_in_a_part_are_reported_with_their_place(base: Path, old: str, new: str, message: str) -> None:
    assert BASE.count(old) == 1
    base.write_text(BASE.replace(old, new))
    with pytest.raises(StudyFileError) as caught:
        load_study(f"{base}/wide")
    refused = str(caught.value).replace(str(base), base.name)
    assert message in refused
    assert "\n" not in refused
    if "[parts" in message and "cnn needs" not in message:  # the study itself refuses it, too
        with pytest.raises(StudyFileError) as caught:
            load_study(base)
        assert str(caught.value).replace(str(base), base.name).startswith(message[:30])


def test_parts_that_are_no_tables(base: Path, tmp_path: Path) -> None:
    bad = written(tmp_path, 'parts = 3\n[data]\nname = "digits"\n')
    with pytest.raises(StudyFileError, match=r"own.toml, line 1, parts: must be a table, got 3"):
        load_study(f"{bad}/wide")
    bad.write_text('parts = { a = 3 }\n[data]\nname = "digits"\n')
    with pytest.raises(StudyFileError, match=r"own.toml, line 1, \[parts\] a: must be a table, got 3"):
        load_study(f"{bad}/a")
    with pytest.raises(StudyFileError, match="parts can only be set in the study file"):
        load_study(base, settings=["parts.wide.title=x"])


# --- Extends


def test_an_extending_study_says_only_what_differs(base: Path, tmp_path: Path) -> None:
    own = written(
        tmp_path,
        'extends = "base.toml"\n[train]\nepochs = 9\nschedule = { kind = "cosine" }\n[variants.long]\nepochs = 50\n'
        "[variants.new]\nbatch_size = 8\n[sweeps.l2]\nl2 = [7]\n[published]\nnew = { test_loss = 3 }\n",
    )
    study = load_study(own)
    assert (study.name, study.title, study.description) == ("own", "Which?", "a study")
    assert list(study.variants) == ["plain", "long", "new", "l2=7"]
    variant = recipes(study)
    assert (variant["long"].epochs, variant["long"].dropout, variant["new"].batch_size) == (50, 0.5, 8)
    assert (variant["plain"].epochs, variant["plain"].model.hidden) == (9, (8, 4))
    assert variant["plain"].schedule is not None
    assert (variant["plain"].schedule.kind, variant["plain"].schedule.every) == (
        "cosine",
        None,
    )  # a kind's settings stay its
    assert study.published == {"plain": {"test_loss": 1.0}, "new": {"test_loss": 3.0}}


def test_other_data_drop_the_extended_studys_claims(base: Path, tmp_path: Path) -> None:
    own = written(tmp_path, 'extends = "base.toml"\n[data]\nname = "digits"\n')
    study = load_study(own)
    assert (study.title, study.description, study.published) == ("own", "", {})
    assert study.data.name_or_path == "digits"
    again = load_study(
        written(tmp_path, 'extends = "lab5"\n[data]\nname = "fashion-mnist"\n[model]\nkind = "lenet5"\n')
    )
    assert again.published == load_study("lab5").published
    assert (again.base.model.kind, again.base.model.hidden) == ("lenet5", ())


def test_what_a_built_in_study_chooses_for_its_own_data_is_not_used_for_others(base: Path, tmp_path: Path) -> None:
    def chosen(study: str | Path | None, **how: Any) -> tuple[int | None, int]:
        loaded = load_study(study, **how)
        return loaded.base.examples, len(loaded.seeds)

    for study in (None, "regularization", "regularization/l2"):
        assert chosen(study) == chosen(study, data="digits") == (300, 10)
        assert chosen(study, data="my.csv") == chosen(study, settings=["data.name=my.csv"]) == (None, 5)
    assert chosen(None, data="my.csv", quick=True) == (None, 3)
    assert chosen(None, data="my.csv", seeds=10, settings=["train.examples=50"]) == (50, 10)
    assert chosen("label-noise", data="my.csv") == (None, 3)  # its seeds have nothing to do with its data

    extending = written(tmp_path, 'extends = "regularization"\n[data]\npath = "my.csv"\n')
    assert chosen(extending) == (None, 5)
    extending = written(tmp_path, 'extends = "regularization"\n[train]\nseeds = 7\n')
    assert chosen(extending) == (300, 7)
    assert chosen(extending, data="my.csv") == (None, 7)
    own = written(tmp_path, 'extends = "regularization"\n[train]\nexamples = 40\n')
    assert chosen(own, data="my.csv") == (40, 10)
    python = study_from_mapping({"extends": "regularization", "data": {"path": "my.csv"}})
    assert (python.base.examples, len(python.seeds)) == (None, 5)


def test_an_extended_studys_paths_stay_its_own(base: Path, tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    own = written(tmp_path / "deep", 'extends = "../base.toml/wide"\n')
    assert Path(load_study(own).data.name_or_path).resolve() == (tmp_path / "my.csv").resolve()


def test_python_can_extend_too() -> None:
    study = study_from_mapping({"extends": "lab5/depth", "train": {"epochs": 2}})
    assert (study.base.epochs, list(study.variants)[:2]) == (2, ["128-64", "64"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('extends = "lab6"\n', "own.toml, line 1, extends: unknown study 'lab6'; did you mean 'lab5'?"),
        ('extends = "lab5/dpth"\n', "own.toml, line 1, extends: unknown part 'dpth' in lab5.toml (built in)"),
        ('extends = "none.toml"\n', "own.toml, line 1, extends: "),
        ("extends = 3\n", "own.toml, line 1, extends: must be a string, got 3"),
        ('extends = "own.toml"\n', "a study cannot extend itself"),
        (
            'extends = "lab5"\n[train]\nepoch = 3\n',
            "unknown key 'epoch' in own.toml, line 3, [train]; did you mean 'ep",
        ),
        (
            'extends = "lab5"\n[variants.l2]\nl2 = -1\n',
            "own.toml, line 3, [variants.l2] l2: must be at least 0, got -1",
        ),
        ('extends = "lab5"\n[model]\nhidden = [3]\n[train]\nl2 = [1]\n', "[train] l2: 1 strengths"),
    ],
)
def test_mistakes_in_extending(tmp_path: Path, text: str, message: str) -> None:
    own = written(tmp_path, text)
    if "strengths" in message:
        assert load_study(own).base.l2 == (1.0,)
        return
    with pytest.raises(StudyFileError) as caught:
        load_study(own)
    assert message in str(caught.value).replace(str(own), own.name)
    assert "\n" not in str(caught.value)


def test_a_setting_of_a_nested_table_can_be_changed_alone(base: Path, tmp_path: Path) -> None:
    base.write_text(BASE.replace("dropout = 0.5", "early_stopping = { patience = 3, start_epoch = 2 }"))
    own = written(tmp_path, 'extends = "base.toml"\n[variants.long]\nearly_stopping = { start_epoch = 9 }\n')
    assert recipes(load_study(own))["long"].early_stopping == EarlyStopping(3, start_epoch=9)
    own.write_text('extends = "base.toml"\n[variants.plain]\nearly_stopping = { start_epoch = 9 }\n')
    with pytest.raises(
        StudyFileError, match=r"own.toml, line 3, \[variants.plain\] early_stopping.patience: is missing"
    ):
        load_study(own)


def test_a_mistake_in_the_extended_file_has_its_place(base: Path, tmp_path: Path) -> None:
    base.write_text(BASE.replace("dropout = 0.5", "dropout = 5"))
    own = written(tmp_path, 'extends = "base.toml"\n[variants.long]\nepochs = 3\n')
    with pytest.raises(StudyFileError, match=r"base.toml, line 21, \[variants.long\] dropout: must be at least 0"):
        load_study(own)


def test_a_study_has_its_own_questions_or_inherits_them(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('extends = "lab5/combined"\n')
    assert [q.kind for q in load_study(own).questions] == ["beats", "best"]
    own.write_text('extends = "lab5/l2"\n[sweeps.l2]\nl2 = [1e-3]\n[[questions]]\nask = "?"\nkind = "onset"\n')
    assert [q.kind for q in load_study(own).questions] == ["onset"]


def test_the_title_mentions_what_changed_for_all_variants() -> None:
    title = load_study("lab5").title

    def shown(*settings: str, **given: Any) -> str:
        return load_study("lab5", settings=settings, **given).title.removeprefix(title)

    assert shown("model.hidden=[16]") == " (with model.hidden=[16])"
    assert shown("model.hidden=[16]", quick=True) == " (with model.hidden=[16]) (quick)"
    assert shown("model.hidden=[128, 64]", "train.batch_size=256") == ""  # as the file has them
    assert shown("train.seeds=2", "variants.l2.l2=0.1", "compare.margin=0.01", epochs=2, precision="mixed") == ""
    many = [f"train.{key}=0.002" for key in ("l1", "l2", "learning_rate", "weight_decay")]
    assert shown("train.optimizer=adamw", *many) == " (with train.optimizer=adamw, train.l1=0.002, 3 more settings)"
    assert load_study("lab5", settings=["model.hidden=[16]", "title=Mine"]).title == "Mine"


# --- Settings


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("epochs=3", "unknown key 'epochs' in --set epochs=3; did you mean 'train.epochs'?"),
        ("dropuot=0.5", "unknown key 'dropuot' in --set dropuot=0.5; did you mean 'train.dropout'?"),
        ("seed=3", "unknown key 'seed' in --set seed=3; did you mean 'train.seeds'?"),
        ("trian.l2=1", "unknown key 'trian' in --set trian.l2=1; did you mean 'train'?"),
        ("titel=3", "unknown key 'titel' in --set titel=3; did you mean 'title'?"),
        ("hidden=[3]", "unknown key 'hidden' in --set hidden=[3]; did you mean 'model.hidden'?"),
        ("validation=0.3", "unknown key 'validation' in --set validation=0.3; did you mean 'data.validation'?"),
        ("variants.dropuot.l2=1", "unknown variant 'dropuot' in --set variants.dropuot.l2=1; did you mean 'dropout'?"),
        (
            "variants.Baseline.l2=1",
            "unknown variant 'Baseline' in --set variants.Baseline.l2=1; did you mean 'baseline'",
        ),
        ("quick.epochs=1", "--set quick.epochs=1: quick can only be set in the study file"),
        ("extends=lab5", "--set extends=lab5: extends can only be set in the study file"),
    ],
)
def test_misspelled_settings_suggest_a_fix(setting: str, message: str) -> None:
    with pytest.raises(StudyFileError) as caught:
        load_study("lab5", settings=[setting])
    assert str(caught.value).startswith(message)


def test_a_new_variant_can_be_added_twice_over() -> None:
    study = load_study("lab5", settings=["variants.mine.l2=1", "variants.mine.dropout=0.1"])
    assert (recipes(study)["mine"].l2, recipes(study)["mine"].dropout) == (1.0, 0.1)


def test_a_new_variant_joins_the_implied_baseline() -> None:
    study = load_study("regularization/l2", settings=["variants.mine.l2=7", "sweeps.l2.l2=[1]"])
    assert list(study.variants) == ["baseline", "mine", "l2=1"]
    with pytest.raises(StudyFileError, match="must be a table"):
        load_study("regularization/l2", settings=["variants=3"])


def test_a_place_may_be_in_the_extended_file() -> None:
    under = Source("under.toml", "[train]\nl2 = 1\nl1 = 2\n")
    over = Source("over.toml", "[train]\nl2 = 2\n", under=under)
    assert over.place(("train", "l2")) == "over.toml, line 2, [train] l2"
    assert over.place(("train", "l1")) == "under.toml, line 3, [train] l1"
    assert over.place(("train", "dropout")) == "over.toml, line 1, [train] dropout"


# --- Settings about reading -------------------------------------------------------------------------------------------


def test_other_data_are_not_read_like_the_file_s(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[data]\npath = "a.csv"\nlabel = "Churn"\ntest_file = "t.csv"\nvalidation = 0.3\n')
    study = load_study(own)
    assert study.data.label == "Churn"
    assert study.data.test_file == str(tmp_path / "t.csv")
    assert load_study(own, data=tmp_path / "a.csv").data.label == "Churn"  # the same file
    other = load_study(own, data="b.csv")
    assert other.data.given == ()
    assert other.data.validation == 0.3
    assert load_study(own, data="b.csv", settings=["data.label=y"]).data.given == ("label",)


def test_an_extended_study_reads_its_own_data_only(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "own.toml").write_text(
        '[data]\npath = "a.csv"\nlabel = "Churn"\nvalidation_file = "v.csv"\nscale = "standardize"\n'
    )
    same, other = tmp_path / "same.toml", tmp_path / "other.toml"
    same.write_text('extends = "./below/own.toml"\n')
    other.write_text('extends = "./below/own.toml"\n[data]\npath = "b.csv"\n')
    assert load_study(same).data.validation_file == str(tmp_path / "below" / "v.csv")
    assert load_study(same).data.label == "Churn"
    assert load_study(other).data.given == ()
    assert load_study(other).data.scale == "standardize"


def test_files_from_outside_are_relative_to_the_working_directory(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[data]\npath = "a.csv"\n')
    assert load_study(own, settings=["data.test_file=t.csv"]).data.test_file == "t.csv"


def test_how_data_are_read_is_no_part_of_the_title(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('title = "Why?"\n[data]\npath = "a.csv"\n')
    assert load_study(own, settings=["data.label=y", "data.drop=['id']"]).title == "Why?"
    assert load_study(own, settings=["data.label=y", "data.validation=0.3"]).title == "Why? (with data.validation=0.3)"
