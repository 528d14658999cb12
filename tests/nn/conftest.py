"""Networks to test with: `random_module`, and any SpectralMLP for hypothesis to draw."""

import pytest
import torch
from hypothesis import strategies as st

from skspectral.nn import SpectralMLP
from skspectral.nn._mlp import ACTIVATIONS, EIGENVALUES


def make_random_module(seed, layer_sizes, **options):
    """Return a module none of whose parameters is zero, eigenvalues and biases included."""
    generator = torch.Generator().manual_seed(seed)
    module = SpectralMLP(layer_sizes, generator=generator, **options)
    with torch.no_grad():
        for parameter in module.parameters():
            noise = torch.randn(parameter.shape, generator=generator, dtype=torch.float64)
            parameter.add_(0.3 * noise)
    return module


@pytest.fixture(scope="session")
def random_module():
    """Return :func:`make_random_module`."""
    return make_random_module


@st.composite
def any_modules(draw):
    """Draw a module of any kind, with one to three hidden layers."""
    hidden = draw(st.lists(st.integers(1, 12), min_size=1, max_size=3))
    kind = st.sampled_from(["spectral", "dense"])
    kinds = draw(st.lists(kind, min_size=len(hidden), max_size=len(hidden)))
    eigenvalues = draw(st.sampled_from(EIGENVALUES))
    if eigenvalues == "inputs" and "spectral" in kinds:
        kinds[0] = "spectral"  # other spectral layers would have no eigenvalues
    return make_random_module(
        draw(st.integers(0, 10_000)),
        (draw(st.integers(1, 6)), *hidden, draw(st.integers(1, 4))),
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))),
        parametrization=kinds,
        eigenvalues=eigenvalues,
        bias=draw(st.booleans()),
        skip=draw(st.booleans()),
        dtype=draw(st.sampled_from([torch.float32, torch.float64])),
    )


st.register_type_strategy(SpectralMLP, any_modules())  # drawn by st.from_type(SpectralMLP)
