"""The timed workloads: studies as frozen data that every peer interprets.

wellfit splits the data (48,000 images of Fashion-MNIST for training, 12,000 for validation), so that all peers train
and validate on the same arrays; scikit-learn's ``digits`` are split in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from wellfit.spec.study import StudySpec


@dataclass(frozen=True)
class Variant:
    """The changes of one variant, in terms that every library supports.

    Args:
      l1, l2: penalty strengths on the hidden kernels, as defined by Keras and wellfit.
      dropout: rate after the hidden layers; for LeNet-5, after two convolutions and the dense layer of 84 units.
        Of an MLP, one rate for all hidden layers, or one for each.
      batch_norm: whether batch normalization follows every hidden layer of an MLP or LeNet-5; the cnn always has it.
      epochs, optimizer: override the workload's.
    """

    name: str
    l1: float = 0.0
    l2: float = 0.0
    dropout: float | tuple[float, ...] = 0.0
    batch_norm: bool = False
    epochs: int | None = None
    optimizer: str = ""


@dataclass(frozen=True)
class Workload:
    """One study, and how it is timed.

    Args:
      name: its name on the command line.
      hidden: units of an MLP's hidden layers; empty for networks with convolutions.
      batch_size, optimizer, epochs: of all variants.
      variants: the first is the cheapest, mostly the plain network.
      seeds: number of trainings per variant.
      timed: timed epochs after the first; the fastest peer takes at least a second for them.
      by_peers: variants that peers are timed on; empty for all. For the others they are charged the first one's time,
        which favors them.
      same_as: workload and variant with the same time per epoch for peers, which is not timed twice in a turn.
      data: the name of the data set.
      filters: of the cnn's blocks of 3 x 3 convolution, batch normalization and relu, with 2 x 2 max pooling between
        them and global averaging at the end; empty for an MLP, and for LeNet-5.
    """

    name: str
    hidden: tuple[int, ...]
    batch_size: int
    optimizer: str
    epochs: int
    variants: tuple[Variant, ...]
    seeds: int
    timed: int = 2
    by_peers: tuple[str, ...] = ()
    same_as: tuple[str, str] | None = None
    data: str = "fashion-mnist"
    filters: tuple[int, ...] = ()

    @property
    def trainings(self) -> int:
        """The number of networks to train."""
        return self.seeds * len(self.variants)

    @property
    def timed_by_peers(self) -> tuple[str, ...]:
        """The variants that peers are timed on."""
        return self.by_peers or tuple(variant.name for variant in self.variants)

    def variant(self, name: str) -> Variant:
        """Return the variant with a name."""
        return next(variant for variant in self.variants if variant.name == name)

    def epochs_of(self, variant: Variant) -> int:
        """Return a variant's number of epochs in the study."""
        return variant.epochs or self.epochs

    def optimizer_of(self, variant: Variant) -> str:
        """Return a variant's optimizer."""
        return variant.optimizer or self.optimizer

    def dropout_of(self, variant: Variant) -> tuple[float, ...]:
        """Return a variant's dropout rates, one per hidden layer of an MLP, three of LeNet-5, one of the cnn."""
        places = len(self.hidden) or (1 if self.filters else 3)
        return variant.dropout if isinstance(variant.dropout, tuple) else (variant.dropout,) * places


PLAIN: Final = Variant("baseline")
LAB5: Final = Workload(
    "lab5", (128, 64), 256, "adam", 30, (PLAIN, Variant("l2", l2=1e-3), Variant("dropout", dropout=0.3)), seeds=5
)
LAB_512: Final = Workload(
    "lab-512",
    (512, 512),
    128,
    "rmsprop",
    10,
    (PLAIN, Variant("dropout", dropout=0.3), Variant("l2", l2=1e-3), Variant("l1", l1=1e-5)),
    seeds=5,
    timed=1,
    by_peers=("baseline", "dropout"),
)
LENET5: Final = Workload(
    "lab-lenet5",
    (),
    128,
    "adam",
    10,
    (
        PLAIN,
        Variant("dropout", dropout=(0.1, 0.1, 0.5), epochs=15),
        Variant("batch-norm", batch_norm=True, epochs=15),
    ),
    seeds=5,
    timed=1,
)
OPTIMIZERS: Final = Workload(
    "lab-optimizers",
    (128, 64),
    64,
    "sgd",
    10,
    (  # the cheapest optimizer first: peers are charged its time for those that they are not timed on
        Variant("sgd", dropout=(0.5, 0.0)),
        Variant("momentum", dropout=(0.5, 0.0), optimizer="momentum"),
        Variant("adagrad", dropout=(0.5, 0.0), optimizer="adagrad"),
        Variant("rmsprop", dropout=(0.5, 0.0), optimizer="rmsprop"),
        Variant("adam", dropout=(0.5, 0.0), optimizer="adam"),
        Variant("two-dropouts", dropout=(0.5, 0.5), optimizer="adam"),
    ),
    seeds=5,
    timed=1,
    by_peers=("sgd", "rmsprop", "adam"),
)
CNN: Final = Workload("cnn", (), 128, "adam", 10, (PLAIN,), seeds=5, timed=1, filters=(16, 32, 64))
L2_PATH: Final = Workload(
    "l2-path",
    (128, 64),
    256,
    "adam",
    20,
    tuple(Variant(f"l2-{strength:.2e}", l2=float(strength)) for strength in np.logspace(-6, -1, 64)),
    seeds=3,
    timed=1,
    same_as=("lab5", "l2"),
)
DIGITS: Final = Workload(
    "digits",
    (128, 64),
    32,
    "adam",
    60,
    (
        PLAIN,
        Variant("l2", l2=1e-3),
        Variant("l1", l1=1e-4),
        Variant("dropout", dropout=0.3),
        Variant("l2+dropout", l2=1e-3, dropout=0.3),
    ),  # early stopping is read from the baseline's training, so peers are not charged for it either
    seeds=5,
    timed=5,
    by_peers=("baseline", "l2", "dropout"),
    data="digits",
)
GROWTH: Final = tuple(  # of a single run, the first epochs are slow, probably until its threads have a core each
    Workload(f"growth-{n}", (128, 64), 256, "adam", 30, (PLAIN,), n, timed, same_as=("lab5", "baseline"))
    for n, timed in ((1, 10), (4, 3), (16, 1), (64, 1), (256, 1))
)
WORKLOADS: Final = {w.name: w for w in (LAB5, LAB_512, LENET5, OPTIMIZERS, CNN, L2_PATH, *GROWTH, DIGITS)}
"""All workloads in the order of a turn; those that ``same_as`` refers to come first."""


def study(workload: Workload, epochs: int | None = None) -> StudySpec:
    """Convert a workload to a wellfit study.

    Args:
      epochs: overrides the epochs of every variant, to time only a few.
    """
    from wellfit.spec.study import study_from_mapping  # peers need no study

    model: dict[str, Any] = {"kind": "lenet5"}
    if layers := workload.hidden or workload.filters:
        model = {"kind": "mlp" if workload.hidden else "cnn", "hidden": list(layers)}
    tables: dict[str, dict[str, Any]] = {}
    for v in workload.variants:
        numbers = {"l1": v.l1, "l2": v.l2, "dropout": v.dropout}
        tables[v.name] = {key: value for key, value in numbers.items() if value}
        tables[v.name]["epochs"] = epochs or workload.epochs_of(v)
        tables[v.name]["optimizer"] = workload.optimizer_of(v)
        if v.batch_norm:
            tables[v.name]["model"] = {"batch_norm": True}
    train = {"epochs": epochs or workload.epochs, "batch_size": workload.batch_size, "optimizer": workload.optimizer}
    return study_from_mapping(
        {
            "name": workload.name,
            "data": {"name": workload.data, "validation": 0.2},
            "model": model,
            "train": {**train, "seeds": workload.seeds},
            "variants": tables,
        }
    )
