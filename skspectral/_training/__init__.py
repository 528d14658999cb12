"""The private skorch net and everything that trains it."""

# SPDX-License-Identifier: BSD-3-Clause
