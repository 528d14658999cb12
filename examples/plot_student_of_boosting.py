"""
How much of gradient boosting can a small student say?
======================================================

Gradient boosting is a hard model to beat on a noisy table, and a large one: hundreds of
trees. One small network can say much of what it says. Here a student learns from the
model, not from the data, and ends as a network of scikit-learn's.

White wines are rated by tasters, from 11 chemical measurements. The table is read from the
folder that the environment variable SKSPECTRAL_DATA names. Where there is none, the
diabetes data that scikit-learn bundles take its place.
"""

# SPDX-License-Identifier: BSD-3-Clause

# %%
# Data
# ----
# Many wines are in the table twice. They are taken once, so that no model can know a wine of
# the test rows.
import os
import pickle
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from skspectral import FidelityDisplay, SpectralMLPRegressor, SpectralStudentRegressor
from skspectral.preprocessing import make_tabular_preprocessor


def load_data():
    """Return the name of the table, X and y."""
    path = Path(os.environ.get("SKSPECTRAL_DATA", "")) / "wine_quality" / "winequality-white.csv"
    if not path.exists():
        print("SKSPECTRAL_DATA names no folder with the wines; using the bundled diabetes data.")
        return "diabetes", *load_diabetes(return_X_y=True, as_frame=True)
    wine = pd.read_csv(path, sep=";").drop_duplicates()
    return "white wine", wine.drop(columns="quality"), wine["quality"].astype(float)


name, X, y = load_data()
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

# %%
# Teacher and student
# -------------------
# The teacher labels the training rows out of fold, and four times as many synthetic rows
# near them. The student learns all these labels. ``summary()`` says how well: fidelity is R2
# with the teacher's predictions in place of the targets.

boosting = HistGradientBoostingRegressor(random_state=0)
model = SpectralStudentRegressor(boosting, random_state=0)
alone = make_pipeline(make_tabular_preprocessor(), SpectralMLPRegressor(random_state=0))
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)
    model.fit(X_train, y_train)
    alone.fit(X_train, y_train)
print(model.summary())

# %%
# On test rows
# ------------
# The same network, fitted to the data, is the one to compare with.

teacher, student = model.teacher_, model.to_sklearn()
said = teacher.predict(X_test)
for label, estimator in (("boosting", teacher), ("student", student), ("from data", alone)):
    predicted = estimator.predict(X_test)
    print(
        f"{label:>10}: R2 {r2_score(y_test, predicted):.3f}, fidelity "
        f"{r2_score(said, predicted):.3f}, {len(pickle.dumps(estimator)):8,d} bytes"
    )

# %%
# What each node is worth
# -----------------------
# The student is cut node by node, the least relevant first, without further training. The
# dashed line is the score of the teacher.

fig, axes = plt.subplots(2, sharex=True, figsize=(6, 5), layout="constrained")
FidelityDisplay.from_estimator(model, X_test, y_test, ax=axes)
axes[0].set_title(name)
plt.show()

# %%
# Conclusion
# ----------
# A network of a few nodes says most of what boosting says, and more of it than the same network
# that was fitted to the data; their scores can hardly be told apart here. How many nodes it has
# is a matter of how well it says what the teacher says, not of the wines alone.
#
# .. rubric:: References
#
# C. Bucila, R. Caruana, A. Niculescu-Mizil, "Model compression", KDD 2006.
