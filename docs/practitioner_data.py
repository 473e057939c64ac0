"""The data of practitioner.md: a folder of images by class, a table of customers, and new ones of both to predict.

Usage: python docs/practitioner_data.py FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image
from sklearn.datasets import load_digits


def write_images(folder: Path) -> None:
    """600 digits as PNG files, in one folder a class, and 40 new ones without."""
    images, labels = load_digits(return_X_y=True)
    pixels = (images.reshape(-1, 8, 8) * 15.9375).astype(np.uint8)  # 0 to 16 -> 0 to 255
    for at in range(640):
        within = Path("scans") / str(labels[at]) if at < 600 else Path("new-scans")
        (folder / within).mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels[at]).resize((16, 16), Image.Resampling.BICUBIC).save(folder / within / f"{at:04}.png")


def write_customers(folder: Path) -> None:
    """800 customers of a telephone company, and 40 new ones of whom nobody knows yet whether they leave."""
    random = np.random.default_rng(7)
    count = 840
    contract = random.choice(["monthly", "one year", "two years"], count, p=[0.55, 0.25, 0.2])
    months = np.where(contract == "monthly", random.gamma(1.4, 14, count), random.gamma(3, 13, count)).clip(1, 72)
    monthly = random.normal(65, 22, count).clip(18, 119).round(2)
    payment = random.choice(["card", "transfer", "mailed check", "electronic check"], count, p=[0.25, 0.25, 0.2, 0.3])
    support = random.poisson(1.3, count)
    score = 0.9 * (contract == "monthly") - 0.05 * months + 0.03 * (monthly - 65) + 0.5 * (support - 1.3)
    score += 0.7 * (payment == "electronic check")
    table = pd.DataFrame(
        {
            "customer_id": [f"C-{number:05}" for number in random.permutation(90_000)[:count]],
            "region": random.choice(["north", "south", "east", "west"], count),
            "contract": contract,
            "payment": payment,
            "paperless": random.choice(["yes", "no"], count),
            "months": months.round().astype(int),
            "monthly_charge": monthly,
            "total_charge": (months * monthly).round(2),
            "support_calls": support,
            "left": np.where(random.random(count) < 1 / (1 + np.exp(-(score - 0.1) * 1.4)), "yes", "no"),
        }
    )
    table.loc[random.random(count) < 0.06, "payment"] = None
    table.loc[random.random(count) < 0.09, "total_charge"] = np.nan
    table[:800].to_csv(folder / "customers.csv", index=False)
    table[800:].drop(columns="left").to_csv(folder / "new-customers.csv", index=False)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    write_images(target)
    write_customers(target)
