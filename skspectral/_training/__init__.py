"""The private skorch net and all that trains it."""

# SPDX-License-Identifier: BSD-3-Clause
