"""Seeds that disagree, by hand and by simulation, and too few of them."""

from dataclasses import replace

import numpy as np
import pytest

from seen_runs import fixes, history, variant
from wellfit.base import ModelSpec, Recipe
from wellfit.diagnostics.seeds import few_seeds, seeds_disagree
from wellfit.spec.study import load_study


def accuracies(name, values):
    return variant(name, [history(validation_loss=[0.3], validation_accuracy=v) for v in values])


CALM = accuracies("calm", [0.9, 0.905, 0.9, 0.895, 0.9])


def test_an_outlier_is_named():
    wild = accuracies("wild", [0.9, 0.91, 0.9, 0.5, 0.9])
    found = seeds_disagree(wild, [CALM, wild], 1000)
    assert "from 50.0 % to 91.0 % over 5 seeds (seed 3 is an outlier)" in found.evidence
    assert found.evidence.endswith(" points, against 0.4 for the other variants")
    assert [load_study("lab5", settings=[text]) for text in fixes(found.fix)]
    assert seeds_disagree(CALM, [CALM, wild], 1000) is None
    alone = seeds_disagree(wild, [wild], 1000)
    assert "with no other variant to compare" in alone.evidence
    assert seeds_disagree(wild, [wild], 0) is None  # nothing to measure it by
    both = accuracies("two", [0.9, 0.5])
    assert seeds_disagree(both, [both, CALM], 1000) is None


def test_a_small_set_explains_a_spread():
    wide = accuracies("wide", [0.9, 0.86, 0.94, 0.88, 0.92])
    assert seeds_disagree(wide, [wide, CALM], 100) is None
    assert seeds_disagree(wide, [wide, CALM], 100_000) is not None
    near = accuracies("near", [0.9, 0.912, 0.9, 0.9, 0.9])
    quiet = [accuracies(n, [0.9, 0.9001, 0.9, 0.9, 0.9]) for n in "ab"]
    assert seeds_disagree(near, [near, *quiet], 10**9) is None


@pytest.mark.parametrize(("variants", "seeds"), [(2, 3), (5, 3), (10, 5)])
def test_seeds_that_spread_alike_in_all_variants_seldom_disagree(variants, seeds):
    rng = np.random.default_rng(variants)

    def study():
        result = [accuracies(str(v), 0.8 + 0.02 * rng.normal(size=seeds)) for v in range(variants)]
        return any(seeds_disagree(seen, result, 2000) is not None for seen in result)

    assert sum(study() for _ in range(300)) <= 15  # 5 %


def test_several_outliers_are_named_unless_all_seeds_are():
    wild = accuracies("wild", [0.9, 0.9, 0.5, 0.45, 0.9])
    assert "(seeds 2 and 3 are outliers)" in seeds_disagree(wild, [CALM, wild], 1000).evidence
    spread = accuracies("spread", [0.5, 0.9, 0.1])
    quiet = accuracies("quiet", [0.9, 0.91, 0.9])
    assert "outlier" in seeds_disagree(spread, [quiet, spread], 1000).evidence


@pytest.mark.parametrize(("seeds", "word"), [(1, "1 seed:"), (2, "2 seeds:")])
def test_few_seeds(seeds, word):
    assert word in few_seeds([accuracies("a", [0.9] * seeds)]).message
    assert few_seeds([CALM]) is None
    assert few_seeds([]) is None


def test_seeds_in_a_list_are_kept():
    seen = variant("a", [history(validation_loss=[0.3])])
    listed = replace(seen, histories={7: seen.histories[0]}, states={7: "finished"})
    assert "(--set train.seeds=[7,0,1,2,3])" in few_seeds([listed]).fix
    assert "(--seeds 5)" in few_seeds([seen]).fix


def test_the_remedy_follows_what_sets_the_outliers_apart():
    def found(dead=(0.1,) * 5, recipe=None):
        runs = [
            history(validation_loss=[0.3] * 6, validation_accuracy=v, dead_units=d)
            for v, d in zip([0.9, 0.91, 0.9, 0.5, 0.9], dead, strict=True)
        ]
        wild = variant("wild", runs, recipe or Recipe())
        return seeds_disagree(wild, [CALM, wild], 1000).fix

    dying = found((0.1, 0.1, 0.1, 0.8, 0.1))
    assert "The outliers have more dead ReLU units (80 % against 10 %)" in dying
    narrow = found(recipe=Recipe(model=ModelSpec(hidden=(3, 8))))
    assert fixes(narrow) == ["variants.wider.model.hidden=[16, 32]"]
    assert "global_clip_norm" in found()
    for fix in (dying, narrow):
        assert load_study("lab5", settings=fixes(fix))
