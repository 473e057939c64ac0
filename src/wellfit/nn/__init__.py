"""What we train: layers and models as init/apply pairs, losses, penalties and optimizers.

Everything here speaks of one network and one batch. The engine makes a population of it with ``jax.vmap``, so that no
line of this package has to know how many networks there are.
"""
