"""Spectral multilayer perceptron for regression."""

# SPDX-License-Identifier: BSD-3-Clause

from __future__ import annotations

from sklearn.base import RegressorMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skspectral._compat import _fit_context
from skspectral._estimators.base import BaseSpectralMLP
from skspectral._estimators.checks import goes_on_from_one_network
from skspectral._estimators.targets import NumberTarget


class SpectralMLPRegressor(RegressorMixin, BaseSpectralMLP):
    r"""Multilayer perceptron regressor whose penalty switches hidden nodes off.

    Start with more nodes than you expect to keep. The penalty `alpha` switches off
    whole nodes during training, and the size found is the number of nodes left at
    this penalty. By default nothing needs to be chosen: the width at the start comes
    from the number of rows, the penalty from the noise in the data, and training goes
    on until size and loss stay as they are, up to a limit.

    The size depends on the data and on `alpha`: as a rule, a larger `alpha` leaves
    fewer nodes. It need not be the smallest size that predicts as well.
    :class:`SpectralMLPRegressorCV` chooses `alpha` by cross-validation.

    Each weight is written in terms of eigenvectors :math:`\phi` and eigenvalues
    :math:`\lambda` [1]_:

    .. math::

        w_{ij} = \phi_{ij} \, (\lambda^{in}_j - \lambda^{out}_i)

    The loss is the mean squared error of the standardised target over the rows, plus
    :math:`\alpha (\|\phi\|^2 + \|\lambda\|^2)` for every layer. Penalising both
    factors acts as a group penalty: it weighs on each node as a whole. A node
    that lowers the loss by too little is driven to relevance zero.

    Parameters
    ----------
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Nodes per hidden layer at the start. Choose more than you expect to keep.
        "auto" is one layer, with the power of two nearest to twice the square root
        of the rows of the first fit, from 64 to 512; half of it for each of several
        networks.
    activation : {"identity", "logistic", "tanh", "relu", "gelu", "silu"}, default="relu"
        Activation of the hidden nodes.
    fit_intercept : bool, default=True
        Whether layers have biases.
    skip : bool, default=False
        Whether the network has a linear term beside its nodes,
        :math:`f(x) = V x + \mathrm{MLP}(x)`, as in LassoNet [4]_. What is linear then
        needs no hidden node, and a network without any is linear, not constant. V starts
        at zero. Its L2 penalty is a tenth of `alpha`, so it shrinks and does not vanish.
        `to_sklearn` folds it into more nodes, for "relu" and "identity".
    parametrization : {"spectral", "dense"} or sequence of them, default="spectral"
        How the weights of the hidden layers are written: one value for all
        layers, or one for each. "dense" is an ordinary layer, for comparison.
    eigenvalues : {"out", "in", "out-in", "both", "inputs"}, default="out"
        Which eigenvalues are trained: "out", `lambda_out` of the hidden
        layers, as in [1]_; "in", `lambda_in` of every layer; "out-in",
        `lambda_out` of the hidden layers and `lambda_in` of the output layer;
        "both", both in the hidden layers; "inputs", `lambda_in` of the first
        layer alone: columns that only fit noise leave (`alive_features_`), and
        the layers above are dense.
    trainable : {"all", "eigenvalues", "eigenvectors"}, default="all"
        What is trained in spectral layers. Biases and dense layers are always
        trained.
    n_members : int >= 1, default=1
        Number of networks, which differ in their initial weights alone. They are trained
        side by side, go through the rows in the same order, with one set of held-out
        rows if there is any, and their mean, of the linear outputs, is folded into one
        wider network: that of the estimator. Each stops once its loss has settled, as it
        is the mean that counts, not their sizes (see `max_iter`). Then
        `hidden_layer_sizes` are the nodes of each at the start, while nodes are counted
        from 0 over all that are left in the wider network. `alpha_` and
        `noise_variance_` are medians, `size_settled_` tells whether all sizes have
        settled, and losses, scores and counts of epochs, as well as the history, are
        those of the first network. `time_limit` is shared out. `prune` returns an
        estimator of one network. There is no `partial_fit` and no `warm_start` of
        several.
    n_restarts : int >= 0, default=0
        Rounds after a first fit that lead training out of local minima. A wide network is
        trained at a quarter of the first one's penalty and then for a while at the whole
        of it; in each round the layers above the first, the second and so on in turn start
        anew while those below keep their nodes, or with one hidden layer the network grows
        to its first width; the best is trained on as the other parameters ask for it. Nodes
        of the last hidden layer that by Schwarz's criterion (BIC) do not pay for their
        parameters are then taken out, and training goes on, unless that costs 1 % of the
        penalised loss. This network, or else that before nodes were taken out, is kept if
        its penalised loss on the training rows, at the penalty that it ends with, is smaller
        than that of the first, by 1 % at least if it has more nodes.
        `hidden_layer_sizes` should be wide, say 4 times as many nodes as are expected.
        Histories are those of the last training of the network that is kept, `time_limit`
        is shared out. With `n_members` all that is done for each network. There is no
        `partial_fit` and no `warm_start`.
    alpha : float >= 0 or "auto", default="auto"
        L2 penalty: it multiplies the sum of squares of eigenvectors,
        eigenvalues and dense weights, in units of the loss, independent of the
        number of rows. This is not scikit-learn's alpha, which corresponds to
        ``alpha / batch_size`` here.
        "auto" follows the noise: after each epoch it becomes the penalty at
        which a node that only fits noise no longer pays [3]_, given the columns,
        the rows and the noise as it is estimated then. It needs no search. In a
        new network of several hidden layers, or whose columns have eigenvalues
        ("in", "both", "inputs"), it rises linearly to this rule over the first
        20 % of the planned training, if the schedule has an end.
        Without hidden layers it is 0. The sum of `sample_weight` counts as the
        number of rows, so all weights times ten mean ten times the data. A warm
        start goes on from the penalty there is. `partial_fit` takes the noise
        from the rows of the call, before it trains on them, and adds up the rows
        of all calls: it is for rows that come once; for several passes over one
        table use `fit`.
    alpha_factor : float > 0 or "auto", default="auto"
        Factor on the penalty of alpha="auto", the one thing to search there. At 1
        next to nothing of pure noise survives; smaller factors keep more nodes.
        "auto" is 0.5, but 0.25 for each of several networks of a regressor: their mean
        has less variance than one of them, so more nodes pay. Classifiers lose by that
        on tables of few rows. Ignored where `alpha` is a number.
    noise_cv : int, splitter, iterable or None, default=None
        How alpha="auto" tells the noise. None: by the residuals of the training
        rows, less what the parameters in use have fitted. Folds, as
        :func:`sklearn.model_selection.check_cv` takes them: by the loss of held-out
        rows. A network is then trained without each fold, before the one on all
        rows. That takes two to eight times as long, and a copy of the rows for each
        fold. It is for rows that belong together (``GroupKFold()``, with `groups` in
        ``fit``), and for tables whose score gains by it. A warm start keeps the noise
        of the first fit, and `partial_fit` goes by the rows of the call.
    alpha_phi : float >= 0 or None, default=None
        Penalty on the eigenvectors. None uses `alpha`; "auto" allows nothing else.
    alpha_lambda : float >= 0 or None, default=None
        Penalty on the eigenvalues. None uses `alpha`; "auto" allows nothing else.
    relevance_threshold : float in [0, 1), default=0.05
        A node is alive if its relevance is above this fraction of the largest in
        its layer, and above 1e-4 of the largest at the start of training. A column is
        if its importance is above this fraction of the largest.
    solver : {"adam", "sgd"}, torch optimiser class or partial of one, default="adam"
        "adam" is :class:`torch.optim.Adam` with betas (0.9, 0.99). Its memory is
        shorter than torch's default, so sizes settle in fewer steps. "sgd" is
        plain stochastic gradient descent, with which sizes hardly settle.
    learning_rate : {"onecycle", "cosine", "constant", "adaptive"}, default="onecycle"
        "onecycle" rises linearly over the first tenth of the steps, then falls to
        zero along half a cosine. "cosine" has the fall alone. Both run to their
        end. "constant" and "adaptive" are as in scikit-learn's MLP and stop by
        `tol` and `n_iter_no_change`; "adaptive" divides the rate by 5 before it
        stops. A :class:`skorch.callbacks.LRScheduler` in `callbacks` replaces
        the schedule.
    learning_rate_init : float > 0, default=0.02
        Largest learning rate of the schedule. Use about 1e-3 with "constant",
        "adaptive" and `partial_fit`.
    batch_size : int >= 1 or "auto", default="auto"
        Rows per step. "auto" is a hundredth of the rows, but at least 200 (or all
        rows, if there are fewer) and at most 1,000.
    max_iter : int >= 1 or "auto", default="auto"
        Largest number of epochs. For schedules with an end "auto" repeats them in
        cycles of 1,500, 3,000, 6,000, 12,000 and 24,000 steps (fewer below 1,000
        rows). Training stops after a cycle that left size and penalised loss as they
        were, to 5 %, or in which the last node died. Several networks (`n_members`) have
        shorter cycles, 1,500, 2,000, 3,000 steps and on to 15,000, and also stop after
        one that left their loss as it was to 2 %, whatever their size. For the other
        schedules "auto" is 200 epochs. A number is one run of the schedule over so many
        epochs.
    time_limit : float > 0 or None, default=None
        Seconds of training. Schedules with an end reach it within this time,
        however many epochs are planned. The epoch in which the time runs out is
        cut short, and counts as one. To judge the size takes up to a tenth more.
        With `noise_cv` each network has an equal share of the seconds.
    shuffle : bool, default=True
        Whether each epoch draws a new order of the rows. If all rows form one
        batch, the order stays.
    tol : float >= 0, default=1e-4
        Smallest change of loss or score that counts.
    early_stopping : bool, default=False
        Measure R2 of validation rows after each epoch and restore the best epoch.
        Schedules with an end run to it, and restore an earlier epoch only if it
        is better than the last by more than `tol`. The others stop after
        `n_iter_no_change` epochs without progress.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the rows held out for `early_stopping`. A warm start to the same rows
        holds out the same ones.
    n_iter_no_change : int >= 1 or inf, default=10
        Epochs without progress that "constant" and "adaptive" allow.
    random_state : int, RandomState instance or None, default=None
        Source of the initial weights, the order of the rows and the choice of
        held-out rows. Give an int to get the same result each time. Of several
        networks each draws its initial weights from a seed of its own; the order of
        the rows is one for all.
    warm_start : bool, default=False
        Whether `fit` continues from the weights of the last fit, with a new
        schedule and a new optimiser. Device and dtype stay as they were, and so
        does the scale of `y` or the list of classes.
    shrink : bool, default=True
        Whether relu nodes that have died are removed from the network between
        epochs. This makes training a wide network about as fast as training a
        narrow one. A node is removed once no training row can activate it and
        little is left of its weights, so the others train as they would have, up
        to rounding. Nodes keep their numbers from `hidden_layer_sizes`, while
        `module_` and `coefs_` hold only the nodes that are left. Nothing is
        removed if there are `callbacks`, which may hold on to parameters.
    normalize_y : bool, default=True
        Whether each output is centred and scaled by its weighted mean and standard
        deviation. Then `alpha` has no unit, and a fit to ``a * y + b``, a > 0,
        predicts a times what a fit to `y` predicts, plus b.
    device : {"auto", "cpu", "cuda", "cuda:<index>"}, default="auto"
        Where to train. "auto" takes CUDA if there is one and the network is large
        enough to gain from it, but not in worker processes.
    dtype : {"auto", "float32", "float64"}, default="auto"
        Precision of the weights. "auto" is float64 below 1,000 rows of up to 500,000
        values on a CPU, and float32 otherwise.
    n_threads : int >= 1, "auto" or None, default="auto"
        Torch threads during training, on a CPU. "auto" counts the multiply-adds
        of a forward pass over a batch: one thread below 40 million, from there
        on one for every 20 million, at most as many as torch has. Outside the
        main thread it is one, and in a forked process, whatever is given. None
        leaves torch's setting. Another number of threads rounds differently; fix
        it if results must be the same on machines with different numbers of cores.
    callbacks : list or None, default=None
        skorch callbacks, as instances or (name, instance) pairs. They are copied
        before use.
    verbose : bool or int, default=False
        1 or True shows epoch, loss, alive nodes and the time left: as a bar in
        terminals and notebooks, in about ten lines elsewhere. 2 prints a line per
        epoch.

    Attributes
    ----------
    feature_relevance_ : list of ndarray of shape (n_nodes,)
        Relevance of each node, one array per hidden layer: the norm of the node's
        row of effective weights, which is
        :math:`|\lambda^{out}_i| \, \|\phi_i\|` for eigenvalues="out". Zero for
        nodes that were removed.
    n_alive_nodes_ : list of int
        Number of alive nodes per hidden layer: the size left at this penalty. 0 where a
        layer has died: the network is then a constant, or linear with `skip`.
    size_settled_ : bool or None
        Whether training was long enough for this penalty. It does not tell whether
        the penalty suits the data. None if no hidden layer is spectral, if no
        trained factor of the hidden nodes is penalised, and after `partial_fit`.
    alpha_ : float
        The penalty at the end of training.
    alpha_factor_ : float or None
        The factor on the penalty that followed the noise; None where `alpha` is a
        number, and without hidden layers.
    noise_variance_ : float, ndarray or None
        The noise that alpha="auto" found, in units of y squared, ndarray of shape (`n_outputs_`,)
        where there are several outputs.
        None where `alpha` is a number, and without hidden layers.
    member_sizes_ : list of list of int
        `n_alive_nodes_` of each network before they were folded, where `n_members` is
        above 1, like the next two. Their sum may differ a little from `n_alive_nodes_`,
        for which nodes are compared with the largest of all networks.
    member_alphas_ : ndarray of shape (`n_members`,)
        The penalty of each network at the end of training.
    member_settled_ : list of (bool or None)
        `size_settled_` of each network.
    restart_gain_ : float or None
        Share of the penalised loss of the first network that `n_restarts` saved, the
        median of several networks; None without restarts.
    node_indices_ : list of ndarray of int
        Numbers of the nodes that are still in the network, one array per hidden
        layer, counted as in `hidden_layer_sizes`.
    feature_importances_ : ndarray of shape (`n_features_in_`,)
        Importance of each column: the sum, over all paths from the column to the
        outputs, of the product of absolute weights, times the standard deviation
        of the column. A linear skip is one more path to each output. Normalised to sum
        1; zeros for a constant network.
    alive_features_ : bool ndarray of shape (`n_features_in_`,)
        Columns whose importance exceeds the share `relevance_threshold` of the
        largest: always some, unless the network is constant. With
        eigenvalues="inputs" that of the others goes to zero, but not all the way
        with `skip` or trainable="eigenvalues". `size_settled_` is about nodes, not
        about columns.
    coefs_ : list of ndarray of shape (n_in, n_out)
        Effective weights of the layers in units of y, without a linear skip.
    intercepts_ : list of ndarray of shape (n_out,)
        Biases of the layers in units of y.
    skip_coef_ : ndarray of shape (`n_outputs_`, `n_features_in_`) or None
        V, the linear skip, in the units of `coefs_`; None without `skip`.
    loss_curve_ : list of float
        Penalised loss per epoch, in units of the standardised target.
    best_loss_ : float or None
        Smallest value of `loss_curve_`; None with `early_stopping`. With
        alpha="auto" it is that of the data term alone, as the penalty moves.
    validation_scores_ : list of float or None
        R2 of the validation rows, weighted, per epoch; None without `early_stopping`.
    best_validation_score_ : float or None
        Largest value of `validation_scores_`; None without `early_stopping`.
    n_iter_ : int
        Number of epochs trained.
    t_ : int
        Number of rows seen in training, counted again in each epoch.
    n_layers_ : int
        Number of layers, input and output included.
    n_outputs_ : int
        Number of outputs.
    out_activation_ : str
        Activation of the output layer.
    y_mean_, y_scale_ : ndarray of shape (`n_outputs_`,)
        What is subtracted from each output, and what it is then divided by; 0 and
        1 without `normalize_y`.
    device_ : str
        Device on which the network was trained.
    n_features_in_ : int
        Number of columns seen in `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, if all are strings.
    net_ : skorch.NeuralNet
        What trains the network, with its history and callbacks.
    module_ : skspectral.nn.SpectralMLP
        The trained network, in standardised units.

    See Also
    --------
    SpectralMLPClassifier : The same for classes.
    SpectralMLPRegressorCV : Choose `alpha` by cross-validation.
    skspectral.nn.SpectralLinear : The layer.

    Notes
    -----
    After training that was too short for this penalty, nodes that are still on their
    way to zero count as alive: `fit` warns with ConvergenceWarning, and
    `size_settled_` is False.

    In data without noise alpha="auto" falls towards 0: next to nothing switches nodes
    off, and the size does not settle. Give `alpha` as a number there.

    References
    ----------
    .. [1] L. Giambagli, L. Buffoni, L. Chicchi, D. Fanelli, "How a student
       becomes a teacher: learning and forgetting through spectral methods",
       NeurIPS 2023, arXiv:2310.12612.
    .. [2] L. Buffoni, E. Civitelli, L. Giambagli, L. Chicchi, D. Fanelli,
       "Spectral pruning of fully connected layers", Scientific Reports 12,
       11201 (2022), https://doi.org/10.1038/s41598-022-14805-7.
    .. [3] C. Giacobino, S. Sardy, J. Diaz-Rodriguez, N. Hengartner, "Quantile
       universal threshold", Electronic Journal of Statistics 11 (2017),
       https://doi.org/10.1214/17-EJS1366.
    .. [4] I. Lemhadri, F. Ruan, L. Abraham, R. Tibshirani, "LassoNet: a neural
       network with feature sparsity", Journal of Machine Learning Research 22
       (2021), 1-29.

    Examples
    --------
    >>> import numpy as np
    >>> from skspectral import SpectralMLPRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(200, 2))
    >>> y = np.abs(X[:, 0]) + rng.normal(scale=0.3, size=200)
    >>> reg = SpectralMLPRegressor(random_state=0).fit(X, y)
    >>> reg.n_alive_nodes_
    [2]
    >>> reg.score(X, y) > 0.7
    True
    """

    _parameter_constraints: dict = {
        **BaseSpectralMLP._parameter_constraints,
        "normalize_y": ["boolean"],
    }

    _target: NumberTarget

    def __init__(
        self,
        hidden_layer_sizes="auto",
        *,
        activation="relu",
        fit_intercept=True,
        skip=False,
        parametrization="spectral",
        eigenvalues="out",
        trainable="all",
        n_members=1,
        n_restarts=0,
        alpha="auto",
        alpha_factor="auto",
        noise_cv=None,
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
        self.skip = skip
        self.parametrization = parametrization
        self.eigenvalues = eigenvalues
        self.trainable = trainable
        self.n_members = n_members
        self.n_restarts = n_restarts
        self.alpha = alpha
        self.alpha_factor = alpha_factor
        self.noise_cv = noise_cv
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

    def _scaled_target(self, target, rows):
        # from the rows that count: those of zero weight are gone by now
        return target.scaled_by(rows) if self.normalize_y else target

    @available_if(goes_on_from_one_network)
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, sample_weight=None):
        """Train for one epoch at the constant rate `learning_rate_init`.

        The first call sets the scale of `y`, the dtype and the device.

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
            If `early_stopping` is set, columns or outputs differ from those of the
            first call, or the parameters describe another network.
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
        check_is_fitted(self)
        return self._decoded(X, self._target.decode)
