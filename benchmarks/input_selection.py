"""How few inputs are enough? Accuracy against number of inputs, beside LassoNet.

LassoNet's own example: eight classes of mice from 77 proteins, missing values filled with the
mean, columns scaled, its penalty M=30. Both networks have 100 hidden nodes and follow a path
along which inputs leave: LassoNet along its own, the spectral one with eigenvalues of the
inbound side along rising penalties. Each network of a path is scored with the inputs that have
left set to their mean. Rows are split at random, as in the example, and by mouse, which is
harder: 15 rows of one mouse are much alike.

One row of results/input_selection.csv per network; the table of the documentation has the
accuracy of the densest network with at most so many inputs. Data are read from the folder that
SKSPECTRAL_DATA names.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from appending import Appender
from documents import write_tables
from real_tables import load_mice
from sklearn.exceptions import ConvergenceWarning
from sklearn.impute import SimpleImputer
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import LabelEncoder, StandardScaler

from skspectral import SpectralMLPClassifier
from skspectral._path.penalties import fixed
from skspectral._path.walk import is_dead, path_epochs, steps, until, visit
from skspectral._training.together import finish

RESULTS = Path(__file__).parent / "results" / "input_selection.csv"
COLUMNS = ["split", "seed", "model", "step", "n_inputs", "accuracy", "seconds"]
SPLITS = {"rows": ShuffleSplit, "mice": GroupShuffleSplit}
SEEDS = range(5)
HIDDEN = 100
ALPHAS = np.geomspace(1e-4, 1, 60)
MOST_INPUTS = (5, 10, 20, 40, 77)


def data(split, seed):
    """Return scaled training and test rows, and their classes as numbers."""
    X, y, mouse = load_mice()
    y = LabelEncoder().fit_transform(y)
    splitter = SPLITS[split](1, test_size=0.25, random_state=seed)
    train, test = next(splitter.split(X, y, mouse))
    scale = make_pipeline(SimpleImputer(), StandardScaler())
    rows = scale.fit_transform(X.iloc[train]), scale.transform(X.iloc[test])
    return *(part.astype(np.float32) for part in rows), y[train], y[test]


def spectral(X, X_test, y, y_test, seed):
    """Return the number of inputs and the accuracy along the path."""

    def look(fitted):
        importances = fitted.feature_importances_
        alive = importances > fitted.relevance_threshold * importances.max()
        return alive.sum(), fitted.score(np.where(alive, X_test, 0), y_test)

    network = SpectralMLPClassifier(HIDDEN, eigenvalues="in", random_state=seed)
    epochs = path_epochs(network, len(X))
    return finish(visit(until(steps(network, X, y, fixed(ALPHAS), epochs=epochs), is_dead), look))


def lasso_net(X, X_test, y, y_test, seed):
    """Yield the same of LassoNet, whose path stops itself."""
    import lassonet  # tables are written without it

    network = lassonet.LassoNetClassifier(
        M=30, hidden_dims=(HIDDEN,), random_state=seed, torch_seed=seed
    )
    for step in network.path(X, y, return_state_dicts=True):
        network.load(step.state_dict)
        alive = step.selected.numpy()
        yield alive.sum(), network.score(np.where(alive, X_test, 0), y_test)


def measure(split, seed, file):
    """Append the networks of both paths, unless they are there."""
    for model in (spectral, lasso_net):
        if not file.wants([split, seed, model.__name__, 0]):
            continue
        start = time.perf_counter()
        found = list(model(*data(split, seed), seed))
        seconds = round(time.perf_counter() - start, 1)
        for step, (n_inputs, accuracy) in enumerate(found):
            row = [split, seed, model.__name__, step, n_inputs, round(accuracy, 4), seconds]
            file.add(row)


def doc_tables(rows):
    """Return mean accuracies of the densest networks with at most so many inputs."""
    keys = ["split", "model"]
    columns = {}
    for most in MOST_INPUTS:
        few = rows[rows["n_inputs"].between(1, most)]
        densest = few.loc[few.groupby([*keys, "seed"])["n_inputs"].idxmax()]
        # twice: how a mean that ends in a five is rounded must not hang on its last bits
        means = densest.groupby(keys)["accuracy"].mean().round(9)
        columns[f"{most} inputs"] = means.round(3)
    per_fit = rows.drop_duplicates([*keys, "seed"]).groupby(keys)["seconds"]
    table = pd.DataFrame({**columns, "seconds": per_fit.median()}).reset_index()
    return {"input_selection": table}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--budget", type=float, default=60, help="minutes after which to stop")
    arguments = parser.parse_args()
    file = Appender(RESULTS, COLUMNS, n_keys=4, budget=arguments.budget)
    warnings.simplefilter("ignore", ConvergenceWarning)  # networks of a path have not settled
    for seed in SEEDS:
        for split in SPLITS:
            measure(split, seed, file)
    write_tables(doc_tables(file.read()))


if __name__ == "__main__":
    main()
