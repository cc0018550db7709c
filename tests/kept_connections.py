"""The live server's threads take turns at a few kept connections, as a deployment's do: a thread of its own for every
connection of the browser would begin with a fresh backend, which takes longer to fill its caches than to answer.
"""

import contextlib
import threading
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer
from django.db import connections

# One set of connections (by alias) for each thread that answered at the same time as others.
_idle: list[dict[str, Any]] = []
_lock = threading.Lock()


def keep() -> None:
    """From now on."""
    answer = ThreadedWSGIServer.process_request_thread

    def process_request_thread(self: Any, request: Any, client_address: Any) -> None:
        with _lock:
            taken = _idle.pop() if _idle else {}
        for alias, connection in taken.items():
            connections[alias] = connection
        answer(self, request, client_address)

    ThreadedWSGIServer.process_request_thread = process_request_thread  # type: ignore[method-assign]  # Django has no hook
    ThreadedWSGIServer._close_connections = lambda self: _give_back()  # type: ignore[attr-defined]  # "for mocking in tests"


def close() -> None:
    with _lock:
        for taken in _idle:
            for connection in taken.values():
                connection.close()
        _idle.clear()


def _give_back() -> None:
    """What this thread has opened, unless it was left in the middle of something."""
    given = {}
    for connection in connections.all(initialized_only=True):
        if connection.in_atomic_block or connection.connection is None:
            connection.close()
            continue
        if not connection.allow_thread_sharing:
            connection.inc_thread_sharing()
        given[connection.alias] = connection
        with contextlib.suppress(AttributeError):
            del connections[connection.alias]
    if given:
        with _lock:
            _idle.append(given)
