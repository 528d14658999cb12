"""The regressor and the classifier, and what they are made of."""

# SPDX-License-Identifier: BSD-3-Clause
