# SPDX-License-Identifier: GPL-3.0-or-later
"""The OpenRelik worker for hivemend."""
