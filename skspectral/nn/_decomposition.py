"""Eigenvectors of which only a part is trained: a triangle, or singular values."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import Tensor, nn


class QRFactor(nn.Module):
    r"""Parametrisation :math:`\phi = R Q` by the entries of a triangle R; Q is fixed.

    Parameters
    ----------
    phi : Tensor of shape (n_out, n_in)
        Of the shape, dtype and device that are wanted.
    rank : int
        Rows of Q, which are orthonormal.
    """

    Q: Tensor

    def __init__(self, phi: Tensor, rank: int) -> None:
        super().__init__()
        self.shape = len(phi), rank
        # a buffer is saved with the layer: without it the trained entries mean nothing
        self.register_buffer("Q", phi.new_empty(rank, phi.shape[1]))

    def span(self, phi: Tensor) -> None:
        """Take the orthogonal factor of a matrix of shape (n_out, n_in)."""
        # the last rows of phi depend on the last of Q alone: a QR decomposition from below
        orthogonal = torch.linalg.qr(phi.cpu().double().flip(0).T)[0]
        self.Q.copy_(orthogonal[:, : len(self.Q)].T.flip(0))

    def start(self, phi: Tensor) -> Tensor:
        """Return what is left of a matrix, each row as long as it was, (n_out, n_in)."""
        return _lengthen(self(self.right_inverse(phi)), phi, dim=1)

    def forward(self, entries: Tensor) -> Tensor:
        """Map entries, Tensor of shape (n_entries,), to phi, Tensor of shape (n_out, n_in)."""
        triangle = entries.new_zeros(self.shape).index_put(self._places(), entries)
        return triangle @ self.Q

    def right_inverse(self, phi: Tensor) -> Tensor:
        """Return the entries whose `phi` is nearest, Tensor of shape (n_entries,)."""
        entries: Tensor = (phi @ self.Q.T)[self._places()]
        return entries

    def _places(self) -> tuple[Tensor, Tensor]:
        n_out, rank = self.shape
        rows, columns = torch.triu_indices(n_out, rank, rank - n_out, device=self.Q.device)
        return rows, columns


class SVDFactor(nn.Module):
    r"""Parametrisation :math:`\phi = U \, \mathrm{diag}(s) \, V` by s; U and V are fixed.

    Parameters
    ----------
    phi : Tensor of shape (n_out, n_in)
        Of the shape, dtype and device that are wanted.
    rank : int
        Columns of U and rows of V, which are orthonormal.
    """

    U: Tensor
    V: Tensor

    def __init__(self, phi: Tensor, rank: int) -> None:
        super().__init__()
        self.register_buffer("U", phi.new_empty(len(phi), rank))
        self.register_buffer("V", phi.new_empty(rank, phi.shape[1]))

    def span(self, phi: Tensor) -> None:
        """Take the first singular vectors of a matrix of shape (n_out, n_in)."""
        left, _, right = torch.linalg.svd(phi.cpu().double(), full_matrices=False)
        rank = len(self.V)
        self.U.copy_(left[:, :rank])
        self.V.copy_(right[:rank])

    def start(self, phi: Tensor) -> Tensor:
        """Return what is left of a matrix, of the norm that it had, (n_out, n_in)."""
        return _lengthen(self(self.right_inverse(phi)), phi, dim=(0, 1))

    def forward(self, values: Tensor) -> Tensor:
        """Map singular values, Tensor of shape (rank,), to phi, Tensor of shape (n_out, n_in)."""
        return (self.U * values) @ self.V

    def right_inverse(self, phi: Tensor) -> Tensor:
        """Return the values whose `phi` is nearest, Tensor of shape (rank,)."""
        return (self.U.T @ phi @ self.V.T).diagonal().clone()


def _lengthen(phi: Tensor, like: Tensor, dim: int | tuple[int, int]) -> Tensor:
    """Scale rows, or a whole matrix, to the norms of another; zeros stay."""
    norm, wanted = (torch.linalg.vector_norm(x, dim=dim, keepdim=True) for x in (phi, like))
    return phi * torch.where(norm > 0, wanted / norm, 1.0)


FACTORS: dict[str, type[QRFactor] | type[SVDFactor]] = {"qr": QRFactor, "svd": SVDFactor}


def check_decomposition(decomposition: Any, rank: Any, most: int) -> None:
    """Raise ValueError unless `decomposition` is known, and `rank` None or from 1 to `most`."""
    known = decomposition is None or (isinstance(decomposition, str) and decomposition in FACTORS)
    if not known:
        raise ValueError(f"`decomposition` must be 'qr', 'svd' or None; got {decomposition!r}.")
    if rank is None:
        return
    if decomposition is None:
        raise ValueError(
            f"`rank` is that of a decomposition; got {rank!r} without one. Give "
            "`decomposition`, or leave `rank` at None."
        )
    is_integer = isinstance(rank, Integral) and not isinstance(rank, bool)
    if not is_integer or not 1 <= rank <= most:
        raise ValueError(
            f"`rank` must be an integer from 1 to {most}, the smaller number of nodes of the "
            f"layer's two sides, or None for that number; got {rank!r}."
        )
