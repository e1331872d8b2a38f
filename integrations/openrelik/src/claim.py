# SPDX-License-Identifier: GPL-3.0-or-later
"""One run for each task, however often its message is delivered."""

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar
from uuid import uuid4

import redis
from celery import Task
from celery.exceptions import Ignore
from celery.states import READY_STATES

logger = logging.getLogger(__name__)

#: A claim that nobody renews ends after this time: its process is dead.
CLAIM_SECONDS = 15
RENEW_SECONDS = 4
#: How long a lost connection to Redis is waited for.
PATIENCE_SECONDS = 600

# Renews a claim, and takes it again where Redis lost it. Returns 0 if somebody else holds it.
RENEW = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
return 1
"""
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

T = TypeVar("T")


class Claim:
    """The right to run a task. It is renewed until it is released, or until this process dies."""

    def __init__(self, client: redis.Redis, task_id: str) -> None:
        self.client = client
        self.key = key_of(task_id)
        self.token = uuid4().hex
        self._released = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="claim", daemon=True)

    def take(self) -> bool:
        # The second question matters where the answer to an earlier try was lost with the connection.
        return bool(self.client.set(self.key, self.token, nx=True, ex=CLAIM_SECONDS)) or self.held()

    def held(self) -> bool:
        return self.client.get(self.key) == self.token

    def renew(self) -> bool:
        """Returns whether the claim is still held. One that Redis lost is taken again."""
        return bool(self.client.eval(RENEW, 1, self.key, self.token, str(CLAIM_SECONDS)))

    def release(self) -> None:
        self._released.set()
        try:
            self.client.eval(RELEASE, 1, self.key, self.token)
        except redis.RedisError as error:
            logger.warning("The claim ends in %s seconds; it could not be released: %s", CLAIM_SECONDS, error)

    def keep(self) -> None:
        """Renews the claim until it is released."""
        self._thread.start()

    def _keep(self) -> None:
        while not self._released.wait(RENEW_SECONDS):
            try:
                self.renew()
            except redis.RedisError as error:
                logger.warning("The claim could not be renewed: %s", error)


def claim(task: Task, client: redis.Redis) -> Claim:
    """Returns the claim of this message's task, as soon as nobody else has it.

    A second delivery of a message waits while the first one runs. If the first one is answered, the second one is
    ignored. If the first one dies, the second one runs: to ignore it before would lose the task.
    """
    taken = Claim(client, task.request.id)
    while not patiently(lambda: answered(task)):
        if patiently(taken.take):
            # The first delivery may have been answered between the two questions.
            if not patiently(lambda: answered(task)):
                taken.keep()
                return taken
            taken.release()
            break
        time.sleep(0.5)
    logger.info("Task %s has an answer already. Its message was delivered again and is ignored.", task.request.id)
    raise Ignore


def key_of(task_id: str) -> str:
    return f"openrelik-worker-hivemend:claim:{task_id}"


def claimed(client: redis.Redis, task_id: str) -> bool:
    return bool(client.exists(key_of(task_id)))


def answered(task: Task) -> bool:
    return task.AsyncResult(task.request.id).state in READY_STATES


def patiently(ask: Callable[[], T], seconds: float = PATIENCE_SECONDS) -> T:
    """Repeats a question to Redis while Redis is away."""
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except (redis.ConnectionError, redis.TimeoutError) as error:
            if time.monotonic() >= until:
                raise
            logger.warning("Redis does not answer, trying again: %s", error)
            time.sleep(1)
