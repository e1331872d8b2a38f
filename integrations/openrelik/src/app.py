# SPDX-License-Identifier: GPL-3.0-or-later
"""The Celery application: how messages are taken, acknowledged and put back."""

import os
from typing import Any

import redis
from billiard.common import REMAP_SIGTERM
from celery import Celery, signals
from celery.utils.log import get_task_logger
from openrelik_worker_common.debug_utils import start_debugger

if os.getenv("OPENRELIK_PYDEBUG") == "1":
    start_debugger()

REDIS_URL = os.getenv("REDIS_URL") or "redis://localhost:6379/0"

#: How long a worker that must stop lets its tasks finish. `docker stop` kills after 10 seconds.
SOFT_SHUTDOWN_SECONDS = 5.0

celery = Celery(broker=REDIS_URL, backend=REDIS_URL, include=["src.tasks"])
celery.conf.update(
    # The message stays in Redis until the result is stored. If the worker dies, the task runs again.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    # A message that waits here cannot be run by another worker.
    worker_prefetch_multiplier=1,
    # A worker that is told to stop puts its tasks back at once. It needs REMAP_SIGTERM, too: see `check_environment`.
    worker_soft_shutdown_timeout=SOFT_SHUTDOWN_SECONDS,
    # A restart of Redis does not stop a running task.
    worker_cancel_long_running_tasks_on_connection_loss=False,
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Wait up to ten minutes for Redis before a result is given up.
    result_backend_transport_options={
        "retry_policy": {"max_retries": 300, "interval_start": 0.1, "interval_step": 0.5, "interval_max": 2}
    },
    # `visibility_timeout` keeps its default. It applies to every queue of a Redis, so a shorter one would run other
    # workers' long tasks twice.
)

redis_client = redis.Redis.from_url(REDIS_URL, decode_responses=True)

logger = get_task_logger(__name__)


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def check_environment(**_: Any) -> None:
    if REMAP_SIGTERM != "SIGQUIT":
        logger.warning(
            "REMAP_SIGTERM is %s, expected SIGQUIT: a worker that is stopped waits for its tasks to end, and is killed "
            "with them. Set REMAP_SIGTERM=SIGQUIT in the worker's environment.",
            REMAP_SIGTERM or "not set",
        )
