"""What the program of an epoch is called with."""

from __future__ import annotations

import jax
import numpy as np

from wellfit.base import ModelSpec, Recipe, RunSpec, Schedule, TrainingData
from wellfit.engine.batches import batch_order
from wellfit.engine.calls import arguments, waves_of
from wellfit.engine.plan import make_plan
from wellfit.engine.train import Trainer
from wellfit.nn.schedules import multipliers


def test_rates_seeds_and_rows_of_every_run(small_data: TrainingData) -> None:
    """One run keeps its learning rate, the other follows a schedule; the devices gather the batches."""
    base = Recipe(model=ModelSpec("mlp", (8,)), epochs=3, batch_size=32, learning_rate=0.01)
    falling = Recipe(**{**vars(base), "learning_rate": 0.02, "schedule": Schedule("cosine")})
    runs = [RunSpec(name, 7, recipe) for name, recipe in (("constant", base), ("falling", falling))]
    sizes = len(small_data.x_train), len(small_data.x_validation), len(small_data.sample)
    (population,) = make_plan(runs, small_data.input_shape, 3, sizes, len(jax.devices())).populations
    trainer = Trainer(small_data)
    waves = waves_of(population, small_data, trainer.mesh, trainer.compiled(population.program).start_optimizer)
    assert [wave.part for wave in waves] == list(population.waves)
    groups = population.waves[0].groups
    active = np.array([[bool(group)] * population.program.width for group in groups])
    state, hyper, rates, given, seeds, rows, epoch, arrays = arguments(
        waves[0], active, 2, small_data, trainer.mesh, trainer.arrays
    )
    assert state is waves[0].state
    assert hyper is waves[0].hyper
    assert arrays is trainer.arrays
    assert int(epoch) == 2
    np.testing.assert_array_equal(given, active)
    expected = {"constant": np.full(5, 0.01), "falling": 0.02 * multipliers(Schedule("cosine"), 15)[5:10]}
    for place, group in enumerate(groups):
        assert int(seeds[place]) == (7 if group else 0)
        for position, trajectory in enumerate(group):
            variant = trajectory.readouts[0].run.variant
            np.testing.assert_allclose(rates[place, position], expected[variant], rtol=1e-6)  # float32
        if group:
            np.testing.assert_array_equal(np.ravel(rows[place])[:150], batch_order(7, 2, 150))
