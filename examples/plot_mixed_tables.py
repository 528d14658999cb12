"""
How does a table with categories and gaps get into production?
==============================================================

Three tables as practitioners have them: Adult (who earns more than 50,000 dollars?),
Bank marketing (who subscribes? one in nine) and Titanic (who survived?). They have
numbers and categories side by side, with values missing. One scikit-learn pipeline deals
with all that. Are its probabilities honest, how are rare classes found, and what does it take
to predict where torch is not installed?

The tables are read from the folder that the environment variable SKSPECTRAL_DATA names.
Where there is none, synthetic tables of the same kind take their place.
"""

# SPDX-License-Identifier: BSD-3-Clause

# sphinx_gallery_thumbnail_number = 1

# %%
# Tables
# ------
# At most 2,000 rows of each for training, to keep this short. In Bank the duration of
# the call is left out, as it is known only afterwards; 999 days since the last contact
# stand for none.
import os
import pickle
import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import balanced_accuracy_score, log_loss, roc_auc_score
from sklearn.model_selection import TunedThresholdClassifierCV, train_test_split
from sklearn.pipeline import make_pipeline

from skspectral import SpectralMLPClassifier, to_sklearn
from skspectral.preprocessing import make_tabular_preprocessor

ADULT_COLUMNS = (
    "age,workclass,fnlwgt,education,education-num,marital-status,occupation,relationship,"
    "race,sex,capital-gain,capital-loss,hours-per-week,native-country,income"
)


def load_adult(folder):
    """Return the columns, and whether the income is above 50,000 dollars."""
    options = {"names": ADULT_COLUMNS.split(","), "skipinitialspace": True, "na_values": "?"}
    table = pd.read_csv(folder / "adult" / "adult.data.gz", **options)
    return table.drop(columns="income"), table["income"] == ">50K"


def load_bank(folder):
    """Return the columns, and whether the client subscribed."""
    table = pd.read_csv(folder / "bank_marketing" / "bank-additional-full.csv.gz", sep=";")
    table["pdays"] = table["pdays"].astype(float).replace(999, np.nan)
    return table.drop(columns=["duration", "y"]), table["y"] == "yes"


def load_titanic(folder):
    """Return the columns, and whether the passenger survived."""
    table = pd.read_csv(folder / "titanic" / "train.csv")
    columns = ["Pclass", "Sex", "Age", "SibSp", "Parch", "Fare", "Embarked"]
    return table[columns], table["Survived"] == 1


def synthetic_table(share, seed):
    """Return numbers and categories, some missing, and labels of which a share is positive."""
    X, y = make_classification(
        5000, 8, n_informative=6, weights=[1 - share], flip_y=0.1, random_state=seed
    )
    table = pd.DataFrame(X).add_prefix("number ")
    for name in table.columns[:3]:
        table[name.replace("number", "category")] = pd.cut(table.pop(name), 5).astype(str)
    return table.mask(np.random.default_rng(seed).random(table.shape) < 0.05), y == 1


def load_tables():
    """Return the three tables by name."""
    folder = Path(os.environ.get("SKSPECTRAL_DATA", ""))
    if (folder / "bank_marketing").is_dir():
        loaders = {"Adult": load_adult, "Bank": load_bank, "Titanic": load_titanic}
        return {name: load(folder) for name, load in loaders.items()}
    print("SKSPECTRAL_DATA does not name a folder with the tables; using synthetic ones.")
    return {f"{share:.0%} positive": synthetic_table(share, 0) for share in (0.25, 0.11, 0.4)}


def split(X, y):
    """Return the parts of a table for training and test, classes in equal shares."""
    rows = min(2000, len(X) * 3 // 4)
    return train_test_split(
        X,
        np.asarray(y),
        train_size=rows,
        test_size=min(8000, len(X) - rows),
        stratify=y,
        random_state=0,
    )


tables = {name: split(X, y) for name, (X, y) in load_tables().items()}

# %%
# One pipeline for all
# --------------------
# The preprocessor tells numbers and categories apart by what the columns hold, fills and marks
# gaps, and merges rare categories. Gradient boosting gets the tables as they are, as
# a yardstick. Where the score must choose the penalty, put a
# :class:`~skspectral.SpectralMLPClassifierCV` at the end.

models = {}
for name, (X_train, X_test, y_train, y_test) in tables.items():
    model = make_pipeline(make_tabular_preprocessor(), SpectralMLPClassifier(random_state=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # sizes may be upper bounds
        models[name] = model.fit(X_train, y_train)
    as_categories = dict.fromkeys(X_train.select_dtypes(exclude="number"), "category")
    boosting = HistGradientBoostingClassifier(random_state=0)
    boosting.fit(X_train.astype(as_categories), y_train)
    gaps = X_train.isna().to_numpy().mean()
    print(f"{name}: {len(X_train)} rows, {gaps:.1%} missing, {y_train.mean():.0%} positive")
    for label, fitted, X in (
        (f"network, nodes: {sum(model[-1].n_alive_nodes_)}", model, X_test),
        ("gradient boosting", boosting, X_test.astype(as_categories)),
    ):
        proba = fitted.predict_proba(X)[:, 1]
        loss, area = log_loss(y_test, proba), roc_auc_score(y_test, proba)
        print(f"{label:>22}: log loss {loss:.3f}, area under the ROC curve {area:.3f}")

# %%
# Are the probabilities honest?
# -----------------------------
# Among rows that are given a probability of 30 %, about 30 % should be positive: a curve on the
# diagonal. Each point is an eighth of the test rows.

fig, ax = plt.subplots(figsize=(6, 5), layout="constrained")
for name, (_, X_test, _, y_test) in tables.items():
    proba = models[name].predict_proba(X_test)[:, 1]
    CalibrationDisplay.from_predictions(
        y_test, proba, n_bins=8, strategy="quantile", name=name, ax=ax
    )
ax.set(title="Reliability of the probabilities", xlabel="predicted", ylabel="share of positives")
plt.show()

# %%
# Rare classes
# ------------
# One client in nine subscribes, so a network that says no to all is right eight times
# of nine. There are two ways to find more of them. `class_weight` weights the rows of
# a class in training: the decisions change, but so do the probabilities, which now
# belong to another world. The other way leaves the probabilities alone and moves the
# threshold, with scikit-learn's ``TunedThresholdClassifierCV``.

name = list(tables)[1]
X_train, X_test, y_train, y_test = tables[name]
weighted = SpectralMLPClassifier(class_weight="balanced", random_state=0)
candidates = {
    "class_weight": make_pipeline(make_tabular_preprocessor(), weighted),
    "threshold": TunedThresholdClassifierCV(models[name], cv=0.3, random_state=0),
}
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    for candidate in candidates.values():
        candidate.fit(X_train, y_train)
fig, ax = plt.subplots(figsize=(6, 5), layout="constrained")
for label, candidate in {"plain": models[name], **candidates}.items():
    guess, proba = candidate.predict(X_test), candidate.predict_proba(X_test)[:, 1]
    print(
        f"{name}, {label:>12}: {guess[y_test].mean():4.0%} of the positive found, "
        f"balanced accuracy {balanced_accuracy_score(y_test, guess):.3f}, "
        f"log loss {log_loss(y_test, proba):.3f}"
    )
    if label != "threshold":  # the probabilities of "plain"
        CalibrationDisplay.from_predictions(
            y_test, proba, n_bins=8, strategy="quantile", name=label, ax=ax
        )
ax.set(
    title=f"{name}: class weights spoil probabilities",
    xlabel="predicted",
    ylabel="share of positives",
)
plt.show()

# %%
# To production, without torch
# ----------------------------
# ``to_sklearn`` makes an ordinary scikit-learn pipeline of the whole, encoding included. Here a
# process of its own gets it, with rows of the table as they are. Back come probabilities, and
# whether torch or this package were imported.

export = to_sklearn(models[name])
print(", ".join(type(step).__name__ for _, step in export.steps))
CODE = """
import pickle, sys
model, rows = pickle.load(sys.stdin.buffer)
found = model.predict_proba(rows), {"torch", "skspectral"} & set(sys.modules)
pickle.dump(found, sys.stdout.buffer)
"""
rows = X_test[:1000]
done = subprocess.run(
    [sys.executable, "-c", CODE],
    input=pickle.dumps((export, rows)),
    stdout=subprocess.PIPE,
    check=True,
)
proba, imported = pickle.loads(done.stdout)
largest = np.abs(proba - models[name].predict_proba(rows)).max()
print(f"{len(pickle.dumps(export)):,d} bytes, imported of torch and this package: {len(imported)}")
print(f"largest difference of a probability: {largest:.1e}")

# %%
# Conclusion
# ----------
# A handful of nodes is enough for each of these tables. Probabilities can be used as
# they come, unless classes were weighted in training; where decisions matter, move the
# threshold instead. And what goes into production is scikit-learn alone;
# :func:`~skspectral.to_onnx` makes one ONNX model of the same pipeline.
