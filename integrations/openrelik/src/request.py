# SPDX-License-Identifier: GPL-3.0-or-later
"""A task in the worker's main process."""

from typing import Any

from celery import signals
from celery.worker.request import Request

#: The object that holds the connection to Redis, also after it was made anew.
consumers: list[Any] = []


@signals.worker_ready.connect  # type: ignore[untyped-decorator]
def remember_consumer(sender: Any, **_: Any) -> None:
    consumers[:] = [sender]


class ReconnectingRequest(Request):  # type: ignore[misc]
    """Sends the event of a task's end also if Redis was restarted while the task ran.

    Celery 5.6 keeps the event dispatcher of the connection that delivered the message. After a restart of Redis that
    one is closed and drops events, so OpenRelik would never learn that the task has ended, nor register its outputs.
    """

    def send_event(self, type: str, **fields: Any) -> None:  # noqa: A002 (Celery's name)
        if consumers and consumers[0].event_dispatcher:
            self._eventer = consumers[0].event_dispatcher
        super().send_event(type, **fields)
