"""Tables as users have them: what each column holds, and one dtype for it."""

# SPDX-License-Identifier: BSD-3-Clause
