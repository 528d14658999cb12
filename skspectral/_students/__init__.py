"""Students: small networks that learn what another model predicts."""

# SPDX-License-Identifier: BSD-3-Clause
