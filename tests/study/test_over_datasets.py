"""Studies on several data sets, read from their directories."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from wellfit import Study, mlp
from wellfit.data.predictions.arrays import given_arrays
from wellfit.errors import OtherStudyError, StoreUnreadableError
from wellfit.results import Results
from wellfit.study.judge import judge_runs
from wellfit.study.over_datasets import data_names, study_datasets

VARIANTS = {"baseline": {}, "l2": {"l2": 1e-2}, "dropout": {"dropout": 0.5}}


def trained(place: Path, data: str, variants=VARIANTS, **options) -> Path:
    Study(data, mlp(8), variants=variants, epochs=2, seeds=2, **options).run(place, progress=False)
    return place


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    folder = tmp_path_factory.mktemp("studies")
    cosines = {name: VARIANTS[name] for name in ("dropout", "baseline")}
    return {"A": trained(folder / "digits", "digits"), "B": trained(folder / "cosines", "cosines", cosines)}


@pytest.fixture(scope="module")
def found(studies):
    return study_datasets(studies)


def test_means_and_differences_are_those_of_the_studies(studies, found):
    assert found.left_out == ("l2",)
    assert set(found.variants) == {"baseline", "dropout"}
    for k, (name, place) in enumerate(studies.items()):
        results = Results(place)
        means = {v.name: v.mean["test_accuracy"] for v in results.summary.variants}
        assert found.means[k] == pytest.approx([means[v] for v in found.variants])
        (c,) = found.verdicts[name]
        assert c.difference == pytest.approx(means[c.variant] - means[c.against], abs=1e-9)
    (average,) = found.averages
    assert average.difference == pytest.approx(np.mean([of[0].difference for of in found.verdicts.values()]))
    (ours,) = Results(studies["B"]).summary.comparisons
    (theirs,) = found.verdicts["B"]
    assert theirs.p_value == pytest.approx(ours.p_value)
    assert sorted(map(abs, theirs.interval)) == pytest.approx(sorted(map(abs, ours.interval)))


def test_seeds_and_examples_are_counted(studies, found):
    assert found.sizes["B"] == (2, 2000) or found.sizes["B"][0] == 2
    assert found.directories == {name: str(place) for name, place in studies.items()}


def test_losses_rank_the_lowest_first(studies, tmp_path):
    copies = {name: Path(shutil.copytree(place, tmp_path / name)) for name, place in studies.items()}
    for name, data in (("A", "digits"), ("B", "cosines")):
        variants = VARIANTS if name == "A" else {v: VARIANTS[v] for v in ("dropout", "baseline")}
        trained(copies[name], data, variants, metric="log_loss")
    found = study_datasets(copies)
    assert found.metric == "test_log_loss"
    for k in range(2):
        assert found.ranks[k].argmin() == found.means[k].argmin()
    (average,) = found.averages
    assert average.difference == pytest.approx(float(np.mean(found.means[:, 0] - found.means[:, 1])))
    with pytest.raises(OtherStudyError, match=r"compared on log_loss, and .* on accuracy"):
        study_datasets({"A": studies["A"], "B": copies["B"]})


def test_names_are_those_of_the_data(studies):
    assert data_names(list(studies.values())) == {"digits": studies["A"], "cosines": studies["B"]}
    twice = data_names([studies["A"], studies["A"]])
    assert list(twice) == [f"digits ({studies['A']})"]


def test_what_cannot_be_compared_is_refused(studies, tmp_path):
    with pytest.raises(OtherStudyError, match=r"at least two data sets is needed; given: .*digits"):
        study_datasets({"A": studies["A"]})
    with pytest.raises(OtherStudyError, match="given: none"):
        study_datasets({})
    copy = Path(shutil.copytree(studies["A"], tmp_path / "copy"))
    with pytest.raises(OtherStudyError, match=r"copy: the same data as .*digits; give one study directory for each"):
        study_datasets({"A": studies["A"], "B": copy})
    other = trained(tmp_path / "other", "cosines", {"baseline": {}, "mine": {"l1": 1e-3}})
    with pytest.raises(OtherStudyError, match="fewer than two variants that all of them have tested"):
        study_datasets({"A": studies["A"], "B": other})
    with pytest.raises(StoreUnreadableError, match="gone"):
        study_datasets({"A": studies["A"], "B": tmp_path / "gone"})


def test_variants_without_a_common_seed_are_refused(studies, monkeypatch):
    from wellfit.study import over_datasets

    def apart(store):
        study = read(store)
        (one, other) = study.seeds["baseline"]
        return study._replace(seeds={"baseline": (one,), "dropout": (other,)})

    read = over_datasets.read_study
    monkeypatch.setattr(over_datasets, "read_study", apart)
    with pytest.raises(OtherStudyError, match="have no seed in common; train both with the same seeds"):
        study_datasets(studies)


def test_accuracies_alone_count_the_seeds(tmp_path):
    places = {}
    for name, of in (("A", (0.9, 0.8, 0.7)), ("B", (0.6, 0.5, 0.7))):
        runs = {"baseline": list(of), "l2": [one - 0.1 for one in of]}
        judge_runs(given_arrays(None, runs), tmp_path / name, name=name.lower() * 3)
        places[name] = tmp_path / name
    found = study_datasets(places)
    assert sum("only accuracies are known" in note for note in found.notes) == 2
