"""Compare the nodes and paths of two networks."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.sparse.csgraph import connected_components
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.utils import Bunch
from sklearn.utils.extmath import row_norms

from skspectral._compat import Interval, validate_params
from skspectral._estimators.fitted import alive_nodes
from skspectral._study.final_network import NETWORKS, final_network

HOMOGENEOUS = ("relu", "identity")
"""Activations for which incoming weights can be scaled, and outgoing ones the other way."""
FLIPPED = ("relu", "gelu", "silu")
"""Activations for which s(z) = z + s(-z), so that beside a linear skip a sign means nothing."""
MOST_PATHS = 50_000_000
"""Paths that are listed at most; as float64 they take 0.4 GB."""


@dataclass
class AliveNetwork:
    """Weights of the alive nodes of a network.

    Parameters
    ----------
    coefs : list of ndarray of shape (n_in, n_out)
    intercepts : list of ndarray of shape (n_out,)
    node_indices : list of int ndarray of shape (n_nodes,)
        Numbers of the alive nodes, one array per hidden layer.
    activation : str
        Of the hidden nodes.
    has_skip : bool, default=False
        Whether there is a linear skip.
    """

    coefs: list[np.ndarray]
    intercepts: list[np.ndarray]
    node_indices: list[np.ndarray]
    activation: str
    has_skip: bool = False

    @property
    def flips(self) -> bool:
        """Whether the skip makes up for a node whose incoming weights change their sign."""
        return self.has_skip and len(self.node_indices) == 1 and self.activation in FLIPPED

    def incoming(self, layer: int) -> np.ndarray:
        """Return incoming weights and bias of each node, shape (n_nodes, n_in + 1)."""
        # float64: a cosine near 1 of two nearly equal nodes has few digits in float32
        return np.column_stack([self.coefs[layer].T, self.intercepts[layer]]).astype(np.float64)


def alive_network(estimator: Any) -> AliveNetwork:
    """Return what is alive in a network of this package, or all of a scikit-learn one."""
    network = final_network(estimator, (*NETWORKS, MLPRegressor, MLPClassifier))
    if isinstance(network, (MLPRegressor, MLPClassifier)):
        # it has no relevance that could tell dead nodes from alive ones
        everything = [np.arange(layer.shape[1]) for layer in network.coefs_[:-1]]
        return AliveNetwork(network.coefs_, network.intercepts_, everything, network.activation)
    masks = alive_nodes(network.net_)
    small = network.prune()
    coefs, intercepts = small.coefs_, small.intercepts_
    if not all(mask.any() for mask in masks):  # pruning keeps a node of a layer that has died
        coefs = [coefs[0][:, :0], *(layer[:0, :0] for layer in coefs[1:-1]), coefs[-1][:0]]
        intercepts = [*(bias[:0] for bias in intercepts[:-1]), intercepts[-1]]
    indices, has_skip = [np.flatnonzero(m) for m in masks], network.module_.skip is not None
    return AliveNetwork(coefs, intercepts, indices, network.activation, has_skip)


def cosines(A: np.ndarray, B: np.ndarray, *, flips: bool = False) -> np.ndarray:
    """Return the cosine of each row of A with each of B, 0 for zero rows.

    Without its sign where `flips`.
    """
    if not (len(A) and len(B)):  # a layer that has died; scikit-learn refuses empty arrays
        return np.zeros((len(A), len(B)))
    similarity = cosine_similarity(A, B)
    return np.abs(similarity) if flips else similarity


def activation_scale(network: AliveNetwork, rows: np.ndarray) -> np.ndarray:
    """Return how much more nodes emit than nodes of unit weights do, shape (n_nodes,)."""
    # relu(c x) = c relu(x) for c > 0: only there does the norm of the weights pass through
    return row_norms(rows) if network.activation in HOMOGENEOUS else np.ones(len(rows))


def align(
    student: np.ndarray,
    teacher: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray],
    scales: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return incoming weights over the same inbound nodes.

    Matched nodes of the layer before come first, then those of the student, then
    those of the teacher that have no match, then the bias.

    Parameters
    ----------
    student : ndarray of shape (n_nodes, n_in + 1)
    teacher : ndarray of shape (m_nodes, m_in + 1)
    pairs : tuple of int ndarray of shape (n_pairs,)
        Matched inbound nodes.
    scales : tuple of ndarray of shape (n_in,) and (m_in,)
        As :func:`activation_scale` returns it for the inbound nodes.
    """
    # a node without a match weighs on one side only, where the other network has a zero
    n_alone, m_alone = (len(scale) - len(pairs[0]) for scale in scales)
    before, after = np.zeros((len(teacher), n_alone)), np.zeros((len(student), m_alone))
    ordered = []
    for weights, matched, scale in zip((student, teacher), pairs, scales, strict=True):
        alone = np.setdiff1d(np.arange(len(scale)), matched)
        # v_k sigma(w x) = |w| v_k sigma(w x / |w|): compare as if inbound nodes had norm 1
        scaled = weights[:, :-1] * scale
        ordered.append((scaled[:, matched], scaled[:, alone], weights[:, -1:]))
    (s_matched, s_alone, s_bias), (t_matched, t_alone, t_bias) = ordered
    return (
        np.hstack([s_matched, s_alone, after, s_bias]),
        np.hstack([t_matched, before, t_alone, t_bias]),
    )


def match_nodes(student, teacher, *, layer=0):
    r"""Pair nodes of two networks so that they point the same way.

    Solves the assignment problem: of all pairings of one node with one, that
    with the largest sum of cosines

    .. math::

        \cos(i, k) = \frac{\langle w_i, w'_k \rangle}{\|w_i\| \, \|w'_k\|} ,

    where :math:`w_i` are the incoming weights and the bias of node i of the
    student and :math:`w'_k` those of node k of the teacher. Cosines do not depend on
    the scale of relu nodes, which means nothing. For a later layer the nodes of the
    layers before are matched first, and their scale is moved into the weights.

    Parameters
    ----------
    student, teacher : object
        Two fitted networks over the same columns: SpectralMLPRegressor or
        SpectralMLPClassifier, of which the alive nodes count; MLPRegressor or
        MLPClassifier of scikit-learn; or what holds one, as a Pipeline or a search
        does.
    layer : int >= 0, default=0
        Hidden layer.

    Returns
    -------
    :class:`~sklearn.utils.Bunch`
        With

        student_nodes : int ndarray of shape (n_pairs,)
            Nodes of the student, numbered as in `hidden_layer_sizes`.
        teacher_nodes : int ndarray of shape (n_pairs,)
            Their partners, increasing. There are as many pairs as the smaller of the
            two layers has nodes.
        similarity : ndarray of shape (n_pairs,)
            Their cosines, in [-1, 1].

    Raises
    ------
    TypeError
        If there is no network in one of them, or `layer` is not an integer.
    ValueError
        If the networks have different columns, or one lacks the layer.
    NotFittedError
        If one is not fitted.

    See Also
    --------
    n_distinct_nodes : Directions among the nodes of one network.
    path_agreement : Compare whole networks.

    Notes
    -----
    Weights are compared in the units of the columns that each network gets; behind a
    scaler these differ between student and teacher. A tanh node computes the same if
    all its weights change sign; this is not looked for. Beside a linear skip a node of
    the only hidden layer does, as max(z, 0) = z + max(-z, 0): if one of the networks
    has one, cosines count without their sign (relu, gelu, silu).

    Examples
    --------
    >>> from skspectral import match_nodes
    >>> from skspectral.datasets import make_teacher_student
    >>> teacher = make_teacher_student(10, random_state=0).teacher
    >>> match_nodes(teacher, teacher).similarity.min().round(6)
    np.float64(1.0)
    """
    s, t = alive_network(student), alive_network(teacher)
    _check_comparable(s, t, layer)
    S, T = s.incoming(0), t.incoming(0)
    flips = s.flips or t.flips
    # an assignment, as pairing each node with its nearest could take one node twice
    pairs = linear_sum_assignment(cosines(S, T, flips=flips), maximize=True)
    for depth in range(1, layer + 1):
        scales = (activation_scale(s, S), activation_scale(t, T))
        S, T = align(s.incoming(depth), t.incoming(depth), pairs, scales)
        pairs = linear_sum_assignment(cosines(S, T), maximize=True)
    in_order = np.argsort(pairs[1])  # by node of the teacher, which is what one looks up
    s_nodes, t_nodes = (nodes[in_order] for nodes in pairs)
    return Bunch(
        student_nodes=s.node_indices[layer][s_nodes],
        teacher_nodes=t.node_indices[layer][t_nodes],
        similarity=cosines(S, T, flips=flips)[s_nodes, t_nodes],
    )


def _check_comparable(student, teacher, layer):
    n_features = [len(network.coefs[0]) for network in (student, teacher)]
    if n_features[0] != n_features[1]:
        raise ValueError(
            "`student` and `teacher` must have the same columns; got "
            f"{n_features[0]} and {n_features[1]}."
        )
    _check_layer(layer, min(len(network.node_indices) for network in (student, teacher)))


def _check_layer(layer, n_layers):
    if not isinstance(layer, Integral) or isinstance(layer, bool):
        raise TypeError(f"`layer` must be an integer; got {layer!r}.")
    if not 0 <= int(layer) < n_layers:
        raise ValueError(
            f"`layer` must be from 0 to {n_layers - 1}, one of the hidden layers; got {layer!r}."
        )


@validate_params(
    {"min_similarity": [Interval(Real, -1, 1, closed="neither")]},
    prefer_skip_nested_validation=True,
)
def n_distinct_nodes(estimator, *, min_similarity=0.95, layer=0):
    """Count the directions of the alive nodes.

    Training can leave two nodes that point the same way, where one would do. Nodes
    whose incoming weights, bias included, have a cosine above `min_similarity` count
    as one, and so do nodes that a chain of such pairs joins. Signs of the cosines count
    as in :func:`match_nodes`.

    Parameters
    ----------
    estimator : object
        As for :func:`match_nodes`.
    min_similarity : float in (-1, 1), default=0.95
        Cosine above which two nodes count as one.
    layer : int >= 0, default=0
        Hidden layer.

    Returns
    -------
    int
        Number of clusters, from 0 to the number of alive nodes.

    Raises
    ------
    TypeError
        If there is no network in `estimator`, or `layer` is not an integer.
    ValueError
        If it lacks the layer, or `min_similarity` is out of range.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    n_alive_nodes_score : Number of alive nodes.

    Examples
    --------
    >>> from skspectral import n_distinct_nodes
    >>> from skspectral.datasets import make_teacher_student
    >>> n_distinct_nodes(make_teacher_student(10, random_state=0).teacher)
    20
    """
    network = alive_network(estimator)
    _check_layer(layer, len(network.node_indices))
    rows = network.incoming(layer)
    if not len(rows):  # all nodes died
        return 0
    similarity = cosines(rows, rows, flips=network.flips)
    return int(connected_components(similarity > min_similarity, directed=False)[0])


def path_magnitudes(estimator):
    r"""Return how strong the paths from columns to outputs are, strongest first.

    A path goes from a column through one alive node of each hidden layer to an
    output; a linear skip is left out. Its magnitude is the absolute product of its weights,

    .. math::

        m = |w^{(1)}_{i_1 j} \, w^{(2)}_{i_2 i_1} \cdots w^{(L)}_{k i_{L-1}}| ,

    which changes neither with the scale of relu nodes nor with the order of nodes.

    Parameters
    ----------
    estimator : object
        As for :func:`match_nodes`.

    Returns
    -------
    ndarray of shape (n_paths,)
        Magnitudes in units of y per unit of the columns, decreasing; as many
        as the product of all layer sizes.

    Raises
    ------
    TypeError
        If there is no network in `estimator`.
    ValueError
        If there are more than 50 million paths.
    NotFittedError
        If it is not fitted.

    See Also
    --------
    path_agreement : Compare two networks by them.
    PathMagnitudesDisplay : Draw them.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, https://arxiv.org/abs/2310.12612.

    Examples
    --------
    >>> from skspectral import path_magnitudes
    >>> from skspectral.datasets import make_teacher_student
    >>> path_magnitudes(make_teacher_student(10, random_state=0).teacher).shape
    (4000,)
    """
    coefs = alive_network(estimator).coefs
    n_paths = math.prod([len(coefs[0]), *(layer.shape[1] for layer in coefs)])
    if n_paths > MOST_PATHS:  # before memory for them is taken
        raise ValueError(
            f"The network has {n_paths} paths, more than {MOST_PATHS}. Raise `alpha`, or prune "
            "more nodes, first."
        )
    if not n_paths:
        return np.empty(0)
    paths = np.abs(coefs[0]).astype(np.float64)
    for layer in coefs[1:]:
        # (n_paths so far, n_in) times (n_in, n_out), each path going on to every node
        paths = (paths[:, :, None] * np.abs(layer)).reshape(-1, layer.shape[1])
    return np.sort(paths, axis=None)[::-1]


def path_agreement(student, teacher):
    r"""Compare two networks by their sorted path magnitudes.

    One minus the Bray-Curtis dissimilarity [1]_ of both lists, strongest path first,
    the shorter one filled with zeros. It depends on the scale of the outputs, which
    class labels do not fix: compare classifiers by :func:`match_nodes`.

    .. math::

        1 - \frac{\sum_k |m_k - m'_k|}{\sum_k (m_k + m'_k)} .

    Parameters
    ----------
    student, teacher : object
        As for :func:`match_nodes`.

    Returns
    -------
    float
        From 0 to 1; 1 where both lists are the same. 0 where one network is
        constant, 1 where both are.

    Raises
    ------
    TypeError
        If there is no network in one of them.
    ValueError
        If one has more than 50 million paths.
    NotFittedError
        If one is not fitted.

    See Also
    --------
    path_magnitudes : The lists.

    References
    ----------
    .. [1] J. R. Bray, J. T. Curtis, "An ordination of the upland forest
       communities of southern Wisconsin", Ecological Monographs 27 (1957),
       325-349, https://doi.org/10.2307/1942268.

    Examples
    --------
    >>> from skspectral import path_agreement
    >>> from skspectral.datasets import make_teacher_student
    >>> teacher = make_teacher_student(10, random_state=0).teacher
    >>> path_agreement(teacher, teacher)
    1.0
    """
    return agreement(path_magnitudes(student), path_magnitudes(teacher))


def agreement(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return one minus the Bray-Curtis dissimilarity, filling the shorter with zeros."""
    longest = max(len(ours), len(theirs))
    ours, theirs = (np.pad(m, (0, longest - len(m))) for m in (ours, theirs))
    total = float((ours + theirs).sum())
    # by hand, as scipy's braycurtis gives NaN for two constant networks
    return 1 - float(np.abs(ours - theirs).sum()) / total if total else 1.0
