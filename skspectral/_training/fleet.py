"""Networks trained side by side, as one program: each step is made for all of them at once."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from skspectral._training.feed import Batch, Feed
from skspectral._training.graphed_step import fastest
from skspectral._training.losses import entropies, residuals
from skspectral._training.member import Member, Pause, Reading
from skspectral._training.silent import NOISE, silent_masks
from skspectral._training.stack import Stack
from skspectral._training.stacked_passes import StackedPasses
from skspectral.nn._architecture import n_weights
from skspectral.nn._relevance import COLLAPSED, large_enough

LOOSE = 1.2
"""Share by which padding may enlarge the matrices before members are arranged anew."""
LOOSE_PRODUCTS = 100_000
"""Multiply-adds that padding may cost a member's step in any case."""


class Fleet:
    """Members in training whose steps are made together.

    Parameters
    ----------
    members : sequence of Member
        Of one kind. They may have begun; all are left as they stand when :meth:`run` returns.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = list(members)
        nets = [member.net for member in members]
        self.out_activation = nets[0].out_activation
        self.stack = Stack([n.module_ for n in nets], [n.optimizer_ for n in nets])
        self.feed = Feed(self.members)
        shares_rows = self.feed.is_shared and len(nets) > 1
        self.passes = StackedPasses(self.stack, self.feed.n_rows, shares_rows=shares_rows)
        values = self.stack.values
        n_outputs = self.stack.sizes[-1]
        # two factors of the gradient of the mean over rows: squared errors, and means over outputs
        self.factor = (2 if self.out_activation == "identity" else 1) / (
            1 if self.out_activation == "softmax" else n_outputs
        )
        self.products = values.new_zeros(len(nets), n_outputs, n_outputs)
        self.entropy = values.new_zeros(len(nets))
        self.last_finite = values.clone()
        self.thresholds = values.new_tensor([n.relevance_threshold for n in nets])[:, None]
        floors = COLLAPSED * values.new_tensor([n.start_relevance_ for n in nets])
        self.floors = floors[:, :, None].unbind(1)
        self.largest_inputs = values.new_tensor([m.largest_input for m in members])
        group = nets[0].optimizer_.param_groups[0]
        self.adam = {
            "beta1": group["betas"][0],
            "beta2": group["betas"][1],
            "eps": group["eps"],
            "weight_decay": 0.0,
            "amsgrad": False,
            "maximize": False,
        }
        self.n_steps = 0
        self.counts = self._counts_of_steps()
        widths = [len(self.stack.trained), n_outputs**2, 1, 1, len(self.stack.sizes) - 2]
        bounds = [0, *itertools.accumulate(widths), None]
        self.parts = [slice(*pair) for pair in itertools.pairwise(bounds)]
        self._set_decays()
        for k, member in enumerate(self.members):
            if member.pause is not None:
                self._resume(k, member.pause)

    def _counts_of_steps(self) -> list[tuple[Tensor, list[list[Tensor]]]]:
        """Return each count by which Adam corrects its means, with the tensors that share it."""
        stack = self.stack
        moved = stack.values, stack.deltas, stack.gradients, stack.means, stack.squares
        counts = []
        for steps in sorted(set(stack.steps)):
            members = [k for k, made in enumerate(stack.steps) if made == steps]
            whole = len(members) == len(self.members)
            tensors = [[rows] if whole else [rows[k] for k in members] for rows in moved]
            counts.append((torch.tensor(float(steps), device=stack.values.device), tensors))
        return counts

    def run(self) -> None:
        """Train until a member has ended, or would fit better elsewhere."""
        step = fastest(self.step, self.feed.n_rows, self.stack.values.device)
        try:
            while True:
                for batch in self.feed.leg():
                    step(batch)
                    self.n_steps += 1
                if self._end_epochs():
                    return
        finally:
            for k, member in enumerate(self.members):
                self._pause(k, member)
            self.stack.release(self.n_steps)

    def _pause(self, k: int, member: Member) -> None:
        """Keep what the steps of an unfinished epoch came to."""
        is_between = member.done or member.position == 0
        member.pause = (
            None
            if is_between
            else Pause(
                self.products[k].clone(),
                self.entropy[k].clone(),
                self.stack.read(self.last_finite, k),
            )
        )

    def _resume(self, k: int, pause: Pause) -> None:
        self.products[k], self.entropy[k] = pause.products, pause.entropy
        self.stack.write(self.last_finite, k, pause.last_finite)

    def step(self, batch: Batch) -> None:
        """Make one step of all members."""
        output = self.passes.forward(batch.X)
        residual = residuals(self.out_activation, output, batch.y)
        if self.out_activation != "identity":
            entropy = entropies(self.out_activation, output, batch.y)
            weighted = entropy if batch.weight is None else entropy * batch.weight
            self.entropy += weighted.sum(dim=(1, 2))
        weighted = residual if batch.weight is None else residual * batch.weight
        self.products.baddbmm_(residual.transpose(1, 2), weighted)
        self.passes.backward(weighted * (batch.scale * self.factor))
        self._update(batch.rates)

    def _update(self, rates: float | Tensor) -> None:
        """Make a step of Adam, with the penalties as weight decay."""
        stack = self.stack
        stack.gradients.addcmul_(stack.values, stack.decays)
        one_rate = not isinstance(rates, Tensor)
        if not one_rate:
            stack.deltas.zero_()
        for count, (values, deltas, gradients, means, squares) in self.counts:
            count += 1
            torch._fused_adam_(
                values if one_rate else deltas,
                gradients,
                means,
                squares,
                [],
                [count] * len(values),
                lr=rates if one_rate else 1.0,
                **self.adam,
            )
        if isinstance(rates, Tensor):
            stack.values.addcmul_(stack.deltas, rates)

    def _set_decays(self) -> None:
        self.penalties = [member.net.penalty for member in self.members]
        # the gradient of alpha ||p||^2 is 2 alpha p
        names = [block.full_name for block in self.stack.trained]
        self.coefficients = np.array(
            [[penalty.coefficient(name) for name in names] for penalty in self.penalties]
        )
        self.stack.set_decays((2 * self.coefficients).tolist())

    def _end_epochs(self) -> bool:
        """Let members whose epoch is over act on it; tell whether to stop here."""
        ended = [
            k
            for k, member in enumerate(self.members)
            if not member.steps_left or member.is_asked_to_stop
        ]
        if not ended:
            return False
        readings = self._read()
        stack = self.stack
        lost = [k for k in ended if not readings[k].is_finite]
        if lost:
            stack.values[lost] = self.last_finite[lost]
        whole = len(ended) == len(self.members)
        which = slice(None) if whole else ended  # one copy, or one for each
        self.last_finite[which] = stack.values[which]
        self.products[which] = 0.0
        self.entropy[which] = 0.0
        for k in ended:
            member = self.members[k]
            if k in lost:
                member.diverge()
                continue
            member.end_epoch(readings[k])
            if member.net.module_ is not stack.modules[k]:
                stack.modules[k] = member.net.module_
                stack.take(k)
                self.last_finite[k] = stack.values[k]
            if not member.done:
                member.new_epoch()
        if any(member.done for member in self.members):
            return True
        if any(
            member.net.penalty is not penalty
            for member, penalty in zip(self.members, self.penalties, strict=True)
        ):
            self._set_decays()
        return self._is_loose()

    def _is_loose(self) -> bool:
        own = [n_weights(module.layer_sizes) for module in self.stack.modules]
        padded = len(own) * n_weights(self.stack.sizes)
        spare = self.feed.n_rows * (padded - sum(own))
        return padded > LOOSE * sum(own) and spare > LOOSE_PRODUCTS * len(own)

    def _measure(self) -> list[Tensor]:
        """Return what an epoch came to, a row per member.

        Squared norms, products, entropies, sums of relevances, alive and silent nodes.
        """
        norms = self.stack.squared_norms()
        relevances = self.passes.relevances()
        alive = large_enough(relevances, self.thresholds, self.floors)
        counts = [*(mask.sum(dim=1) for mask in alive), *self._count_silent(relevances)]
        return [
            norms,
            self.products.flatten(1),
            self.entropy[:, None],
            torch.cat([norms.new_zeros(len(norms), 1), *relevances], dim=1).sum(1, keepdim=True),
            *(count[:, None].to(norms.dtype) for count in counts),
        ]

    def _count_silent(self, relevances: list[Tensor]) -> list[Tensor]:
        """Return the silent nodes of each layer, none where no member would drop them now."""
        # only a relu can be silent
        relu = isinstance(self.stack.modules[0].activation, torch.nn.ReLU)
        if not relu or not any(member.may_drop for member in self.members):
            return []
        biases = self.passes.biases()
        masks = silent_masks(relevances, biases, self.largest_inputs, NOISE)
        return [mask.sum(dim=1) for mask in masks]

    def _read(self) -> list[Reading]:
        """Return what the epochs of all members came to so far."""
        columns = self._measure()
        # in one go: each read makes the host wait for the GPU
        table = torch.cat(columns, dim=1).double().cpu().numpy()
        n_outputs = self.stack.sizes[-1]
        norm, products, loss, relevance, n_alive, n_silent = (
            table[:, part] for part in self.parts
        )
        products = products.reshape(-1, n_outputs, n_outputs)
        n_silent = n_silent.sum(axis=1)
        loss = loss[:, 0]
        if self.out_activation == "identity":
            loss = np.trace(products, axis1=1, axis2=2)
        n_terms = 1 if self.out_activation == "softmax" else n_outputs
        # relevances too, as phi times eigenvalues may overflow where neither does
        is_finite = np.isfinite(norm).all(axis=1) & np.isfinite(relevance[:, 0])
        # a network that has diverged is told by its weights alone, and not by a warning
        with np.errstate(over="ignore", invalid="ignore"):
            penalties = (self.coefficients * norm).sum(axis=1)
        # a network in which a layer died computes a constant: no node counts
        n_alive = (n_alive * (n_alive > 0).all(axis=1, keepdims=True)).astype(int).tolist()
        return [
            Reading(
                bool(is_finite[k]),
                float(penalties[k]),
                n_alive[k],
                int(n_silent[k]),
                products[k],
                float(loss[k]) / (max(1, member.position) * n_terms),
            )
            for k, member in enumerate(self.members)
        ]
