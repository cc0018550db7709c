"""What the survival test needs: jobs that count what they do, and Celery workers to be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

import redis
from django.db import connection

from otc.embedded import processes
from otc.embedded.places import CLONE
from otc.embedded.servers import ValkeyServer
from otc.jobs import registry
from otc.jobs.registry import job
from otc.jobs.tasks import sweep
from otc.tenancy.context import use

SECONDS_OF_WORK = 0.03


def register_kinds() -> None:
    """`count` adds one to its deal's amount."""

    @job("count")
    def count(subject: UUID | None) -> None:
        _add_one(subject)
        time.sleep(SECONDS_OF_WORK)


def _add_one(subject: UUID | None) -> None:
    """Not repeatable on purpose: whatever is done twice shows."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pipeline_opportunity SET amount_minor = coalesce(amount_minor, 0) + 1 WHERE id = %s",
            [str(subject)],
        )


def forget_kinds() -> None:
    registry._kinds.pop("count", None)


class Workers:
    """Celery processes of this test, each in a group of its own."""

    def __init__(self, *, folder: Path, valkey: ValkeyServer) -> None:
        self.log = (folder / "celery.log").open("ab")
        self.environment = os.environ | {
            "REDIS_URL": valkey.url,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        self.running: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        words = (
            "worker",
            "--concurrency",
            "2",
            "--loglevel",
            "error",
            "--without-gossip",
            "--without-mingle",
        )
        self.running.append(self._start(words))

    def _start(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        return processes.start(
            [sys.executable, "-W", "ignore", "-m", "celery", "-A", "tests.otc.survival_worker", *words],
            log=self.log,
            environment=self.environment,
            folder=CLONE,
        )

    def kill(self) -> None:
        """kill -9 for every worker and its children: no goodbye, no acknowledgement."""
        for process in self.running:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.running.clear()

    def close(self) -> None:
        self.kill()
        self.log.close()


class Sweeper:
    """The scheduler's call, made by the test itself so that it can be left out."""

    def __init__(self, *, is_on: bool) -> None:
        self.is_on = is_on

    def call(self) -> None:
        if self.is_on:
            sweep()


def flush(valkey: ValkeyServer) -> None:
    """Everything that the broker knows is gone."""
    redis.Redis(unix_socket_path=str(valkey.socket)).flushall()


def waiting(organization_id: UUID) -> int:
    """How many jobs are not done."""
    from otc.jobs.models import Job, JobState

    with use(organization_id):
        return Job.objects.filter(kind="count").exclude(state=JobState.DONE).count()
