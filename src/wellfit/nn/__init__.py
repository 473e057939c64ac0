"""Networks: layers and models as init/apply pairs, losses, penalties, optimizers, schedules and augmentation.

Everything here handles one network and one batch. The engine vectorizes it over a population with ``jax.vmap``, so that
no code in this package depends on the number of networks.
"""
