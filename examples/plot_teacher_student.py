"""
Does a student end with its teacher's size?
===========================================

A small network, the teacher, labels synthetic data. Students of different widths learn
from these labels alone. If the method holds what it promises, the wide ones end
with as many nodes as the teacher has, and these are the teacher's nodes. The study is one
``GridSearchCV``.
"""

# SPDX-License-Identifier: BSD-3-Clause

# %%
# The teacher
# -----------
# Ten relu nodes on ten columns, and a tenth of noise. The teacher is a genuine
# scikit-learn network.
import warnings

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

from skspectral import (
    EffectiveSizeDisplay,
    PathMagnitudesDisplay,
    SpectralMLPRegressor,
    match_nodes,
    n_alive_nodes_score,
)
from skspectral.datasets import make_teacher_student

TEACHER = 10
data = make_teacher_student(5000, 10, TEACHER, noise=0.1, random_state=0)
print(f"{data.teacher}, R2 of the teacher itself {data.teacher.score(data.X, data.y):.3f}")

# %%
# The study
# ---------
# Widths, the spectral network and the dense control. The alive nodes are a score like
# any other; with ``refit=False`` nothing is chosen by it. One split is enough here, as
# rows are plenty, and one seed, to keep this short. Penalty and length of training are
# the defaults: they follow the data, with a rule for either kind of network.

rows = range(len(data.X))
students = GridSearchCV(
    SpectralMLPRegressor(random_state=0),
    {
        "hidden_layer_sizes": [10, 20, 50, 100],
        "parametrization": ["spectral", "dense"],
    },
    scoring={"r2": "r2", "n_nodes": n_alive_nodes_score},
    cv=[(rows[:4000], rows[4000:])],
    refit=False,
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)  # from the narrowest students
    students.fit(data.X, data.y)
results = pd.DataFrame(students.cv_results_)
by = ["param_parametrization", "param_hidden_layer_sizes"]
print(results.groupby(by)[["mean_test_n_nodes", "mean_test_r2"]].mean().round(3).to_string())

# %%
# Sizes
# -----

EffectiveSizeDisplay.from_cv_results(students.cv_results_, teacher_size=TEACHER)
plt.show()

# %%
# Are they the same nodes?
# ------------------------
# Here the width is the default, too. Nodes of the student are paired with the teacher's
# by the cosine of their incoming weights. Path magnitudes compare whole networks:
# products of weights along all ways through them, which neither order nor scale of
# nodes changes.

student = SpectralMLPRegressor(random_state=0).fit(data.X, data.y)
match = match_nodes(student, data.teacher)
(width,) = (len(relevance) for relevance in student.feature_relevance_)
print(f"{student.n_alive_nodes_[0]} of {width} nodes alive; cosines of the pairs, sorted:")
print(sorted(match.similarity.round(3).tolist()))
PathMagnitudesDisplay.from_estimators(student, data.teacher)
plt.show()

# %%
# Conclusion
# ----------
# Spectral students that start five or ten times as wide as the teacher end with its
# size, and their nodes point where the teacher's do. Starts of one or two times its
# width end in poorer minima, with too few nodes or too many. The dense control, penalised
# on every layer by a rule of its own and trained as long as it takes, finds the size as
# well, from twice the width on. Compare at equal score, not at equal penalty, before
# drawing conclusions on other tasks.
#
# L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student becomes a teacher: learning
# and forgetting through spectral methods", NeurIPS 2023, https://arxiv.org/abs/2310.12612.
