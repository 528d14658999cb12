"""Spectral multilayer perceptron for regression."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import RegressorMixin

from skspectral._compat import _fit_context
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.targets import NumberTarget


class SpectralMLPRegressor(RegressorMixin, BaseSpectralMLP):
    r"""Multilayer perceptron regressor that finds its own size in the spectral domain.

    Weights are written through eigenvectors and eigenvalues [1]_,

    .. math::

        w_{ij} = \phi_{ij} \, (\lambda^{in}_j - \lambda^{out}_i)

    and the loss is the mean squared
    error of the standardised target over the rows plus
    :math:`\alpha (\|\phi\|^2 + \|\lambda\|^2)` for every layer. Penalising both
    factors acts as a group penalty on each node, so an overwide network ends
    with the nodes the task needs; the others end at relevance zero.

    Parameters
    ----------
    hidden_layer_sizes : int or array-like of int, default=(256,)
        Nodes per hidden layer at the start; choose them too large.
    activation : {"identity", "logistic", "tanh", "relu", "gelu", "silu"}, default="relu"
        Activation of the hidden nodes.
    fit_intercept : bool, default=True
        Whether layers have biases.
    parametrization : {"spectral", "dense"} or sequence of them, default="spectral"
        Of the hidden layers: one for all, or one for each. "dense" is the
        ordinary network, as a control.
    eigenvalues : {"out", "in", "out-in", "both"}, default="out"
        Which eigenvalues are trained: "out", `lambda_out` of the hidden
        layers, as in [1]_; "in", `lambda_in` of every layer; "out-in",
        `lambda_out` of the hidden layers and `lambda_in` of the output layer;
        "both", both in the hidden layers.
    trainable : {"all", "eigenvalues", "eigenvectors"}, default="all"
        What is trained in spectral layers. Biases and dense layers always are.
    alpha : float >= 0, default=1e-3
        L2 penalty: it multiplies the sum of squares of eigenvectors,
        eigenvalues and dense weights, in units of the loss, independent of the
        number of rows. This is not scikit-learn's alpha, which corresponds to
        ``alpha / batch_size`` here.
    alpha_phi : float >= 0 or None, default=None
        Penalty on the eigenvectors; None: `alpha`.
    alpha_lambda : float >= 0 or None, default=None
        Penalty on the eigenvalues; None: `alpha`.
    relevance_threshold : float in [0, 1), default=0.05
        A node is alive if its relevance exceeds this fraction of the largest
        in its layer, and 1e-4 of the largest at the start of training.
    solver : {"adam", "sgd"}, torch optimiser class or partial of one, default="adam"
        "adam" is :class:`torch.optim.Adam` with betas (0.9, 0.99): with the
        shorter memory sizes settle in fewer steps. "sgd" is plain stochastic
        gradient descent, with which they hardly settle.
    learning_rate : {"onecycle", "cosine", "constant", "adaptive"}, default="onecycle"
        "onecycle": linear rise over the first tenth of the steps, then half a
        cosine to zero. "cosine": the fall alone. Both run to their end.
        "constant", "adaptive": as in scikit-learn's MLP, stopped by `tol` and
        `n_iter_no_change`; "adaptive" divides the rate by 5 first. A
        :class:`skorch.callbacks.LRScheduler` in `callbacks` replaces the
        schedule.
    learning_rate_init : float > 0, default=0.02
        Largest learning rate of the schedule. "constant", "adaptive" and
        `partial_fit` want about 1e-3.
    batch_size : int >= 1 or "auto", default="auto"
        Rows per step; "auto": ``min(200, n_samples)``.
    max_iter : int >= 1 or "auto", default="auto"
        Epochs. "auto" plans 15,000 steps (2,000 below 1,000 rows) for
        schedules with an end, and 200 epochs otherwise.
    time_limit : float > 0 or None, default=None
        Seconds of training. Schedules with an end reach it by then, however many
        epochs are planned; training stops after the epoch in which the time is up,
        so it makes at least one epoch.
    shuffle : bool, default=True
        Whether each epoch draws a new order; a single batch keeps the order.
    tol : float >= 0, default=1e-4
        Smallest change of loss or score that counts.
    early_stopping : bool, default=False
        Follow the R2 of validation rows and restore the best epoch. Schedules
        with an end run to it and restore only an epoch better by `tol`; the
        others stop after `n_iter_no_change` epochs without progress.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the rows held out for `early_stopping`.
    n_iter_no_change : int >= 1 or inf, default=10
        Epochs without progress that "constant" and "adaptive" put up with.
    random_state : int, RandomState instance or None, default=None
        Of initial weights, order of rows and held-out rows.
    warm_start : bool, default=False
        Whether `fit` goes on from the weights of the last fit, with a new
        schedule and a fresh optimiser; device, dtype and target stay as they
        were.
    shrink : bool, default=True
        Whether relu nodes that have died leave the network between epochs, which
        makes training of a wide network as fast as that of a narrow one. Nodes
        leave where no training row can activate them and little is left of
        their weights, so the others train on as they would have, to rounding;
        numbering stays that of `hidden_layer_sizes`, while `module_` and
        `coefs_` are small. Not while there are `callbacks`, which may hold on
        to parameters.
    normalize_y : bool, default=True
        Whether outputs are centred and scaled by their weighted mean and
        standard deviation, so that `alpha` has no unit and the fit follows
        ``a * y + b``, a > 0.
    device : {"auto", "cpu", "cuda", "cuda:<index>"}, default="auto"
        "auto" takes CUDA for networks large enough to gain, outside worker
        processes.
    dtype : {"auto", "float32", "float64"}, default="auto"
        "auto": float64 below 1,000 rows on a CPU, else float32.
    n_threads : int >= 1, "auto" or None, default="auto"
        Torch threads during training, on a CPU. "auto": one for every 20
        million multiply-adds of a forward pass over a batch from 40 million on,
        up to those that torch has; one below, and outside the main thread.
        None leaves torch's setting. Another count rounds differently; fix it
        where results must be the same on machines with different cores.
    callbacks : list or None, default=None
        skorch callbacks, instances or (name, instance) pairs; copied before
        use.
    verbose : bool or int, default=False
        1 or True: show epoch, loss, alive nodes and the time that is left, as a
        bar in terminals and notebooks, in some ten lines elsewhere. 2: a line per
        epoch.

    Attributes
    ----------
    feature_relevance_ : list of ndarray of shape (n_nodes,)
        Relevance per hidden layer: norms of the rows of the effective weights,
        :math:`|\lambda^{out}_i| \, \|\phi_i\|` for eigenvalues="out".
    n_alive_nodes_ : list of int
        Alive nodes per hidden layer.
    size_settled_ : bool or None
        Whether the size has converged; None where nothing is spectral, no
        trained factor of the hidden nodes is penalised, and after
        `partial_fit`.
    node_indices_ : list of ndarray of int
        Index in `hidden_layer_sizes` of each node that is physically there.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Sum over paths of products of absolute weights, times the standard
        deviation of the column, normalised to sum 1; zeros for a constant
        network.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Effective weights in units of y.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases in units of y.
    loss_curve_ : list of float
        Penalised loss per epoch, in units of the standardised target.
    best_loss_ : float or None
        Its minimum; None with `early_stopping`.
    validation_scores_ : list of float or None
        R2 of the validation rows per epoch.
    best_validation_score_ : float or None
        Its maximum.
    n_iter_ : int
        Epochs trained.
    t_ : int
        Rows seen in training.
    n_layers_ : int
        Layers, counting input and output.
    n_outputs_ : int
        Outputs.
    out_activation_ : str
        Activation of the output.
    y_mean_, y_scale_ : ndarray of shape (`n_outputs_`,)
        Centre and scale of the outputs.
    device_ : str
        Where the network was trained.
    n_features_in_ : int
        Columns seen in fit.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Their names, where all are strings.
    net_ : skorch.NeuralNet
        The net, with its history and callbacks.
    module_ : skspectral.nn.SpectralMLP
        The network, in standardised units.

    See Also
    --------
    SpectralMLPClassifier : The same for classes.
    skspectral.nn.SpectralLinear : The layer.

    Notes
    -----
    A size means something only once training has converged: `fit` warns with
    ConvergenceWarning, and `size_settled_` is False, where it has not.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.
    .. [2] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(500, 3))
    >>> y = np.abs(X[:, 0])
    >>> reg = SpectralMLPRegressor(32, alpha=1e-2, random_state=0).fit(X, y)
    >>> reg.n_alive_nodes_
    [2]
    >>> reg.score(X, y) > 0.9
    True
    """

    _parameter_constraints: dict = {
        **BaseSpectralMLP._parameter_constraints,
        "normalize_y": ["boolean"],
    }

    _target: NumberTarget

    def __init__(
        self,
        hidden_layer_sizes=(256,),
        *,
        activation="relu",
        fit_intercept=True,
        parametrization="spectral",
        eigenvalues="out",
        trainable="all",
        alpha=1e-3,
        alpha_factor=0.5,
        alpha_phi=None,
        alpha_lambda=None,
        relevance_threshold=0.05,
        solver="adam",
        learning_rate="onecycle",
        learning_rate_init=0.02,
        batch_size="auto",
        max_iter="auto",
        time_limit=None,
        shuffle=True,
        tol=1e-4,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        random_state=None,
        warm_start=False,
        shrink=True,
        normalize_y=True,
        device="auto",
        dtype="auto",
        n_threads="auto",
        callbacks=None,
        verbose=False,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.fit_intercept = fit_intercept
        self.parametrization = parametrization
        self.eigenvalues = eigenvalues
        self.trainable = trainable
        self.alpha = alpha
        self.alpha_factor = alpha_factor
        self.alpha_phi = alpha_phi
        self.alpha_lambda = alpha_lambda
        self.relevance_threshold = relevance_threshold
        self.solver = solver
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.time_limit = time_limit
        self.shuffle = shuffle
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.random_state = random_state
        self.warm_start = warm_start
        self.shrink = shrink
        self.normalize_y = normalize_y
        self.device = device
        self.dtype = dtype
        self.n_threads = n_threads
        self.callbacks = callbacks
        self.verbose = verbose

    def _new_target(self, y, classes=None):
        return NumberTarget.of(y)

    def _scaled_target(self, rows):
        return self._target.scaled_by(rows) if self.normalize_y else self._target

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch at the constant rate `learning_rate_init`.

        The first call sets the scale of `y`, dtype and device.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,) or None, default=None
            Weights, used as given.

        Returns
        -------
        self : object
            The estimator, trained for one more epoch.

        Raises
        ------
        ValueError
            If the data do not go on from what was fitted.
        """
        return self._partial_fit(X, y, sample_weight)

    def predict(self, X):
        """Predict targets.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Rows.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_outputs)
            Predictions in units of y.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        """
        outputs = self._outputs(X)
        return self._target.decode(outputs)
