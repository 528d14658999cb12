"""Teacher-student studies: matched nodes, path statistics, scorers."""

# SPDX-License-Identifier: BSD-3-Clause
