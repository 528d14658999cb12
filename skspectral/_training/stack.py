"""Networks side by side: parameters, gradients and moments of all of them in one tensor each."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from skspectral.nn._linear import SpectralLinear
from skspectral.nn._mlp import SpectralMLP

MATRICES = ("phi", "weight")
SKIP_PLACE = "skip"
"""Name of the linear skip of a SpectralMLP."""
MOMENTS = ("exp_avg", "exp_avg_sq")
"""Names of torch's Adam."""


@dataclass(frozen=True)
class Block:
    """One parameter of all networks: a range of columns of a tensor of shape (K, n)."""

    place: str
    name: str
    trained: bool
    start: int
    n_in: int
    n_out: int

    @property
    def full_name(self) -> str:
        """Name of the parameter in its module, such as ``layers.0.phi``."""
        return f"{self.place}.{self.name}"

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of a member's part, as a matrix that is multiplied from the right: (in, out)."""
        return {
            "lambda_in": (self.n_in, 1),
            "lambda_out": (1, self.n_out),
            "bias": (1, self.n_out),
        }.get(self.name, (self.n_in, self.n_out))

    @property
    def is_transposed(self) -> bool:
        """Whether it lies in memory as (out, in): products are slow with few columns."""
        return self.n_in >= self.n_out and self.name in MATRICES

    @property
    def columns(self) -> slice:
        """Where it is in the tensor."""
        n_rows, n_columns = self.shape
        return slice(self.start, self.start + n_rows * n_columns)

    def of(self, rows: Tensor) -> Tensor:
        """Return the view of shape (K, in, out), or with a 1 in place of either."""
        part = rows[:, self.columns]
        if self.is_transposed:
            return part.unflatten(1, self.shape[::-1]).transpose(1, 2)
        return part.unflatten(1, self.shape)

    def slot(self, rows: Tensor, member: int, parameter: Tensor) -> Tensor:
        """Return the view that a parameter of one network takes, in its own shape."""
        whole = self.of(rows)[member]
        if self.name in MATRICES:
            n_out, n_in = parameter.shape
            return whole[:n_in, :n_out].t()
        return whole.reshape(-1)[: len(parameter)]


def kind_of(module: SpectralMLP) -> tuple[Any, ...]:
    """Return what networks must have in common to stand in one stack, but for their widths."""
    first = next(module.parameters())
    return (
        type(module.activation),
        module.layer_sizes[0],
        module.layer_sizes[-1],
        first.dtype,
        first.device,
        tuple((block.full_name, block.trained) for block in _blocks(module, module.layer_sizes)),
    )


def _blocks(module: SpectralMLP, sizes: Sequence[int]) -> list[Block]:
    """Return the blocks of a stack of such networks; frozen ones have starts of their own."""
    blocks = []
    starts = {True: 0, False: 0}
    for place, (n_in, n_out) in _places(module, sizes).items():
        for name, parameter in module.get_submodule(place).named_parameters():
            trained = parameter.requires_grad
            block = Block(place, name, trained, starts[trained], n_in, n_out)
            starts[trained] = block.columns.stop
            blocks.append(block)
    return blocks


def _places(module: SpectralMLP, sizes: Sequence[int]) -> dict[str, tuple[int, int]]:
    """Return the names of the layers and of the linear skip, with their inputs and outputs."""
    ends = itertools.pairwise(sizes)
    places = {f"layers.{index}": pair for index, pair in enumerate(ends)}
    return places if module.skip is None else {**places, SKIP_PLACE: (sizes[0], sizes[-1])}


def is_zero(block: Block, modules: Sequence[SpectralMLP]) -> bool:
    """Tell whether a parameter stays zero in all networks."""
    if block.trained:
        return False
    # in one go: each read makes the host wait for the GPU
    values = [module.get_parameter(block.full_name).detach().ravel() for module in modules]
    return not torch.cat(values).any()


class Stack:
    """Parameters of K networks of one kind, as rows of one tensor.

    While they are in the stack, the parameters of each network and the moments of its Adam are
    views of it. So whatever reads or changes a network does so in the stack, and the other way
    round. Narrower networks are padded with nodes whose weights are all zero and stay so.

    Parameters
    ----------
    modules : sequence of SpectralMLP
        Of one kind, see :func:`kind_of`.
    optimizers : sequence of torch.optim.Adam
    """

    def __init__(
        self, modules: Sequence[SpectralMLP], optimizers: Sequence[torch.optim.Optimizer]
    ) -> None:
        self.sizes = tuple(map(max, zip(*(module.layer_sizes for module in modules), strict=True)))
        blocks = _blocks(modules[0], self.sizes)
        n_trained, n_frozen = (
            max((b.columns.stop for b in blocks if b.trained == trained), default=0)
            for trained in (True, False)
        )
        like = next(modules[0].parameters()).detach()
        self.values, self.gradients, self.means, self.squares, self.deltas, self.decays = (
            like.new_zeros(len(modules), n_trained) for _ in range(6)
        )
        self.frozen = like.new_zeros(len(modules), n_frozen)
        self.blocks = blocks
        self.trained = [block for block in blocks if block.trained]
        sizes = torch.tensor([b.columns.stop - b.columns.start for b in self.trained])
        self.block_of = torch.arange(len(sizes)).repeat_interleave(sizes).to(like.device)
        self.belongs = F.one_hot(self.block_of, len(sizes)).to(like.dtype)
        self.zeros = {block.full_name for block in blocks if is_zero(block, modules)}
        self.modules, self.optimizers = list(modules), list(optimizers)
        self.steps = [0] * len(modules)
        for member, (module, optimizer) in enumerate(zip(modules, optimizers, strict=True)):
            states = [optimizer.state[p] for p in module.parameters() if p.requires_grad]
            self.steps[member] = int(states[0]["step"]) if states and states[0] else 0
            self.take(member)

    def take(self, member: int) -> None:
        """Copy a network into its row, and let its parameters and moments be views of that.

        They must not be views of the row yet, which is overwritten.
        """
        module, state = self.modules[member], self.optimizers[member].state
        torch._foreach_zero_(
            [rows[member] for rows in (self.values, self.means, self.squares, self.frozen)]
        )
        for block in self.blocks:
            parameter = module.get_parameter(block.full_name)
            rows = self.values if block.trained else self.frozen
            parameter.data = block.slot(rows, member, parameter).copy_(parameter.data)
            parameter.grad = None
            if block.trained:
                self._take_moments(state[parameter], block, member, parameter)

    def _take_moments(
        self, own: dict[str, Any], block: Block, member: int, parameter: Tensor
    ) -> None:
        """Copy the moments of a parameter; create its state where there is none."""
        if not own:
            own["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
        for key, rows in zip(MOMENTS, (self.means, self.squares), strict=True):
            slot = block.slot(rows, member, parameter)
            own[key] = slot.copy_(own[key]) if key in own else slot

    def release(self, n_steps: int) -> None:
        """Give each network tensors of its own, after so many steps in the stack."""
        counts = []
        for module, optimizer in zip(self.modules, self.optimizers, strict=True):
            for parameter in module.parameters():
                parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
                own = optimizer.state.get(parameter)
                if own:
                    counts.append(own["step"])
                    for key in MOMENTS:
                        own[key] = own[key].clone(memory_format=torch.contiguous_format)
        if counts:
            torch._foreach_add_(counts, n_steps)

    def read(self, rows: Tensor, member: int) -> list[Tensor]:
        """Return copies of the trained parameters of one network, of whatever `rows` holds."""
        return [slot.clone() for slot in self._slots(rows, member)]

    def write(self, rows: Tensor, member: int, values: Sequence[Tensor]) -> None:
        """Write what :meth:`read` returned into `rows`."""
        for slot, value in zip(self._slots(rows, member), values, strict=True):
            slot.copy_(value)

    def _slots(self, rows: Tensor, member: int) -> list[Tensor]:
        module = self.modules[member]
        return [
            block.slot(rows, member, module.get_parameter(block.full_name))
            for block in self.trained
        ]

    def set_decays(self, coefficients: Sequence[Sequence[float]]) -> None:
        """Set the weight decay of each trained block, a row per network."""
        torch.index_select(self.values.new_tensor(coefficients), 1, self.block_of, out=self.decays)

    def squared_norms(self) -> Tensor:
        """Return the squared norm of each trained block, Tensor of shape (K, n_blocks)."""
        return self.values.square() @ self.belongs

    def layers(self) -> list[dict[str, Any]]:
        """Return the blocks of each layer by name, as pairs of value and gradient.

        The gradient is None where a parameter is frozen; those that stay zero are left out. The
        linear skip comes last, if there is one.
        """
        layers: dict[str, dict[str, Any]] = {block.place: {} for block in self.blocks}
        for block in self.blocks:
            if block.trained:
                pair: tuple[Tensor, Tensor | None] = (
                    block.of(self.values),
                    block.of(self.gradients),
                )
            elif block.full_name in self.zeros:
                continue
            else:
                pair = block.of(self.frozen), None
            layers[block.place][block.name] = pair
        return list(layers.values())

    def spectral(self) -> list[bool]:
        """Tell which layers are spectral."""
        return [isinstance(layer, SpectralLinear) for layer in self.modules[0].layers]

    @property
    def has_skip(self) -> bool:
        """Whether the networks have a linear skip."""
        return self.modules[0].skip is not None
