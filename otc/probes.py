"""Is the process alive, and is it ready to serve? For health checks and whoever runs the house."""

from collections.abc import Callable
from functools import cache

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.http import HttpRequest, HttpResponse, JsonResponse

OK = "ok"


def alive(request: HttpRequest) -> HttpResponse:
    """The process answers. Silent about database and broker, so that no probe restarts a healthy web."""
    return HttpResponse("ok\n", content_type="text/plain")


def ready(request: HttpRequest) -> JsonResponse:
    """200 when database, broker and migrations are as they should be, else 503; which part isn't stands in the body.

    With a dead broker pages still work and jobs wait for the sweep: route traffic by /healthz, alarm by this.
    The body names no host and no version, as anybody may ask.
    """
    found = {name: _asked(question) for name, question in PARTS.items()}
    is_ready = all(answer == OK for answer in found.values())
    response = JsonResponse(found, status=200 if is_ready else 503)
    response["Cache-Control"] = "no-store"
    return response


def _asked(question: Callable[[], str]) -> str:
    try:
        return question()
    except (DatabaseError, redis.RedisError, OSError):
        return "does not answer"


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return OK


def _broker() -> str:
    with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as broker:
        broker.ping()
    return OK


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    """What this code brings; read from disk once a process."""
    return frozenset(MigrationLoader(None).disk_migrations)


def _migrations() -> str:
    """A database that is ahead of the code is fine: it was migrated before the new code came up."""
    waiting = _known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    return f"{len(waiting)} not applied" if waiting else OK


PARTS: dict[str, Callable[[], str]] = {"database": _database, "broker": _broker, "migrations": _migrations}
