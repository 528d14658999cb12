"""Networks cut down to the size that validation asks for."""

# SPDX-License-Identifier: BSD-3-Clause
