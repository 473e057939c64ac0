"""Public data sets in the form in which people have them: small, generated, names and kinds of values as published."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

ROWS = 120


class Table:
    """Columns of random values, always the same, and the texts that they become."""

    def __init__(self, rows: int = ROWS) -> None:
        self.rows = rows
        self.random = np.random.default_rng(7)

    def of(self, *values: Any) -> Any:
        """One of the values in each row, in nearly even proportion."""
        return self.random.permutation(np.resize(np.array(values, dtype=object), self.rows))

    def real(self, digits: int = 2, mean: float = 5.0) -> Any:
        return self.random.normal(mean, 1, self.rows).round(digits)

    def whole(self, low: int, high: int) -> Any:
        return self.random.integers(low, high, self.rows)

    def count(self) -> Any:
        return np.arange(1, self.rows + 1)


Columns = dict[str, Any]
Make = Callable[[Table], Columns]


def adult(t: Table) -> Columns:
    return {
        "age": t.whole(17, 90),
        "workclass": t.of("Private", "State-gov", "?"),
        "fnlwgt": t.whole(12285, 1484705),
        "education": t.of("Bachelors", "HS-grad", "11th", "Masters"),
        "education-num": t.whole(1, 17),
        "sex": t.of("Male", "Female"),
        "hours-per-week": t.whole(1, 99),
        "native-country": t.of("United-States", "Mexico", "?"),
        "income": t.of("<=50K", ">50K"),
    }


def titanic(t: Table) -> Columns:
    return {
        "PassengerId": t.count(),
        "Survived": t.of(0, 1),
        "Pclass": t.whole(1, 4),
        "Name": [f"Braund, Mr. Owen {i}" for i in range(t.rows)],
        "Sex": t.of("male", "female"),
        "Age": np.where(t.random.random(t.rows) < 0.2, np.nan, t.whole(1, 80)),
        "Ticket": [f"A/5 {n}" for n in t.random.permutation(100_000)[: t.rows]],
        "Fare": t.real(4, 30),
        "Cabin": [f"C{n}" if n % 4 == 0 else None for n in range(t.rows)],
        "Embarked": t.of("S", "C", "Q"),
    }


def seaborn_titanic(t: Table) -> Columns:
    return {
        "survived": t.of(0, 1),
        "pclass": t.whole(1, 4),
        "fare": t.real(),
        "class": t.of("First", "Second", "Third"),
        "alive": t.of("no", "yes"),
    }


def mushrooms(t: Table) -> Columns:
    kinds = {name: t.of(*"xbskf") for name in ("cap-shape", "cap-surface", "odor")}
    return {"class": t.of("e", "p"), **kinds, "bruises": t.of("t", "f"), "stalk-root": t.of("b", "?", "e")}


def churn(t: Table) -> Columns:
    return {
        "customerID": [f"{n}-QPYBK" for n in t.random.permutation(9000)[: t.rows]],
        "gender": t.of("Male", "Female"),
        "tenure": t.whole(0, 73),
        "Contract": t.of("Month-to-month", "One year"),
        "TotalCharges": [" " if i == 7 else f"{i * 3.55:.2f}" for i in range(t.rows)],
        "Churn": t.of("No", "Yes"),
    }


def bank(t: Table) -> Columns:
    return {
        "age": t.whole(18, 95),
        "job": t.of("admin.", "unknown", "technician"),
        "default": t.of("no", "yes"),
        "balance": t.whole(-8000, 100_000),
        "housing": t.of("no", "yes"),
        "y": t.of("no", "yes"),
    }


def wine_quality(t: Table) -> Columns:
    return {"fixed acidity": t.real(1), "volatile acidity": t.real(3), "alcohol": t.real(1), "quality": t.of(5, 6, 7)}


def penguins(t: Table) -> Columns:
    return {
        "species": t.of("Adelie", "Gentoo", "Chinstrap"),
        "island": t.of("Biscoe", "Dream"),
        "bill_length_mm": np.where(t.random.random(t.rows) < 0.05, np.nan, t.real(1)),
        "body_mass_g": t.whole(2700, 6300),
        "sex": t.of("male", "female", None),
        "year": t.whole(2007, 2010),
    }


def heart(t: Table) -> Columns:
    small = {name: t.whole(0, n) for name, n in (("sex", 2), ("cp", 4), ("fbs", 2), ("ca", 5), ("thal", 4))}
    return {"age": t.whole(29, 77), **small, "oldpeak": t.real(1), "target": t.of(0, 1)}


def breast_cancer(t: Table) -> Columns:
    measured = {f"{what}_mean": t.real(3) for what in ("radius", "texture", "area", "symmetry")}
    return {"id": t.random.permutation(10**6)[: t.rows], "diagnosis": t.of("B", "M"), **measured, "Unnamed: 6": None}


def credit_card(t: Table) -> Columns:
    parts = {f"V{i}": t.real(6, 0) for i in range(1, 9)}
    return {"Time": np.sort(t.whole(0, 9000)) * 1.0, **parts, "Amount": t.real(2, 80), "Class": t.of(0, 0, 0, 1)}


def occupancy(t: Table) -> Columns:
    times = [f"2015-02-04 17:{i // 60:02d}:{i % 60:02d}" for i in range(t.rows)]
    return {"date": times, "Temperature": t.real(), "Humidity": t.real(), "Light": t.real(), "Occupancy": t.of(0, 1)}


def zoo(t: Table) -> Columns:
    kinds = {name: t.of(0, 1) for name in ("hair", "eggs", "milk")}
    return {"animal_name": [f"animal{i}" for i in range(t.rows)], **kinds, "class_type": t.of(1, 2, 3, 4, 5, 6, 7)}


def sky(t: Table) -> Columns:
    numbers = 1237648720000000000 + t.random.permutation(10**6)[: t.rows] * 1000 + 7
    return {"objid": numbers, "ra": t.real(), "redshift": t.real(6), "class": t.of("STAR", "GALAXY", "QSO")}


def housing(t: Table) -> Columns:
    return {
        "longitude": t.real(),
        "median_income": t.real(4),
        "median_house_value": t.whole(14_999, 500_001),
        "ocean_proximity": t.of("INLAND", "NEAR BAY"),
    }


def boston(t: Table) -> Columns:
    return {"crim": t.real(5), "chas": t.of(0, 0, 0, 1), "rm": t.real(3), "medv": t.real(1, 22)}


def mpg(t: Table) -> Columns:
    return {"mpg": t.real(1, 23), "cylinders": t.of(4, 6, 8), "weight": t.whole(1600, 5200), "origin": t.of(1, 2, 3)}


def diamonds(t: Table) -> Columns:
    sizes = {axis: t.real() for axis in "xyz"}
    return {
        "carat": t.real(),
        "cut": t.of("Ideal", "Good"),
        "color": t.of(*"DEF"),
        "price": t.whole(326, 18823),
        **sizes,
    }


def students(t: Table) -> Columns:
    return {"school": t.of("GP", "MS"), "age": t.whole(15, 22), "G1": t.whole(3, 20), "G3": t.of(*range(21))}


def iris_dummies(t: Table) -> Columns:
    hot = np.eye(3, dtype=int)[t.of(0, 1, 2).astype(int)]
    names = ("species_setosa", "species_versicolor", "species_virginica")
    return {"length": t.real(), "width": t.real(), **{name: hot[:, i] for i, name in enumerate(names)}}


def faces(t: Table) -> Columns:
    pixels = [" ".join(map(str, t.random.integers(0, 256, 48))) for _ in range(t.rows)]
    return {"emotion": t.of(*range(7)), "pixels": pixels, "Usage": t.of("Training", "PublicTest")}


def letters(t: Table) -> Columns:
    return {"letter": t.of(*"ABCDEFGHIJKLMNOP"), **{f"{i}": t.whole(0, 16) for i in range(16)}}


def sonar(t: Table) -> Columns:
    return {**{f"{i}": t.random.random(t.rows).round(4) for i in range(12)}, "": t.of("R", "M")}


def banknotes(t: Table) -> Columns:
    return {**{f"{i}": t.real(5, 0) for i in range(4)}, "": t.of(0, 1)}


def glass(t: Table) -> Columns:
    return {"": t.count(), **{f"{i}": t.real(4) for i in range(5)}, "type": np.sort(t.of(1, 2, 3, 5, 6, 7))}


def cars(t: Table) -> Columns:
    return {str(i): t.of(*kinds.split()) for i, kinds in enumerate(("high med low", "2 3 4 5more", "unacc acc good"))}


def text(make: Make, *, rows: int = ROWS, header: bool = True, index: bool = False, **options: Any) -> bytes:
    """A layout as comma-separated text."""
    frame = pd.DataFrame(make(Table(rows)))
    return frame.to_csv(index=index, header=header, **options).encode(options.get("encoding", "utf-8"))


def picture(number: int, size: tuple[int, int] = (8, 6), mode: str = "RGB") -> Image.Image:
    """A colorful picture of a width and height, another one for each number."""
    values = np.random.default_rng(number).integers(0, 256, (size[1], size[0], 3), np.uint8)
    return Image.fromarray(values).convert(mode)


def write_pictures(folder: Path, names: Sequence[str], **options: Any) -> None:
    """Write a picture for each name; names may contain folders."""
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture(number, **options).save(folder / name)
