# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker with a short visibility timeout, so that a test need not wait an hour. Only for a Redis of its own."""

from src.app import celery

# A worker looks for such messages when it starts, and then every 100 seconds.
celery.conf.broker_transport_options = {"visibility_timeout": 1}
