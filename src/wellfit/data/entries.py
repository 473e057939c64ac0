"""The catalog of known data sets: their descriptions, download addresses and checksums.

Nothing here computes or reads files, so that ``wellfit list`` prints the catalog immediately.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["CATALOG", "CatalogEntry", "CatalogFile"]


@dataclass(frozen=True)
class CatalogFile:
    """One file of a data set.

    Args:
      name: without ``.gz``, for example ``"train-images-idx3-ubyte"``.
      sha256: hexadecimal SHA-256 of the decompressed content; every copy is checked against it.
      md5: hexadecimal MD5 of the official ``.gz`` file, as served by the mirrors.
    """

    name: str
    sha256: str
    md5: str


@dataclass(frozen=True)
class CatalogEntry:
    """One known data set.

    Args:
      name: the name used by ``load_dataset`` and in study files.
      title: the name shown in headings.
      description: one line.
      license: owner and license.
      classes: class names, by label.
      pixel_max: the largest possible pixel value; None for feature rows.
      files: training images, training labels, test images and test labels, in this order; empty if the data set is
        bundled or generated.
      mirrors: addresses, each ending in ``/``, that serve ``<file>.gz``.
      keras: file or folder of Keras's copy, in its ``datasets`` folder.
      torchvision: folder of torchvision's copy, in its root.
    """

    name: str
    title: str
    description: str
    license: str
    classes: tuple[str, ...]
    pixel_max: float | None
    files: tuple[CatalogFile, ...] = ()
    mirrors: tuple[str, ...] = ()
    keras: str = ""
    torchvision: str = ""


_TEN_DIGITS: Final = tuple("0123456789")

_DIGITS: Final = CatalogEntry(
    name="digits",
    title="Digits",
    description="1,797 handwritten digits, 8 x 8 pixels, 10 classes; included in scikit-learn, no download",
    license="E. Alpaydin and C. Kaynak (1998), UCI Machine Learning Repository, CC BY 4.0",
    classes=_TEN_DIGITS,
    pixel_max=16,
)

_FASHION_MNIST: Final = CatalogEntry(
    name="fashion-mnist",
    title="Fashion-MNIST",
    description="70,000 images of clothing, 28 x 28 pixels, 10 classes; 60,000 for training, 10,000 for testing",
    license="Copyright (c) 2017 Zalando SE, MIT license",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    pixel_max=255,
    files=(
        CatalogFile(
            "train-images-idx3-ubyte",
            "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
            "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        ),
        CatalogFile(
            "train-labels-idx1-ubyte",
            "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
            "25c81989df183df01b3e8a0aad5dffbe",
        ),
        CatalogFile(
            "t10k-images-idx3-ubyte",
            "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
            "bef4ecab320f06d8554ea6380940ec79",
        ),
        CatalogFile(
            "t10k-labels-idx1-ubyte",
            "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            "bb300cfdad3c16e7a12a480ee83cd310",
        ),
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    ),
    keras="fashion-mnist",
    torchvision="FashionMNIST",
)

_MNIST: Final = CatalogEntry(
    name="mnist",
    title="MNIST",
    description="70,000 handwritten digits, 28 x 28 pixels, 10 classes; 60,000 for training, 10,000 for testing",
    license="Yann LeCun and Corinna Cortes, CC BY-SA 3.0",
    classes=_TEN_DIGITS,
    pixel_max=255,
    files=(
        CatalogFile(
            "train-images-idx3-ubyte",
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        ),
        CatalogFile(
            "train-labels-idx1-ubyte",
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            "d53e105ee54ea40749a09fcbcd1e9432",
        ),
        CatalogFile(
            "t10k-images-idx3-ubyte",
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            "9fb629c4189551a2d022fa330f9573f3",
        ),
        CatalogFile(
            "t10k-labels-idx1-ubyte",
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            "ec29112dd5afa0611ce80d1b7f02629c",
        ),
    ),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
    keras="mnist.npz",
    torchvision="MNIST",
)

_COSINES: Final = CatalogEntry(
    name="cosines",
    title="Cosine curves",
    description="4,000 points on two cosine curves, 2 features, 2 classes; generated; cosines:2 sets the distance to 2",
    license="generated by wellfit; no rights reserved",
    classes=("x2 = cos x1", "x2 = a + cos x1"),
    pixel_max=None,
)

CATALOG: Final[Mapping[str, CatalogEntry]] = MappingProxyType(
    {entry.name: entry for entry in (_DIGITS, _FASHION_MNIST, _MNIST, _COSINES)}
)
"""The known data sets by name."""
