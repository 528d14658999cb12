"""What pruner and path estimators share: scores, choice of a size, the network inside."""

# SPDX-License-Identifier: BSD-3-Clause
