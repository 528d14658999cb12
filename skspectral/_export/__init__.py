"""Weights written as scikit-learn's MLP and as ONNX."""

# SPDX-License-Identifier: BSD-3-Clause
