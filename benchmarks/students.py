"""How well does one small network say what a large model says?

Teachers are gradient boosting, a random forest, a support vector machine and five networks folded
into one. Of each: its score on test rows, that of its student (the default one), and that of the
same network fitted to the data, with the fidelity of both networks to the teacher on the
test rows. Scores are R2 or minus log loss; fidelity is R2 with the teacher's predictions in place
of y, or the mean divergence from the teacher in nats. Tables and splits are those of tables.py,
with at most 5,000 training rows, as a teacher is fitted ten times, and without the test rows that
are among the training rows as well: a teacher may know them by heart. Bytes and time to predict
are those of what is deployed: students and networks as scikit-learn's, encoder included. Seconds
are of the processor, one thread.

One row of results/students.csv per table, split and teacher; rows that are there are skipped, so
that the benchmark can stop and go on: ``python benchmarks/students.py --budget 30``.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import functools
import itertools
import pickle
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import run
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, SVR
from tables import NAMES, TABLES, microseconds, row_scores

from skspectral import (
    SpectralMLPClassifier,
    SpectralMLPRegressor,
    SpectralStudentClassifier,
    SpectralStudentRegressor,
    to_sklearn,
)
from skspectral._students.labels import ClassLabels, NumberLabels

RESULTS = Path(__file__).parent / "results" / "students.csv"
COLUMNS = [
    "table",
    "seed",
    "teacher",
    "teacher_score",
    "student_score",
    "network_score",
    "student_fidelity",
    "network_fidelity",
    "student_nodes",
    "network_nodes",
    "teacher_bytes",
    "student_bytes",
    "teacher_microseconds",
    "student_microseconds",
    "student_seconds",
]
SEEDS = range(5)
MOST_ROWS = 5_000
ALPHA_FACTOR = 0.2
"""That of the student where none is given, for images, whose encoder is another."""


def boosting(split):
    cls = HistGradientBoostingClassifier if split.is_classes else HistGradientBoostingRegressor
    return cls(random_state=split.seed)


def forest(split):
    cls = RandomForestClassifier if split.is_classes else RandomForestRegressor
    return make_pipeline(split.scaler, cls(random_state=split.seed))


def machine(split):
    machine = CalibratedClassifierCV(SVC(), ensemble=False) if split.is_classes else SVR()
    return make_pipeline(split.scaler, machine)


def ensemble(split):
    cls = SpectralMLPClassifier if split.is_classes else SpectralMLPRegressor
    return make_pipeline(split.encoder, cls(n_members=5, random_state=split.seed))


TEACHERS = {
    "boosting": boosting,
    "forest": forest,
    "support vector machine": machine,
    "five networks": ensemble,
}


@functools.lru_cache(maxsize=1)
def split_of(table, seed):
    """Return a split whose test rows are in the training rows nowhere, as many a wine is."""
    split = TABLES[table](seed)
    if len(split.X) > MOST_ROWS:
        some = np.random.default_rng(seed).choice(len(split.X), MOST_ROWS, replace=False)
        split.X = split.X.iloc[some] if hasattr(split.X, "iloc") else split.X[some]
        split.y = split.y[some]
    if hasattr(split.X, "columns"):
        both = pd.concat([split.X, split.X_test])
        new = ~both.duplicated().to_numpy()[len(split.X) :]
        split.X_test, split.y_test = split.X_test[new], split.y_test[new]
    return split


def network(split, **settings):
    """Return a network behind the encoder of the table."""
    cls = SpectralMLPClassifier if split.is_classes else SpectralMLPRegressor
    return make_pipeline(split.encoder, cls(random_state=split.seed, **settings))


@functools.lru_cache(maxsize=1)
def fitted_network(table, seed):
    """Return the network that learns from the data, which all teachers of a table share."""
    split = split_of(table, seed)
    return network(split).fit(split.table[0], split.y)


def student_of(teacher, split):
    """Return the default student; where rows belong together, so do they in its folds."""
    cls = SpectralStudentClassifier if split.is_classes else SpectralStudentRegressor
    cv = 5
    if split.groups is not None:
        cv = list(StratifiedGroupKFold(5).split(split.X, split.y, split.groups))
    default = network(split, alpha_factor=ALPHA_FACTOR)
    return cls(teacher, default, cv=cv, random_state=split.seed)


def measure(file, key):
    """Append the row of one table, split and teacher."""
    table, seed, name = key
    split = split_of(table, seed)
    X, X_test = split.table
    alone = fitted_network(table, seed)
    start = time.process_time()
    model = student_of(TEACHERS[name](split), split).fit(X, split.y)
    seconds = time.process_time() - start
    labels = ClassLabels(model.classes_) if split.is_classes else NumberLabels()
    said = labels.of(model.teacher_, X_test)
    models = model.teacher_, model.student_, alone
    scores = [row_scores(split, each, X_test)[0].mean() for each in models]
    fidelities = [labels.fidelity(said, each, X_test) for each in models[1:]]
    deployed = [model.teacher_, to_sklearn(model)]
    file.add(
        [
            *key,
            *(round(float(value), 5) for value in (*scores, *fidelities)),
            *(sum(each[-1].n_alive_nodes_) for each in models[1:]),
            *(len(pickle.dumps(each)) for each in deployed),
            *(round(microseconds(each, X_test), 2) for each in deployed),
            round(seconds, 1),
        ]
    )


def keys():
    """Return what there is to measure, the most telling first."""
    first = itertools.product(TABLES, range(2), TEACHERS)
    rest = itertools.product(TABLES, SEEDS, TEACHERS)
    return dict.fromkeys([*first, *rest])


def doc_tables(rows):
    """Return the table of the documentation: means over splits."""
    by = rows.groupby(["table", "teacher"], sort=False)
    means = by.mean().drop(columns="seed").reset_index()
    means["splits"] = by.size().to_numpy()
    order = {name: place for place, name in enumerate([*TABLES, *TEACHERS])}
    means = means.sort_values(["table", "teacher"], key=lambda names: names.map(order))
    table = means[["table", "teacher", "splits"]].assign(table=means["table"].map(NAMES))
    forms = {
        **dict.fromkeys(["teacher_score", "student_score", "network_score"], "{:.3f}"),
        **dict.fromkeys(["student_fidelity", "network_fidelity"], "{:.3f}"),
        **dict.fromkeys(["student_nodes", "network_nodes"], "{:.0f}"),
        **dict.fromkeys(["teacher_bytes", "student_bytes"], "{:,.0f}"),
        **dict.fromkeys(["teacher_microseconds", "student_microseconds"], "{:.1f}"),
    }
    for column, form in forms.items():
        table[column.replace("_", " ")] = means[column].map(form.format)
    return {"students": table}


if __name__ == "__main__":
    warnings.filterwarnings("ignore", "n_quantiles", UserWarning)  # few rows
    warnings.filterwarnings("ignore", "Found unknown categories", UserWarning)
    run(keys(), measure, doc_tables, about=__doc__, results=RESULTS, columns=COLUMNS)
