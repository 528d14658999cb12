"""A multilayer perceptron of spectral and dense layers."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from skspectral.nn._linear import (
    SpectralLinear,
    check_countable,
    check_dtype,
    check_flags,
    is_size,
    reset_layer,
    unfilled,
)
from skspectral.nn._skip import LinearSkip

ACTIVATIONS: dict[str, type[nn.Module]] = {
    "identity": nn.Identity,
    "logistic": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
}
PARAMETRIZATIONS = ("spectral", "dense")
EIGENVALUES = ("out", "in", "out-in", "both", "inputs")
TRAINABLE = ("all", "eigenvalues", "eigenvectors")


def _check_choice(name: str, value: str, choices: Sequence[str]) -> None:
    if value not in choices:
        raise ValueError(f"`{name}` must be one of {tuple(choices)}; got {value!r}.")


def _check_first_is_spectral(kinds: Sequence[str]) -> None:
    """Raise where spectral layers are asked for, but not the one that has the eigenvalues."""
    if "spectral" in kinds[1:] and kinds[0] != "spectral":
        raise ValueError(
            "With eigenvalues='inputs' the first hidden layer alone has eigenvalues, so its "
            f"`parametrization` must be 'spectral'; got {tuple(kinds)}."
        )


def _per_hidden_layer(parametrization: str | Sequence[str], n_hidden: int) -> list[str]:
    """Expand `parametrization` to one entry per hidden layer."""
    if isinstance(parametrization, str):
        expanded = [parametrization] * n_hidden
    else:
        expanded = list(parametrization) if isinstance(parametrization, Iterable) else None
        if expanded is None or len(expanded) != n_hidden:
            found = repr(parametrization) if expanded is None else f"{len(expanded)} of them"
            raise ValueError(
                "`parametrization` must be a string or name one parametrization per hidden "
                f"layer, {n_hidden} in all; got {found}."
            )
    for name in [parametrization] if isinstance(parametrization, str) else expanded:
        _check_choice("parametrization", name, PARAMETRIZATIONS)
    return expanded


def _trained_factors(eigenvalues: str, trainable: str, is_output: bool) -> dict[str, bool]:
    """Return what is trained in a spectral layer, as keywords of :class:`SpectralLinear`."""
    train_lambda = trainable != "eigenvectors"
    return {
        "train_phi": trainable != "eigenvalues",
        "train_lambda_in": train_lambda and (is_output or eigenvalues in ("in", "both", "inputs")),
        "train_lambda_out": train_lambda and not is_output and eigenvalues not in ("in", "inputs"),
    }


class SpectralMLP(nn.Module):
    """Stack of fully connected layers, spectral or dense, with one activation between them.

    Parameters
    ----------
    layer_sizes : sequence of int
        Input columns, hidden nodes per layer, outputs: at least two numbers.
    activation : {"identity", "logistic", "tanh", "relu", "gelu", "silu"}, default="relu"
        Applied after every hidden layer; the output is left linear.
    parametrization : {"spectral", "dense"} or sequence of them, default="spectral"
        One for all hidden layers, or one for each.
    eigenvalues : {"out", "in", "out-in", "both", "inputs"}, default="out"
        Which eigenvalues exist. "out": `lambda_out` of the hidden layers, the
        output layer is dense. "in": `lambda_in` of every layer. "out-in":
        `lambda_out` of the hidden layers and `lambda_in` of the output layer.
        "both": both in the hidden layers, `lambda_in` in the output layer.
        "inputs": `lambda_in` of the first layer, all others are dense, whatever
        `parametrization` says of them. The
        output layer is spectral only where the last hidden layer is; it never
        has a `lambda_out`.
    trainable : {"all", "eigenvalues", "eigenvectors"}, default="all"
        What is trained in the spectral layers; biases and dense layers are always
        trained.
    bias : bool, default=True
        Whether layers have biases.
    skip : bool, default=False
        Whether the outputs also get a linear term of the inputs, V x, which starts at
        zero and is always trained. What is linear then needs no hidden nodes.
    generator : torch.Generator on the CPU or None, default=None
        Source of the initial weights; None uses torch's global generator.
    device, dtype : optional
        As in :class:`torch.nn.Linear`.

    Attributes
    ----------
    layers : ModuleList
        :class:`SpectralLinear` or :class:`torch.nn.Linear`, first to last.
    hidden_layers : list of Module
        `layers` without the output layer.
    skip : Module or None
        What holds V, as `weight` of shape (n_outputs, n_inputs); None without `skip`.

    Raises
    ------
    ValueError
        If `layer_sizes` is too short, a size is below 1, an option is unknown, `dtype` is
        not one of floating-point numbers, or only layers above the first are spectral
        although `eigenvalues` are those of the inputs.
    MemoryError
        If no memory holds a network of that size.

    See Also
    --------
    SpectralLinear : The layer, with the formula.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.

    Examples
    --------
    >>> import torch
    >>> from skspectral.nn import SpectralMLP
    >>> module = SpectralMLP((8, 32, 1))
    >>> module(torch.zeros(5, 8)).shape
    torch.Size([5, 1])
    """

    def __init__(
        self,
        layer_sizes: Sequence[int],
        activation: str = "relu",
        parametrization: str | Sequence[str] = "spectral",
        *,
        eigenvalues: str = "out",
        trainable: str = "all",
        bias: bool = True,
        skip: bool = False,
        generator: torch.Generator | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        listed = tuple(layer_sizes) if isinstance(layer_sizes, Iterable) else ()
        if len(listed) < 2 or not all(is_size(size) for size in listed):
            raise ValueError(
                "`layer_sizes` must hold the numbers of inputs, hidden nodes and outputs, "
                f"all integers of at least 1; got {layer_sizes!r}."
            )
        self.layer_sizes = tuple(int(size) for size in listed)
        check_countable(self.layer_sizes)
        check_dtype(dtype)
        _check_choice("activation", activation, tuple(ACTIVATIONS))
        _check_choice("eigenvalues", eigenvalues, EIGENVALUES)
        _check_choice("trainable", trainable, TRAINABLE)
        check_flags(skip=skip)
        n_hidden = len(self.layer_sizes) - 2
        kinds = _per_hidden_layer(parametrization, n_hidden)
        if eigenvalues == "inputs":  # columns alone have eigenvalues
            _check_first_is_spectral(kinds)
            kinds[1:] = ["dense"] * (n_hidden - 1)
        # the output's lambda_in ranks hidden nodes, so it exists only if those are spectral
        output_is_spectral = eigenvalues not in ("out", "inputs") and "spectral" in kinds[-1:]
        # without hidden layers kinds[-1:] is empty, and the one layer dense
        kinds.append("spectral" if output_is_spectral else "dense")

        self.activation = ACTIVATIONS[activation]()
        self.eigenvalues = eigenvalues
        self.layers = nn.ModuleList()
        for index, kind in enumerate(kinds):
            sizes = self.layer_sizes[index : index + 2]
            is_output = index == n_hidden
            options: dict[str, Any] = {"bias": bias, "device": device or "cpu", "dtype": dtype}
            if kind == "dense":
                self.layers.append(unfilled(nn.Linear, *sizes, **options))
            else:
                options |= _trained_factors(eigenvalues, trainable, is_output)
                self.layers.append(unfilled(SpectralLinear, *sizes, **options))
        ends = self.layer_sizes[0], self.layer_sizes[-1]
        self.skip = LinearSkip(*ends, device=device or "cpu", dtype=dtype) if skip else None
        self.reset_parameters(generator, gain=self.gain)

    @property
    def gain(self) -> float:
        """Factor on the bounds of the initial weights, which the activation asks for."""
        # the factor of scikit-learn's MLP, which draws up to sqrt(2 / (n_in + n_out)) there
        return 1 / math.sqrt(3) if isinstance(self.activation, nn.Sigmoid) else 1.0

    @property
    def hidden_layers(self) -> list[nn.Module]:
        """The layers whose nodes are hidden, first to last."""
        return list(self.layers)[:-1]

    def set_trainable(self, trainable: str) -> None:
        """Change what is trained in the spectral layers; see `trainable` of the class.

        Parameters
        ----------
        trainable : {"all", "eigenvalues", "eigenvectors"}
        """
        _check_choice("trainable", trainable, TRAINABLE)
        for layer in self.layers:
            if isinstance(layer, SpectralLinear):
                is_output = layer is self.layers[-1]
                layer.set_trained(**_trained_factors(self.eigenvalues, trainable, is_output))

    def with_layers(self, layers: Sequence[Any]) -> SpectralMLP:
        """Return a copy with other layers, which may have other sizes.

        Parameters
        ----------
        layers : sequence of Module
            In place of `layers`, first to last; they are not copied.

        Returns
        -------
        SpectralMLP

        Raises
        ------
        TypeError
            If `layers` are not modules.
        """
        layers = list(layers) if isinstance(layers, Iterable) else layers
        if not isinstance(layers, list) or not all(isinstance(x, nn.Module) for x in layers):
            raise TypeError(f"`layers` must be a sequence of torch.nn.Module; got {layers!r}.")
        replaced = nn.ModuleList(layers).train(self.training)
        # the memo makes deepcopy take the new layers where it would copy the old ones
        changed = copy.deepcopy(self, {id(self.layers): replaced})
        sizes = [layer.out_features for layer in layers]
        changed.layer_sizes = (self.layer_sizes[0], *sizes)
        return changed

    def last_hidden(self, x: Tensor) -> Tensor:
        """Map Tensor of shape (n, n_inputs) to the activations of the last hidden layer."""
        for layer in self.hidden_layers:
            x = self.activation(layer(x))
        return x

    def reset_parameters(
        self, generator: torch.Generator | None = None, *, gain: float = 1.0
    ) -> None:
        """Restart every layer; see :meth:`SpectralLinear.reset_parameters`."""
        for layer in self.layers:
            reset_layer(layer, generator, gain=gain)
        if self.skip is not None:
            self.skip.reset_parameters()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take over the state of a pickle, also of one from before there were skips."""
        super().__setstate__(state)  # type: ignore[no-untyped-call]
        if "skip" not in self._modules:
            self.__dict__.setdefault("skip", None)

    def forward(self, x: Tensor) -> Tensor:
        """Map Tensor of shape (n, n_inputs) to linear outputs of shape (n, n_outputs)."""
        # linear: the losses take logits, as exponentials could overflow here
        output: Tensor = self.layers[-1](self.last_hidden(x))
        return output if self.skip is None else output + self.skip(x)
