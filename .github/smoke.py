"""What an installed release must do, run from a folder without the sources: smoke.py VERSION."""

import sys
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

import numpy as np

import skspectral
from skspectral import SpectralMLPRegressor, SpectralPruner


def main(expected: str) -> None:
    """Raise an error if something is missing."""
    if not version("skspectral") == skspectral.__version__ == expected:
        raise SystemExit(f"{skspectral.__version__} is installed, not {expected}")
    if Path(skspectral.__file__).parent == Path(__file__).parent.parent / "skspectral":
        raise SystemExit("the sources were imported, not what is installed")
    if not files("skspectral").joinpath("py.typed").is_file():
        raise SystemExit("py.typed is missing")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.abs(X[:, 0]) + rng.normal(scale=0.3, size=200)
    pruner = SpectralPruner(SpectralMLPRegressor(random_state=0), random_state=0).fit(X, y)
    if not np.allclose(pruner.to_sklearn().predict(X), pruner.predict(X), atol=1e-4):
        raise SystemExit("the exported network predicts something else")
    print(pruner.summary())


if __name__ == "__main__":
    main(sys.argv[1])
