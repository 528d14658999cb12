"""Spectral factors behind the weights of existing torch modules."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from skspectral.nn._hidden import AnyModule, named_layers
from skspectral.nn._linear import SpectralLinear


class SpectralFactors(nn.Module):
    r"""Parametrisation of a weight by eigenvectors and outbound eigenvalues.

    .. math::

        w_i = -\lambda^{out}_i \, \phi_i

    with :math:`w_i` the incoming weights of node i, or the kernel of channel i.
    """

    def forward(self, phi: Tensor, lambda_out: Tensor) -> Tensor:
        """Return the weight, Tensor of the shape of `phi`, (n_nodes, ...)."""
        return -phi * per_row(lambda_out, phi)

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        """Return the cheapest factors of a weight, Tensors of shape (n_nodes, ...), (n_nodes,).

        Both have the norm of the square root of the row's. A row of zeros keeps an eigenvalue
        of -1, as both factors at zero would get no gradient.
        """
        # in float64, so that the weight comes back to rounding, and small squares do not vanish
        wide = weight.detach().double()
        roots = torch.linalg.vector_norm(wide.flatten(1), dim=1).sqrt()
        roots = torch.where(roots > 0, roots, 1.0)
        phi = wide / per_row(roots, wide)
        return phi.to(weight.dtype), -roots.to(weight.dtype)


def per_row(values: Tensor, like: Tensor) -> Tensor:
    """Return values of shape (n_nodes,) in a shape that multiplies the rows of `like`."""
    return values.reshape(-1, *[1] * (like.ndim - 1))


def factors_of(layer: nn.Module) -> tuple[Tensor, Tensor] | None:
    """Return `phi` and `lambda_out` of a layer of :func:`reparametrize`, None of any other."""
    if not parametrize.is_parametrized(layer, "weight"):
        return None
    held: Any = layer.parametrizations["weight"]  # type: ignore[index]
    return (held.original0, held.original1) if isinstance(held[0], SpectralFactors) else None


def give_own_class(layer: nn.Module) -> None:
    """Give a layer with parametrisations a class of its own.

    In its class torch keeps the property that stands for a parametrised tensor, and a deep copy
    has the same class: a change of one would be a change of the other.
    """
    if parametrize.is_parametrized(layer):
        shared = type(layer)
        layer.__class__ = type(shared.__name__, shared.__bases__, dict(vars(shared)))


def put_factors(layer: nn.Module) -> None:
    """Write the weight of a layer through its factors."""
    give_own_class(layer)
    parametrize.register_parametrization(layer, "weight", SpectralFactors())


def reparametrize(module: AnyModule, *, exclude: Sequence[str] | None = None) -> AnyModule:
    r"""Put spectral factors behind the weights of an existing torch module.

    The weights of each Linear and convolutional layer are from then on

    .. math::

        w_{ij} = -\lambda^{out}_i \, \phi_{ij}

    with one eigenvalue for each node i, or for each output channel of a convolution
    (:math:`j` then counts the entries of its kernel). What the module computes does not
    change: the factors are those of the present weights that the penalty finds cheapest,
    :math:`\|\phi_i\| = |\lambda^{out}_i|`. Train them with :func:`penalty` added to the
    loss, and nodes and channels that do not pay vanish.

    Parameters
    ----------
    module : torch.nn.Module
        Any module with Linear, Conv1d, Conv2d or Conv3d layers. It is changed in place.
    exclude : sequence of str or None, default=None
        Names, as in :meth:`torch.nn.Module.named_modules`, of layers that stay as they
        are, or of modules all of whose layers do. Layers of outputs belong here, as their
        nodes must not vanish. None: the layer that was defined last; ``()``: none.

    Returns
    -------
    torch.nn.Module
        `module` itself.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module, or has no Linear or convolutional layer.
    ValueError
        If there is no layer to change; if `exclude` is not as described; if a weight has
        another parametrisation, is shared with another layer, or is not initialised yet.
        `module` is then as it was.

    See Also
    --------
    penalty : The term to add to the loss.
    penalty_alpha : A penalty that follows the noise.
    fold : The way back, to plain weights.
    SpectralLinear : The same as a layer of its own.

    Notes
    -----
    The factors stand behind ``layer.weight`` through :mod:`torch.nn.utils.parametrize`:
    ``layer.parametrizations.weight.original0`` is `phi` and ``original1`` is `lambda_out`.
    They are new parameters, so make the optimiser afterwards. A module with
    parametrisations can be copied and saved through its state dict, but not pickled.

    Layers that are SpectralLinear, and weights that are not trained
    (``requires_grad=False``), stay as they are.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from skspectral.nn import reparametrize
    >>> module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> x = torch.ones(5, 3)
    >>> before = module(x)
    >>> torch.allclose(reparametrize(module)(x), before, atol=1e-6)
    True
    >>> module[0].parametrizations.weight.original1.shape
    torch.Size([8])
    """
    layers = named_layers(module)
    kept = _excluded(layers, exclude)
    chosen = {
        name: layer
        for name, layer in layers.items()
        if name not in kept and not isinstance(layer, SpectralLinear) and _is_trained(layer)
    }
    if not chosen:
        raise ValueError(
            "`module` has no layer to put factors behind: "
            f"{', '.join(map(repr, layers))} are excluded (by default the last layer is), "
            "spectral already, or not trained."
        )
    for name, layer in chosen.items():
        _check_weight(name, layer)
    _check_untied(module, chosen)
    for layer in chosen.values():  # only now: an error above leaves the module as it was
        put_factors(layer)
    return module


def _is_trained(layer: Any) -> bool:
    # a parametrised weight is computed, and has factors to be trained or not
    return parametrize.is_parametrized(layer, "weight") or bool(layer.weight.requires_grad)


def _excluded(layers: dict[str, nn.Module], exclude: Any) -> set[str]:
    """Return the names of the layers that `exclude` speaks of."""
    names = list(layers)
    if exclude is None:
        return {names[-1]}
    listed = list(exclude) if isinstance(exclude, Iterable) else None
    if isinstance(exclude, (str, bytes)) or listed is None:
        raise ValueError(f"`exclude` must be a sequence of names, or None; got {exclude!r}.")
    kept = set()
    for name in listed:
        found = [other for other in names if other == name or other.startswith(f"{name}.")]
        if not found:
            raise ValueError(
                "`exclude` must name layers of `module`, or modules that hold some; got "
                f"{name!r}. The layers are {', '.join(map(repr, names))}."
            )
        kept.update(found)
    return kept


def _check_weight(name: str, layer: Any) -> None:
    """Raise ValueError unless factors can be put behind the weight of a layer."""
    if parametrize.is_parametrized(layer, "weight"):
        raise ValueError(
            f"The weight of layer {name!r} of `module` has a parametrisation already. Take it "
            "away first, by `skspectral.nn.fold` or "
            "torch.nn.utils.parametrize.remove_parametrizations, or exclude the layer."
        )
    if nn.parameter.is_lazy(layer.weight):
        raise ValueError(
            f"The weight of layer {name!r} of `module` has no shape yet. Call `module` on a "
            "batch first."
        )
    if not isinstance(layer._parameters.get("weight"), nn.Parameter):
        raise ValueError(
            f"The weight of layer {name!r} of `module` is not a parameter of the layer, but "
            "computed, as by torch.nn.utils.weight_norm. Remove that first, or exclude the layer."
        )


def _check_untied(module: nn.Module, chosen: dict[str, nn.Module]) -> None:
    """Raise ValueError if a weight is also that of another layer: factors would part the two."""
    holders: dict[int, list[str]] = {}
    for name, part in module.named_modules():
        for key, parameter in part.named_parameters(recurse=False):
            holders.setdefault(id(parameter), []).append(f"{name}.{key}".lstrip("."))
    for name, layer in chosen.items():
        places = holders[id(layer.weight)]
        if len(places) > 1:
            raise ValueError(
                f"The weight of layer {name!r} of `module` is shared: {', '.join(places)} are one "
                "parameter. Exclude the layer, or give each its own."
            )


def fold(module: AnyModule) -> AnyModule:
    """Turn the factors of :func:`reparametrize` back into plain weights.

    Parameters
    ----------
    module : torch.nn.Module
        Whose layers have factors, and are masked or not. It is changed in place.

    Returns
    -------
    torch.nn.Module
        `module` itself, which computes the same, with layers that torch knows as its own:
        it can be pickled and exported.

    Raises
    ------
    TypeError
        If `module` is not a torch.nn.Module, or has no Linear or convolutional layer.
    ValueError
        If no layer has factors.

    See Also
    --------
    reparametrize : The way there.

    Examples
    --------
    >>> from torch import nn
    >>> from skspectral.nn import fold, reparametrize
    >>> module = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> fold(reparametrize(module))[0]
    Linear(in_features=3, out_features=8, bias=True)
    """
    layers = [layer for layer in named_layers(module).values() if factors_of(layer) is not None]
    if not layers:
        raise ValueError("No layer of `module` has factors of `skspectral.nn.reparametrize`.")
    for layer in layers:
        give_own_class(layer)
        parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)
    return module
