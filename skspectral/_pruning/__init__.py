"""Networks cut down to a size that validation chooses."""

# SPDX-License-Identifier: BSD-3-Clause
