"""A fully connected layer whose weights are written through eigenvectors and eigenvalues."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrize

from skspectral.nn._decomposition import FACTORS, check_decomposition

LayerT = TypeVar("LayerT", bound=nn.Module)
TOO_MANY = 2**59
"""Weights of one matrix whose bytes, up to 16 each, 64 bits cannot count."""


def init_dense_(
    weight: Tensor,
    bias: Tensor | None,
    *,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
) -> None:
    """Draw a dense weight matrix and its bias in place, on the CPU.

    Both parametrisations start from this one draw, so a spectral and a dense
    network of equal seed begin as the same function, on every device.

    Parameters
    ----------
    weight : Tensor of shape (out_features, in_features)
    bias : Tensor of shape (out_features,) or None
    gain : float, default=1.0
        Factor on the bounds of the draw, which is Glorot's: uniform with variance
        ``2 / (in_features + out_features)``, times `gain` squared.
    generator : torch.Generator on the CPU or None
    """
    check_generator(generator)
    if not isinstance(gain, Real) or not 0 <= gain < math.inf:
        raise ValueError(f"`gain` must be a finite number >= 0; got {gain!r}.")
    if weight.is_meta:  # there is nothing to fill
        return
    out_features, in_features = weight.shape
    # biases from the same range, as in scikit-learn's MLP; torch's Linear takes another
    bound = gain * math.sqrt(6.0 / (in_features + out_features))
    with torch.no_grad():
        for tensor in (weight, bias):
            if tensor is not None:
                # float64 on the CPU, then rounded: the draw is the same for all dtypes
                draw = torch.rand(tensor.shape, dtype=torch.float64, generator=generator)
                tensor.copy_(bound * (2 * draw - 1))


def is_size(size: Any) -> bool:
    """Tell whether `size` is a number of nodes: an integer of at least 1, and not True."""
    return isinstance(size, Integral) and not isinstance(size, bool) and int(size) >= 1


def about(n: int) -> str:
    """Return a number of weights as text, also where it is beyond the floating-point numbers."""
    return f"{n:.2g}" if n < 10**300 else "more than 1e+300"


def check_countable(layer_sizes: Sequence[int]) -> None:
    """Raise MemoryError where torch could not count the bytes, and says so obscurely."""
    for n_in, n_out in itertools.pairwise(map(int, layer_sizes)):
        if n_in * n_out >= TOO_MANY:
            raise MemoryError(
                f"A layer from {n_in} to {n_out} nodes has {about(n_in * n_out)} weights, for "
                "which there is not enough memory. Lower its sizes."
            )


def check_dtype(dtype: Any) -> None:
    """Raise ValueError unless `dtype` is one of weights that can be trained, or None."""
    if dtype is None or dtype is float:  # which torch takes for float64
        return
    if not (isinstance(dtype, torch.dtype) and dtype.is_floating_point):
        raise ValueError(
            "`dtype` must be a floating-point torch.dtype, such as torch.float32, or None; got "
            f"{dtype!r}."
        )


def check_generator(generator: Any) -> None:
    """Raise TypeError unless `generator` is torch's, or None."""
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(f"`generator` must be a torch.Generator or None; got {generator!r}.")


def check_flags(**flags: Any) -> None:
    """Raise TypeError unless all are True or False, as torch asks of `requires_grad`."""
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise TypeError(f"`{name}` must be True or False; got {flag!r}.")


class SpectralLinear(nn.Module):
    r"""Fully connected layer in the spectral parametrisation.

    .. math::

        w_{ij} = \phi_{ij} \, (\lambda^{in}_j - \lambda^{out}_i), \qquad
        x^{out} = W x^{in} + b

    where :math:`j` counts the inbound and :math:`i` the outbound nodes.
    :math:`\phi` holds the non-trivial eigenvector components of the layer's
    bipartite adjacency matrix, :math:`\lambda^{in}` and :math:`\lambda^{out}`
    its eigenvalues.

    At the start the effective weight equals `phi`. Eigenvalues start at
    ``lambda_in = 0`` and ``lambda_out = -1``; if of the two only `lambda_in` is
    trained, at ``lambda_in = 1`` and ``lambda_out = 0``.

    Parameters
    ----------
    in_features : int
        Number of inbound nodes, at least 1.
    out_features : int
        Number of outbound nodes, at least 1.
    bias : bool, default=True
        Whether to add a trained bias.
    train_phi : bool, default=True
        Whether the eigenvectors are trained.
    train_lambda_in : bool, default=False
        Whether the inbound eigenvalues are trained. They scale columns: the
        inputs of the layer.
    train_lambda_out : bool, default=True
        Whether the outbound eigenvalues are trained. They scale rows: the
        nodes of the layer.
    decomposition : {"qr", "svd"} or None, default=None
        Which part of the eigenvectors is trained, if they are. None: every entry of
        `phi`. "qr": `phi` is R Q, with a trained triangle R and orthonormal rows Q that
        stay as they are drawn. "svd": `phi` is U diag(s) V, with trained singular values
        s; U and V stay.
    rank : int or None, default=None
        Largest rank of a decomposed `phi`, from 1 to the smaller of `in_features` and
        `out_features`; None: that number.
    device, dtype : optional
        As in :class:`torch.nn.Linear`.

    Attributes
    ----------
    phi : Parameter of shape (out_features, in_features)
        With a decomposition a Tensor, computed on access from what is trained; a matrix that
        is assigned is replaced by the nearest one that the fixed parts allow.
    lambda_in : Parameter of shape (in_features,)
    lambda_out : Parameter of shape (out_features,)
    bias : Parameter of shape (out_features,) or None
    weight : Tensor of shape (out_features, in_features)
        The effective weight, computed on access and differentiable.

    Raises
    ------
    ValueError
        If `in_features` or `out_features` is below 1; if `decomposition` is unknown; if
        `rank` is more than there is, or given without a decomposition; if `dtype` is not
        one of floating-point numbers.
    TypeError
        If what is trained is not given as True or False.
    MemoryError
        If no memory holds a matrix of that size.

    See Also
    --------
    SpectralMLP : A stack of such layers.
    node_relevance : Row norms of the effective weight.

    Notes
    -----
    The weight depends on the difference of `lambda_in` and `lambda_out`. If only one
    of them is trained, the penalty empties whole rows (`lambda_out`) or columns
    (`lambda_in`). If both are trained in one layer, neither is clean.

    A decomposition [3]_ stands between training all eigenvectors and none. Of r = `rank`,
    "svd" trains r numbers and "qr" r (2 `out_features` - r + 1) / 2. At full rank the layer
    starts as it would without a decomposition; at less, with a part of that draw, scaled to its
    norm: "qr" each row, "svd" the matrix, as it trains no row by itself. The squared norm of
    what is trained is that of `phi`, so the L2 penalty is the same.
    :mod:`torch.nn.utils.parametrize` holds the parts: such a layer can be copied and saved
    through its state dict, but not pickled; :meth:`to_linear` is plain. What `mask_nodes`
    returns keeps the decomposition, what `shrink` returns has a plain `phi`.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.
    .. [2] L. Giambagli, L. Buffoni, T. Carletti, W. Nocentini, D. Fanelli,
       "Machine learning in spectral domain", Nature Communications 12, 1330
       (2021), https://doi.org/10.1038/s41467-021-21481-0.
    .. [3] L. Chicchi, L. Giambagli, L. Buffoni, T. Carletti, M. Ciavarella, D. Fanelli,
       "Training of sparse and dense deep neural networks: fewer parameters, same
       performance", Physical Review E 104, 054312 (2021),
       https://doi.org/10.1103/PhysRevE.104.054312.

    Examples
    --------
    >>> import torch
    >>> from skspectral.nn import SpectralLinear
    >>> layer = SpectralLinear(3, 2)
    >>> layer(torch.zeros(5, 3)).shape
    torch.Size([5, 2])
    >>> torch.equal(layer.weight, layer.phi * (layer.lambda_in - layer.lambda_out[:, None]))
    True
    >>> triangle = SpectralLinear(784, 100, decomposition="qr", train_lambda_in=True)
    >>> sum(p.numel() for p in triangle.parameters())  # R, both sets of eigenvalues, biases
    6034
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        *,
        train_phi: bool = True,
        train_lambda_in: bool = False,
        train_lambda_out: bool = True,
        decomposition: str | None = None,
        rank: int | None = None,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("in_features", in_features), ("out_features", out_features)):
            if not is_size(size):
                raise ValueError(f"`{name}` must be an integer of at least 1; got {size!r}.")
        check_countable((in_features, out_features))
        check_dtype(dtype)
        check_flags(
            train_phi=train_phi,
            train_lambda_in=train_lambda_in,
            train_lambda_out=train_lambda_out,
        )
        check_decomposition(decomposition, rank, min(in_features, out_features))
        self.in_features = in_features
        self.out_features = out_features
        self.decomposition = decomposition
        self.rank = None if rank is None else int(rank)
        self.train_phi = train_phi
        self.train_lambda_in = train_lambda_in
        self.train_lambda_out = train_lambda_out

        def empty(*shape: int, trained: bool = True) -> nn.Parameter:
            return nn.Parameter(torch.empty(shape, device=device, dtype=dtype), trained)

        self.phi = empty(out_features, in_features, trained=train_phi)
        self.lambda_in = empty(in_features, trained=train_lambda_in)
        self.lambda_out = empty(out_features, trained=train_lambda_out)
        self.bias = empty(out_features) if bias else None
        if decomposition is not None:
            factor = FACTORS[decomposition](self.phi, rank or min(in_features, out_features))
            parametrize.register_parametrization(self, "phi", factor, unsafe=True)
        self.reset_parameters()

    def set_trained(
        self, *, train_phi: bool, train_lambda_in: bool, train_lambda_out: bool
    ) -> None:
        """Change what is trained; values stay. Parameters as in the constructor."""
        check_flags(
            train_phi=train_phi,
            train_lambda_in=train_lambda_in,
            train_lambda_out=train_lambda_out,
        )
        self.train_phi = train_phi
        for held in held_parameters(self, "phi"):
            held.requires_grad = train_phi
        self.train_lambda_in, self.lambda_in.requires_grad = train_lambda_in, train_lambda_in
        self.train_lambda_out, self.lambda_out.requires_grad = train_lambda_out, train_lambda_out

    @property
    def weight(self) -> Tensor:
        """Effective weight, Tensor of shape (out_features, in_features)."""
        # not stored: trained, penalised and saved are phi and the eigenvalues
        return self.phi * (self.lambda_in - self.lambda_out[:, None])

    def reset_parameters(
        self, generator: torch.Generator | None = None, *, gain: float = 1.0
    ) -> None:
        """Restart the layer as a dense layer would start.

        Parameters
        ----------
        generator : torch.Generator on the CPU or None, default=None
            Source of random numbers; None uses torch's global generator.
        gain : float, default=1.0
            Factor on the bounds of the uniform draw of `phi` and the bias, which
            are Glorot's.
        """
        phi = self.phi if self.decomposition is None else torch.empty_like(self.phi)
        init_dense_(phi, self.bias, gain=gain, generator=generator)
        if self.decomposition is not None:
            self._decompose(phi.detach())
        self.reset_eigenvalues()

    @torch.no_grad()
    def _decompose(self, phi: Tensor) -> None:
        """Take fixed and trained parts from eigenvectors, (out_features, in_features)."""
        if phi.is_meta:  # torch.nn.utils.skip_init: there is nothing to fill
            return
        factor: Any = self.parametrizations.phi[0]  # type: ignore[union-attr, index]
        factor.span(phi)
        # less rank must not mean smaller weights; what torch keeps is the trained part
        self.phi = factor.start(phi)

    def reset_eigenvalues(self) -> None:
        """Restart the eigenvalues alone; the effective weight then equals `phi`."""
        # an L2 penalty draws trained eigenvalues to 0: the weight must go there with them
        only_inbound = self.train_lambda_in and not self.train_lambda_out
        with torch.no_grad():
            self.lambda_in.fill_(1.0 if only_inbound else 0.0)
            self.lambda_out.fill_(0.0 if only_inbound else -1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map Tensor of shape (..., in_features) to Tensor of shape (..., out_features)."""
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Sizes and what is trained, for ``repr``."""
        return (
            f"in_features={self.in_features}, out_features={self.out_features}, "
            f"bias={self.bias is not None}, train_phi={self.train_phi}, "
            f"train_lambda_in={self.train_lambda_in}, train_lambda_out={self.train_lambda_out}"
            + self._decomposition_repr()
        )

    def _decomposition_repr(self) -> str:
        if self.decomposition is None:
            return ""
        return f", decomposition={self.decomposition!r}, rank={self.rank}"

    @classmethod
    def from_linear(
        cls,
        linear: nn.Linear,
        *,
        train_phi: bool = True,
        train_lambda_in: bool = False,
        train_lambda_out: bool = True,
    ) -> SpectralLinear:
        """Make a spectral layer that computes the same function as `linear`.

        Parameters
        ----------
        linear : torch.nn.Linear
            The layer to write in the spectral parametrisation.
        train_phi, train_lambda_in, train_lambda_out : bool
            As in the constructor.

        Returns
        -------
        SpectralLinear
            With ``phi`` a copy of ``linear.weight``, on its device and dtype.

        Raises
        ------
        TypeError
            If `linear` is something else.
        """
        if not isinstance(linear, nn.Linear):
            raise TypeError(f"`linear` must be a torch.nn.Linear; got {type(linear).__name__}.")
        layer = unfilled(
            cls,
            linear.in_features,
            linear.out_features,
            bias=linear.bias is not None,
            train_phi=train_phi,
            train_lambda_in=train_lambda_in,
            train_lambda_out=train_lambda_out,
            device=linear.weight.device,
            dtype=linear.weight.dtype,
        )
        layer.reset_eigenvalues()
        with torch.no_grad():
            layer.phi.copy_(linear.weight)  # times eigenvalues whose difference is 1
            if layer.bias is not None:
                layer.bias.copy_(linear.bias)
        return layer

    def to_linear(self) -> nn.Linear:
        """Return a :class:`torch.nn.Linear` that computes the same function.

        Returns
        -------
        torch.nn.Linear
            With ``weight`` the detached effective weight.
        """
        linear = unfilled(
            nn.Linear,
            self.in_features,
            self.out_features,
            bias=self.bias is not None,
            device=self.phi.device,
            dtype=self.phi.dtype,
        )
        with torch.no_grad():
            linear.weight.copy_(self.weight)
            if self.bias is not None:
                linear.bias.copy_(self.bias)
        return linear


def held_parameters(layer: Any, name: str) -> list[Tensor]:
    """Return the parameters that a layer keeps for a tensor: itself, or what it is made of."""
    if parametrize.is_parametrized(layer, name):
        return list(layer.parametrizations[name].parameters())
    return [getattr(layer, name)]


def reset_layer(layer: nn.Module, generator: torch.Generator | None, *, gain: float) -> None:
    """Restart a spectral or dense layer; see :meth:`SpectralLinear.reset_parameters`."""
    if isinstance(layer, SpectralLinear):
        layer.reset_parameters(generator, gain=gain)
    elif isinstance(layer, nn.Linear):
        init_dense_(layer.weight, layer.bias, gain=gain, generator=generator)


def matrix_of(layer: Any) -> Tensor:
    """Return the trained matrix of a layer, `phi` or `weight`, (out_features, in_features)."""
    matrix: Tensor = layer.phi if isinstance(layer, SpectralLinear) else layer.weight
    return matrix


def unfilled(
    kind: type[LayerT], *sizes: int, device: torch.device | str | None, **options: Any
) -> LayerT:
    """Return a layer whose parameters have memory, but no values yet.

    What :func:`torch.nn.utils.skip_init` does, in a fraction of its time: small networks are
    rebuilt often. Torch's global generator stays as it is.
    """
    layer = kind(*sizes, device="meta", **options)
    _give(
        layer,
        {name: torch.empty(p.shape, dtype=p.dtype, device=device) for name, p in _own(layer)},
    )
    return layer


def _own(layer: nn.Module) -> list[tuple[str, nn.Parameter]]:
    return list(layer.named_parameters(recurse=False))


def _give(layer: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Let a layer have these tensors as its parameters, which are trained as before."""
    for name, parameter in _own(layer):
        setattr(layer, name, nn.Parameter(tensors[name].detach(), parameter.requires_grad))


def empty_like(layer: Any, in_features: int, out_features: int, *, bias: bool) -> nn.Module:
    """Return a layer of the same kind, dtype and device whose parameters are not filled.

    Parameters
    ----------
    layer : SpectralLinear or torch.nn.Linear
    in_features, out_features : int
    bias : bool
    """
    device = matrix_of(layer).device
    kind, options = _kind_of(layer)
    return unfilled(kind, in_features, out_features, bias=bias, device=device, **options)


def like_with(layer: Any, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Return a layer of the same kind that holds these tensors, by the names of its parameters.

    Parameters
    ----------
    layer : SpectralLinear or torch.nn.Linear
    tensors : mapping of str to Tensor
        They are not copied. Without a bias the layer has none.
    """
    kind, options = _kind_of(layer)
    out_features, in_features = tensors["phi" if kind is SpectralLinear else "weight"].shape
    has_bias = "bias" in tensors
    other = kind(in_features, out_features, bias=has_bias, device="meta", **options)
    _give(other, tensors)
    return other


def _kind_of(layer: Any) -> tuple[type[nn.Module], dict[str, Any]]:
    """Return the class of a layer, and the options of its constructor but for sizes and bias."""
    dtype = matrix_of(layer).dtype
    if not isinstance(layer, SpectralLinear):
        return nn.Linear, {"dtype": dtype}
    names = ("train_phi", "train_lambda_in", "train_lambda_out")
    return SpectralLinear, {"dtype": dtype, **{name: getattr(layer, name) for name in names}}
