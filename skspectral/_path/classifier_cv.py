"""Classifier whose size is chosen by cross-validation."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import ClassifierMixin

from skspectral._estimators.classifier import SpectralMLPClassifier
from skspectral._path.cv import BaseSpectralMLPCV
from skspectral._selection.network_inside import NetworkInsideMixin


class SpectralMLPClassifierCV(NetworkInsideMixin, ClassifierMixin, BaseSpectralMLPCV):
    """Network for classification whose size is chosen by cross-validation.

    A wide network is trained at rising penalties, on each fold and on all rows.
    As the penalty rises, nodes die. The chosen penalty gives the smallest network
    that scores as well as the best one on the folds. So one call gives a network,
    its number of hidden nodes, and whether that number stays while the penalty and
    the rows change (`size_identified_`).

    Parameters
    ----------
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Nodes per hidden layer at the start. "auto": one layer, whose width is the
        power of two nearest to twice the square root of the number of rows, from
        64 to 512. A warning is given if more than half of the nodes of a layer are
        alive at the chosen penalty.
    alpha_factors : array-like of shape (n_factors,) or None, default=None
        Penalties, as multiples of the one that follows the noise: values of
        `alpha_factor` of the network, increasing, > 0. None: 0.25, 0.5, 1 and 2.
    alphas : array-like of shape (n_alphas,) or None, default=None
        Penalties as they are, increasing, >= 0, in place of `alpha_factors`.
    cv : int, splitter, iterable or None, default=None
        Folds, as in :func:`sklearn.model_selection.check_cv`; None: five. Rows
        are not shuffled.
    scoring : str, callable or None, default=None
        Score that the penalty is chosen by; None: the negative log loss. Metrics such as
        "f1" take class 1 for the positive one, as in scikit-learn; where neither class is
        1, the last.
    selection : {"1se", "best"}, default="1se"
        "1se": the largest penalty, and so the smallest network, whose score is
        within a margin of the best. The margin is one standard error, over folds,
        of the paired difference to the best score. It is at least half the standard
        error of the best score itself, because a larger penalty costs a little in
        every fold alike. "best": the penalty of the best mean score.
    tolerance : float >= 0 or None, default=None
        The margin of "1se" in units of the score, in place of the standard error.
    activation : {"identity", "logistic", "tanh", "relu", "gelu", "silu"}, default="relu"
        Activation of the hidden nodes.
    fit_intercept : bool, default=True
        Whether layers have biases.
    skip : bool, default=False
        Whether the network has a linear term beside its nodes, so that what is linear
        needs no node.
    parametrization : {"spectral", "dense"} or sequence of them, default="spectral"
        Parametrisation of the hidden layers; "dense" is the ordinary network, as a
        control.
    eigenvalues : {"out", "in", "out-in", "both", "inputs"}, default="out"
        Which eigenvalues are trained, as in :class:`SpectralMLPClassifier`. With
        "inputs" columns that do not matter leave.
    relevance_threshold : float in [0, 1), default=0.05
        Share of the largest relevance above which a node is alive, and of the
        largest importance above which a column is.
    learning_rate_init : float > 0, default=0.02
        Largest learning rate.
    batch_size : int >= 1 or "auto", default="auto"
        Rows per step; "auto" as in the network.
    max_iter : int >= 1 or "auto", default="auto"
        Epochs at each penalty; "auto": until size and loss have settled, as in the
        network.
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes in training; scores do not use them.
    random_state : int, RandomState instance or None, default=None
        Seed of the networks; each fold gets a seed of its own, drawn from it.
    device : {"auto", "cpu", "cuda", "cuda:<index>"}, default="auto"
        Where the networks are trained.
    dtype : {"auto", "float32", "float64"}, default="auto"
        "auto" as in the network.
    n_threads : int >= 1, "auto" or None, default="auto"
        Torch threads during training on a CPU.
    n_jobs : int or None, default=None
        Processes among which the folds are shared. In one process they are trained
        side by side, together with the network of all rows.
    verbose : bool or int, default=False
        Whether to show the progress: one bar, or plain lines, for all networks; with
        `n_jobs` lines of joblib's, one for each share of the folds.

    Attributes
    ----------
    alpha_ : float
        The chosen penalty, as it was at the end of training on all rows.
    alpha_factor_ : float or None
        The chosen multiple; None if `alphas` are given.
    alphas_ : ndarray of shape (n_penalties,)
        The penalties of all rows, in the order of `alpha_factors` or `alphas`. They
        rise, unless the noise that they follow falls faster.
    cv_results_ : dict of ndarray of shape (n_penalties,)
        `alpha`; `alpha_factor`, unless `alphas` are given; `mean_test_score`,
        `std_test_score` and `split<k>_test_score`; `mean_n_alive_nodes`,
        `std_n_alive_nodes` and `split<k>_n_alive_nodes`, of all hidden layers
        together; `share_settled`, the share of the folds whose network was trained
        long enough for its size to stop falling; `margin`, how far the score may be
        below the best for selection="1se"; `within_tolerance`, whether it is within
        that margin.
    path_ : :class:`~sklearn.utils.Bunch`
        The path of the network trained on all rows, as :func:`spectral_path`
        returns it; further `alpha_factors`, unless `alphas` are given, and `start`,
        the hidden nodes at the start.
    estimator_ : SpectralMLPClassifier
        The network of that path at `alpha_`. Its fitted attributes are attributes
        here, too.
    n_alive_nodes_ : list of int
        Nodes left in that network per hidden layer: the size that cross-validation
        chose.
    size_interval_ : list of (int, int)
        Least and most nodes left in each hidden layer: medians over the folds and
        all rows, at the penalties from the chosen one to four times that; where the
        penalties end before, from a smaller one on, and at all where they span less.
        `n_alive_nodes_` is always inside.
    size_identified_ : bool
        Whether that interval tells the size of the task: it is within a tenth, or
        one node, of `n_alive_nodes_`, in every layer. False where the penalties do
        not span a factor of four, where the interval reaches down to no node, and
        where more than half of the nodes of a layer are left, as its width may have
        set the size. Not asked for is that the networks have settled
        (`share_settled`), which those of data without noise rarely have.
    alive_features_ : bool ndarray of shape (`n_features_in_`,)
        Columns whose importance exceeds the share `relevance_threshold` of the
        largest.
    feature_path_ : int ndarray of shape (`n_features_in_`,)
        Columns in the order in which they leave the path.
    size_settled_ : bool or None
        Whether the network was trained long enough at `alpha_` for its size to
        stop falling; None if no layer is spectral or nothing is penalised.
    feature_relevance_ : list of ndarray of shape (n_nodes,)
        Relevance of its nodes, per hidden layer; zero for nodes that are gone.
    node_indices_ : list of int ndarray
        Index of each node that is still in the network, counted in the layers of
        `hidden_layer_sizes`.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Importance of each column for the network; their sum is 1.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Its effective weights.
    intercepts_ : list of ndarray of shape (n_out,)
        Its biases.
    skip_coef_ : ndarray of shape (`n_outputs_`, `n_features_in_`) or None
        V, its linear skip, in the units of `coefs_`; None without `skip`.
    loss_curve_ : list of float
        Its penalised loss per epoch, along the path.
    n_iter_ : int
        Epochs for which it was trained, along the path.
    n_layers_ : int
        Number of layers, with input and output.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        Activation of the output.
    classes_ : ndarray of shape (n_classes,)
        Class labels.
    device_ : str
        Device on which it was trained.
    net_ : skorch.NeuralNet
        The skorch net, with its history and callbacks.
    module_ : skspectral.nn.SpectralMLP
        The torch module.
    n_features_in_ : int
        Number of columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.

    See Also
    --------
    SpectralMLPClassifier : The network at one penalty.
    spectral_path : The path alone.
    SpectralPathDisplay : Draws scores and sizes against the penalty.

    Notes
    -----
    On each fold and on all rows one network is trained further from penalty to
    penalty, each time until its size and its loss have settled. The chosen network
    is that of all rows.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.
    .. [2] T. Hastie, R. Tibshirani, J. Friedman, "The elements of statistical
       learning", second edition, Springer 2009, section 7.10, for the rule of
       one standard error.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPClassifierCV
    >>> X = np.random.default_rng(0).normal(size=(300, 3))
    >>> y = np.abs(X[:, 0]) > 0.7
    >>> alphas = [1e-2, 2e-2, 1]
    >>> clf = SpectralMLPClassifierCV(16, alphas=alphas, cv=2, max_iter=200, random_state=0)
    >>> clf.fit(X, y).n_alive_nodes_
    [2]
    """

    _parameter_constraints: dict = {
        **BaseSpectralMLPCV._parameter_constraints,
        "class_weight": SpectralMLPClassifier._parameter_constraints["class_weight"],
    }
    _network_class = SpectralMLPClassifier
    # The one parameter that only the classifier hands on to its network.
    _own_parameter = "class_weight"

    def __init__(
        self,
        hidden_layer_sizes="auto",
        *,
        alpha_factors=None,
        alphas=None,
        cv=None,
        scoring=None,
        selection="1se",
        tolerance=None,
        activation="relu",
        fit_intercept=True,
        skip=False,
        parametrization="spectral",
        eigenvalues="out",
        relevance_threshold=0.05,
        learning_rate_init=0.02,
        batch_size="auto",
        max_iter="auto",
        class_weight=None,
        random_state=None,
        device="auto",
        dtype="auto",
        n_threads="auto",
        n_jobs=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.alpha_factors = alpha_factors
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.selection = selection
        self.tolerance = tolerance
        self.activation = activation
        self.fit_intercept = fit_intercept
        self.skip = skip
        self.parametrization = parametrization
        self.eigenvalues = eigenvalues
        self.relevance_threshold = relevance_threshold
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.class_weight = class_weight
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.n_threads = n_threads
        self.n_jobs = n_jobs
        self.verbose = verbose
