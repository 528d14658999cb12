"""Real tables for the benchmarks, read from the folder that SKSPECTRAL_DATA names."""

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import fetch_california_housing

ADULT_COLUMNS = [
    "age",
    "workclass",
    "fnlwgt",
    "education",
    "education-num",
    "marital-status",
    "occupation",
    "relationship",
    "race",
    "sex",
    "capital-gain",
    "capital-loss",
    "hours-per-week",
    "native-country",
    "income",
]


def folder(name):
    """Return the folder of one data set; say how to get it where it is missing."""
    root = os.environ.get("SKSPECTRAL_DATA")
    if root is None or not (Path(root) / name).is_dir():
        raise SystemExit(
            f"Set SKSPECTRAL_DATA to a folder that holds {name}/ (see docs/data.rst)."
        )
    return Path(root) / name


def read_idx(path):
    """Return the uint8 array of a gzipped IDX file."""
    with gzip.open(path) as file:
        raw = file.read()
    n_dims = raw[3]
    shape = np.frombuffer(raw, ">i4", n_dims, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * n_dims).reshape(shape)


def load_images(name):
    """Return X, X_test, y, y_test; pixels float32 in [0, 1], one row per image."""
    arrays = []
    for part in ("train", "t10k"):
        images = read_idx(folder(name) / f"{part}-images-idx3-ubyte.gz")
        arrays.append(images.reshape(len(images), -1).astype(np.float32) / 255)
    labels = [
        read_idx(folder(name) / f"{part}-labels-idx1-ubyte.gz") for part in ("train", "t10k")
    ]
    return (*arrays, *(y.astype(int) for y in labels))


def load_adult():
    """Return X, X_test (data frames of 14 columns), y, y_test (1: income above 50K)."""
    frames = [
        pd.read_csv(
            folder("adult") / f"adult.{part}.gz",
            names=ADULT_COLUMNS,
            skipinitialspace=True,
            na_values="?",
            comment="|",
        )
        for part in ("data", "test")
    ]
    columns = [frame.drop(columns="income") for frame in frames]
    return (*columns, *(frame["income"].str.startswith(">50K").astype(int) for frame in frames))


def load_california():
    """Return X, y of California Housing, from scikit-learn's loader."""
    return fetch_california_housing(return_X_y=True)


def load_bank():
    """Return X (data frame of 19 columns), y (1: subscribed) of Bank marketing.

    Without `duration`, which is known only after the call; 999 days since the last
    contact stand for none, so they are missing.
    """
    bank = pd.read_csv(folder("bank_marketing") / "bank-additional-full.csv.gz", sep=";")
    bank["pdays"] = bank["pdays"].astype(float).replace(999, np.nan)
    return bank.drop(columns=["duration", "y"]), (bank["y"] == "yes").astype(int)


def load_wine(color):
    """Return X (data frame of 11 columns), y (quality) of red or white wine; rows repeat."""
    wine = pd.read_csv(folder("wine_quality") / f"winequality-{color}.csv", sep=";")
    return wine.drop(columns="quality"), wine["quality"].astype(float)


def load_titanic():
    """Return X (data frame of 7 columns), y (1: survived) of the labelled passengers."""
    titanic = pd.read_csv(folder("titanic") / "train.csv")
    columns = ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
    return titanic[columns], titanic["Survived"]


def load_mice():
    """Return X (data frame of 77 proteins), y (8 classes), groups (the mouse of each row)."""
    mice = pd.read_csv(folder("mice_protein") / "Data_Cortex_Nuclear.csv")
    return mice.iloc[:, 1:78], mice["class"], mice["MouseID"].str.split("_").str[0]
