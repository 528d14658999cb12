"""Networks along a rising penalty, and the choice among them."""

# SPDX-License-Identifier: BSD-3-Clause
