"""``--quick``: a smaller study."""

from __future__ import annotations

from pathlib import Path

import pytest

from sized_study import written
from wellfit.errors import StudyFileError
from wellfit.spec.identity import fingerprint, spec_conflicts
from wellfit.spec.study import load_study, recipes, resolved


def test_quick_is_another_smaller_study(base: Path) -> None:
    whole, quick = load_study(base), load_study(base, quick=True)
    assert (quick.name, quick.title) == ("base", "Which? (quick)")
    assert (quick.base.epochs, quick.seeds, quick.data.train_share) == (5, (3, 4), 0.25)
    assert list(quick.variants) == ["plain", "long", "l2=1", "l2=3", "l2=6"]
    assert recipes(quick)["long"].epochs == 10  # twice as many, as before
    assert quick.published == {"plain": {"test_loss": 1.0}, "l2=6": {"test_loss": 6.0}}
    assert spec_conflicts(resolved(whole), resolved(quick)) == "[data] train_share is 1.0 there and 0.25 here"
    assert fingerprint(resolved(whole), resolved(quick))
    part = load_study(f"{base}/wide", quick=True)
    assert (part.base.epochs, part.seeds) == (5, (3,))


def test_flags_take_precedence_over_quick(base: Path) -> None:
    study = load_study(base, quick=True, epochs=7, seeds=4, data="digits", settings=["data.train_share=0.5"])
    assert (study.base.epochs, study.seeds, study.data.train_share) == (7, (0, 1, 2, 3), 0.5)
    assert study.title == "Which variant of base generalizes best on Digits? (with data.train_share=0.5) (quick)"


def test_quick_never_makes_more(tmp_path: Path) -> None:
    own = written(
        tmp_path,
        '[data]\nname = "digits"\ntrain_share = 0.1\n[train]\nepochs = 2\nseeds = 1\n'
        "[sweeps.a]\nepochs = [1, 2]\n[variants.b]\nepochs = 1\n",
    )
    quick = load_study(own, quick=True)
    assert (quick.base.epochs, quick.seeds, quick.data.train_share) == (2, (0,), 0.1)
    assert [recipe.epochs for recipe in recipes(quick).values()] == [1, 1, 2]


def test_epochs_that_become_equal_make_one_variant(tmp_path: Path) -> None:
    own = written(tmp_path, '[data]\nname = "digits"\n[sweeps.a]\nepochs = [1, 2, 3, 60, 120]\n')
    assert list(load_study(own, quick=True).variants) == ["baseline", "epochs=1", "epochs=6", "epochs=12"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[quick]\nepochs = 0\n", "line 4, [quick] epochs: must be from 1 to 1000000, got 0"),
        ("[quick]\nepoch = 1\n", "unknown key 'epoch' in own.toml, line 4, [quick]; did you mean 'epochs'?"),
        ("[quick]\nvalues = 1\n", "line 4, [quick] values: must be from 2 to 1000, got 1"),
        ("[quick]\ntrain_share = 0\n", "line 4, [quick] train_share: must be greater than 0 and at most 1"),
    ],
)
def test_mistakes_in_quick_are_refused_without_the_flag_too(tmp_path: Path, text: str, message: str) -> None:
    own = written(tmp_path, '[data]\nname = "digits"\n' + text)
    for quick in (False, True):
        with pytest.raises(StudyFileError) as caught:
            load_study(own, quick=quick)
        assert message in str(caught.value).replace(str(own), own.name)


@pytest.mark.parametrize(
    "text",
    [
        "data = 3\n",
        "[data]\nname='digits'\ntrain_share='x'\n",
        "train = 3\n[data]\nname='digits'\n",
        "variants = 3\n[data]\nname='digits'\n",
        "[data]\nname='digits'\n[train]\nepochs='x'\n",
        "[data]\nname='digits'\n[train]\nepochs=0\n",
        "[data]\nname='digits'\n[train]\nseeds='x'\n",
        "[data]\nname='digits'\n[variants]\na=3\n",
        "[data]\nname='digits'\n[sweeps]\na=3\n",
        "[data]\nname='digits'\n[sweeps.a]\nl2=3\n",
        "[data]\nname='digits'\n[sweeps.a]\nepochs=['x']\n",
    ],
)
def test_malformed_tables_are_refused_as_without_quick(tmp_path: Path, text: str) -> None:
    own = written(tmp_path, text)
    for quick in (False, True):
        with pytest.raises(StudyFileError, match=r"own.toml, .*: must be .*got"):
            load_study(own, quick=quick)


def test_questions_about_removed_variants_are_dropped() -> None:
    full, quick = (load_study("lab5/epochs", quick=quick).questions for quick in (False, True))
    assert [q.kind for q in full] == ["best", "stop"]
    assert [q.kind for q in quick] == ["best"]  # there are no 100 epochs
    other = load_study("lab5", data="digits").questions
    assert [q.kind for q in other] == ["best", "onset", "patterns"]  # nothing was published of these data
    assert load_study("lab5", settings=["questions=[]"]).questions == ()
