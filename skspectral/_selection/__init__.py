"""Parts that pruner and path estimators share: folds, scores, choice of a size, the network."""

# SPDX-License-Identifier: BSD-3-Clause
