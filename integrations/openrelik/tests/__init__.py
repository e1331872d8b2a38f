# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests with a real Redis, a real worker process and real hives."""
