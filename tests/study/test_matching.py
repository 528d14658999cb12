"""Nodes and paths of two networks compared."""

import itertools

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import Ridge
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skspectral import (
    SpectralMLPRegressor,
    match_nodes,
    n_distinct_nodes,
    path_agreement,
    path_magnitudes,
)
from skspectral._export.sklearn_mlp import make_mlp_regressor
from skspectral._study.matching import cosines
from skspectral.datasets import make_teacher_student

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def biased_teacher(sizes=(7, 12, 9, 1), seed=0):
    """Return a network with biases, as relu nodes have them."""
    rng = np.random.default_rng(seed)
    coefs = [rng.normal(size=size) for size in itertools.pairwise(sizes)]
    return make_mlp_regressor(coefs, [rng.normal(size=n) for n in sizes[1:]], activation="relu")


def permuted_and_rescaled(teacher, orders, seed=1):
    """Return a network of the same function, its nodes in another order and of other scales."""
    rng = np.random.default_rng(seed)
    coefs = [layer.copy() for layer in teacher.coefs_]
    biases = [bias.copy() for bias in teacher.intercepts_]
    for k, order in enumerate(orders):
        scale = np.exp(rng.normal(size=len(order)))
        coefs[k] = coefs[k][:, order] * scale
        biases[k] = biases[k][order] * scale
        coefs[k + 1] = coefs[k + 1][order] / scale[:, None]
    return make_mlp_regressor(coefs, biases, activation="relu")


@pytest.fixture(scope="module")
def copy_and_teacher():
    teacher = biased_teacher()
    rng = np.random.default_rng(2)
    orders = [rng.permutation(12), rng.permutation(9)]
    return permuted_and_rescaled(teacher, orders), teacher, orders


@pytest.mark.parametrize("layer", [0, 1])
def test_match_undoes_permutation_and_scale(copy_and_teacher, layer):
    copy, teacher, orders = copy_and_teacher
    X = np.random.default_rng(3).normal(size=(50, 7))
    np.testing.assert_allclose(copy.predict(X), teacher.predict(X))
    match = match_nodes(copy, teacher, layer=layer)
    np.testing.assert_array_equal(match.teacher_nodes, np.arange(len(orders[layer])))
    np.testing.assert_array_equal(orders[layer][match.student_nodes], match.teacher_nodes)
    np.testing.assert_allclose(match.similarity, 1)


def test_match_is_the_best_of_all_pairings():
    teacher, other = biased_teacher((3, 2, 1)), biased_teacher((3, 4, 1), seed=5)
    match = match_nodes(other, teacher)
    assert len(match.student_nodes) == len(match.similarity) == 2

    def direction(network):
        rows = np.vstack([network.coefs_[0], network.intercepts_[0]]).T
        return rows / np.linalg.norm(rows, axis=1)[:, None]

    cosine = direction(other) @ direction(teacher).T
    best = max(cosine[i, 0] + cosine[j, 1] for i in range(4) for j in range(4) if i != j)
    assert match.similarity.sum() == pytest.approx(best)
    np.testing.assert_allclose(match.similarity, cosine[match.student_nodes, [0, 1]])


def test_unmatched_inbound_nodes_count_against():
    teacher = biased_teacher((4, 3, 2, 1))
    coefs, biases = [c.copy() for c in teacher.coefs_], teacher.intercepts_
    coefs[0] = np.hstack([coefs[0], np.ones((4, 1))])  # a node of its own
    coefs[1] = np.vstack([coefs[1], 100 * np.ones((1, 2))])
    grown = make_mlp_regressor(coefs, [np.append(biases[0], 9.0), *biases[1:]], activation="relu")
    assert match_nodes(grown, teacher).similarity.min() > 1 - 1e-12
    assert match_nodes(grown, teacher, layer=1).similarity.max() < 0.1


@pytest.fixture(scope="module")
def study():
    data = make_teacher_student(2000, 5, 4, random_state=0)
    student = SpectralMLPRegressor(24, alpha=3e-4, max_iter=300, random_state=0)
    return student.fit(data.X, data.y), data


def test_student_finds_its_teachers_nodes(study):
    student, data = study
    match = match_nodes(student, data.teacher)
    assert match.similarity.min() > 0.98
    assert student.n_alive_nodes_[0] < 12
    alive = student.feature_relevance_[0] > 0.05 * student.feature_relevance_[0].max()
    assert alive[match.student_nodes].all()
    again = match_nodes(student.prune(), data.teacher)
    np.testing.assert_array_equal(np.flatnonzero(alive)[again.student_nodes], match.student_nodes)


def test_student_finds_its_teachers_paths(study):
    student, data = study
    untrained = SpectralMLPRegressor(24, max_iter=1, random_state=0).fit(data.X, data.y)
    assert path_agreement(student, data.teacher) > 0.8
    assert path_agreement(untrained, data.teacher) < 0.6


def test_networks_are_found_in_pipelines(study):
    student, data = study
    model = make_pipeline(StandardScaler(), student)
    assert match_nodes(model, data.teacher).similarity.min() > 0.98
    assert n_distinct_nodes(model) == n_distinct_nodes(student)


def test_distinct_nodes_join_what_points_the_same_way():
    coefs = [np.array([[1.0, 2.0, 0.0, -1.0, 0.99], [0.0, 0.0, 1.0, 0.0, 0.14]]), np.ones((5, 1))]
    network = make_mlp_regressor(coefs, [np.zeros(5), np.zeros(1)], activation="relu")
    assert n_distinct_nodes(network) == 3  # 0, 1 and 4; 2; 3 points the other way
    assert n_distinct_nodes(network, min_similarity=0.999) == 4
    biased = make_mlp_regressor(
        coefs, [np.array([0.0, 5.0, 0, 0, 0]), np.zeros(1)], activation="relu"
    )
    assert n_distinct_nodes(biased) == 4  # the second bends elsewhere


def test_magnitudes_are_products_along_paths(copy_and_teacher):
    copy, teacher, _ = copy_and_teacher
    first, second, last = map(np.abs, teacher.coefs_)
    products = np.einsum("ij,jk,kl->ijkl", first, second, last)
    magnitudes = path_magnitudes(teacher)
    np.testing.assert_allclose(magnitudes, np.sort(products, axis=None)[::-1])
    np.testing.assert_allclose(path_magnitudes(copy), magnitudes)
    assert path_agreement(copy, teacher) == pytest.approx(1)
    doubled = make_mlp_regressor(
        [*teacher.coefs_[:-1], 3 * teacher.coefs_[-1]], teacher.intercepts_, activation="relu"
    )
    assert path_agreement(doubled, teacher) == pytest.approx(0.5)  # 1 - 2 / 4


@pytest.mark.filterwarnings("ignore:Every node died")
@pytest.mark.parametrize("layers", [6, (6, 5), (6, 5, 4)])
def test_nothing_is_matched_where_all_died(layers):
    data = make_teacher_student(300, 3, layers, output_weights="glorot", random_state=3)
    dead = SpectralMLPRegressor(layers, alpha=10, max_iter=100, random_state=0)
    dead.fit(data.X, data.y)
    assert not any(dead.n_alive_nodes_)
    for layer in range(len(dead.n_alive_nodes_)):
        match = match_nodes(dead, data.teacher, layer=layer)
        assert len(match.similarity) == len(match.student_nodes) == 0
        assert n_distinct_nodes(dead, layer=layer) == 0
    assert len(path_magnitudes(dead)) == 0
    assert path_agreement(dead, data.teacher) == 0
    assert path_agreement(dead, dead) == 1


@pytest.mark.parametrize(("n", "m"), [(0, 3), (3, 0), (0, 0)])
def test_cosines_of_no_nodes_are_empty(n, m):
    assert cosines(np.ones((n, 4)), np.ones((m, 4))).shape == (n, m)


def test_cosine_of_a_silent_node_is_zero():
    A, B = np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[0.0, 1.0], [6.0, 8.0]])
    np.testing.assert_allclose(cosines(A, B), [[0.8, 1.0], [0.0, 0.0]])


def test_bad_input_raises():
    teacher, other = biased_teacher(), biased_teacher((6, 5, 1))
    with pytest.raises(ValueError, match="same columns; got 6 and 7"):
        match_nodes(other, teacher)
    with pytest.raises(ValueError, match="`layer` must be from 0 to 1"):
        match_nodes(teacher, teacher, layer=2)
    with pytest.raises(TypeError, match="got 'first'"):
        match_nodes(teacher, teacher, layer="first")
    with pytest.raises(TypeError, match=r"MLPRegressor.*got Ridge"):
        match_nodes(Ridge(), teacher)
    with pytest.raises(NotFittedError):
        match_nodes(SpectralMLPRegressor(), teacher)
    with pytest.raises(NotFittedError):
        path_magnitudes(MLPRegressor())
    with pytest.raises(ValueError, match="min_similarity"):
        n_distinct_nodes(teacher, min_similarity=2)
    wide = make_teacher_student(2, 100, (900, 900), random_state=0).teacher
    with pytest.raises(ValueError, match="81000000 paths"):
        path_magnitudes(wide)
