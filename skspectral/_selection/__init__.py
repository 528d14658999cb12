"""Parts that pruner and CV estimators share: folds, scores, choice of a size, the network."""

# SPDX-License-Identifier: BSD-3-Clause
