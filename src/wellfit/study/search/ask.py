"""Which configurations to try next: Optuna's samplers, asked for a batch at a time.

What is asked depends on the study file and on the earlier results alone. A search that was killed therefore goes on as
if it had not been.
"""

from __future__ import annotations

import importlib.util
import math
import random
import warnings
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from wellfit.base import Range, SearchSpec, Trial
from wellfit.errors import WellfitError
from wellfit.spec.search import configurations, is_whole

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import FrozenTrial

__all__ = ["ask", "require_sampler"]

_TRIES: Final = 20  # per configuration, of which each may be one that was tried before
_MANY: Final = 2**60  # more numbers than any search needs, and no more than ``range`` can count


def require_sampler(search: SearchSpec) -> None:
    """Refuse a search whose sampler is not installed.

    Raises:
      WellfitError: Optuna is missing, or PyTorch, which its Gaussian process needs.
    """
    if importlib.util.find_spec("optuna") is None:
        raise WellfitError('[search] needs Optuna: pip install "wellfit[search]"')
    if search.sampler == "gp" and importlib.util.find_spec("torch") is None:
        raise WellfitError('[search] sampler = "gp" needs PyTorch: pip install torch, or use sampler = "tpe"')


def ask(search: SearchSpec, tried: Sequence[Trial], count: int) -> list[dict[str, Any]]:
    """The next configurations to try, none of which was tried before.

    Args:
      search: what is searched, and with which sampler.
      tried: all configurations so far, in their order.
      count: how many are wanted; there are fewer where a space has no more.

    Returns:
      Key of the space -> value, for each.

    Example:
      >>> ask(SearchSpec({"optimizer": ("adam", "sgd")}), (), 3) in (
      ...     [{"optimizer": "adam"}, {"optimizer": "sgd"}], [{"optimizer": "sgd"}, {"optimizer": "adam"}])
      True
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its warnings are about options of its own
        higher, sampler = search.objective == "val_accuracy", _sampler(search, len(tried))
        study = optuna.create_study(direction="maximize" if higher else "minimize", sampler=sampler)
        space = {key: _distribution(key, options) for key, options in search.space.items()}
        study.add_trials([_as_optuna_has_it(trial, search, space) for trial in tried])
        known = [dict(trial.values) for trial in tried]
        asked: list[dict[str, Any]] = []
        for _ in range(_TRIES * count):
            values = {key: _value(key, search.space[key], of) for key, of in study.ask(space).params.items()}
            if values not in known:
                known.append(values)
                asked.append(values)
            if len(asked) == count:
                break
    return asked + _untried(search, known, count - len(asked), len(tried))


def _untried(search: SearchSpec, known: Sequence[Mapping[str, Any]], count: int, tried: int) -> list[dict[str, Any]]:
    """Other configurations of a space that has finitely many, drawn at random, where a sampler found no more."""
    total = configurations(search)
    if total is None or count < 1:
        return []
    drawn = random.Random(_seed(search, tried)).sample(range(min(total, _MANY)), min(total, len(known) + count))
    found = (_configuration(search, number) for number in drawn)
    return list(islice((values for values in found if values not in known), count))


def _configuration(search: SearchSpec, number: int) -> dict[str, Any]:
    """A configuration of a finite space by its number."""
    values: dict[str, Any] = {}
    for key, options in search.space.items():
        every = range(int(options.low), int(options.high) + 1) if isinstance(options, Range) else options
        number, place = divmod(number, len(every))
        values[key] = every[place]
    return values


def _seed(search: SearchSpec, tried: int) -> int:
    return int(np.random.SeedSequence([search.sampler_seed, tried]).generate_state(1)[0])


def _sampler(search: SearchSpec, tried: int) -> BaseSampler:
    """The sampler of a batch; every batch has one of its own."""
    import optuna

    seed = _seed(search, tried)
    if search.sampler == "gp":
        return optuna.samplers.GPSampler(seed=seed)
    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, constant_liar=True)  # spreads the configurations of a batch


def _distribution(key: str, options: Range | tuple[Any, ...]) -> BaseDistribution:
    """A range, or the places in a list of choices: Optuna's own choices may not be lists."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if not isinstance(options, Range):
        return CategoricalDistribution(range(len(options)))
    if is_whole(key):
        return IntDistribution(int(options.low), int(options.high), log=options.log)
    return FloatDistribution(options.low, options.high, log=options.log)


def _value(key: str, options: Range | tuple[Any, ...], asked: Any) -> Any:
    if not isinstance(options, Range):
        return options[asked]
    return int(asked) if is_whole(key) else float(asked)


def _as_optuna_has_it(trial: Trial, search: SearchSpec, space: dict[str, BaseDistribution]) -> FrozenTrial:
    """A trial that was told: complete, or pruned at its rung; a diverged or refused one is the worst of its rung."""
    from optuna.trial import TrialState, create_trial

    params = {
        key: trial.values[key] if isinstance(options, Range) else options.index(trial.values[key])
        for key, options in search.space.items()
    }
    mean = trial.mean
    if trial.state == "finished":
        return create_trial(params=params, distributions=space, value=mean, intermediate_values={})
    return create_trial(
        state=TrialState.PRUNED,
        params=params,
        distributions=space,
        intermediate_values={trial.epochs: math.nan if mean is None else mean},
    )
