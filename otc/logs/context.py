"""Which request and which job does this thread work on? Every log line and audit entry says so."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from uuid import UUID, uuid4

# What a proxy may hand in: enough for every tracing header, too little to forge a second log line.
ACCEPTABLE = re.compile(r"[A-Za-z0-9._-]{8,64}\Z")

_request_id: ContextVar[str] = ContextVar("otc_request_id", default="")
_job_id: ContextVar[str] = ContextVar("otc_job_id", default="")


def current_request_id() -> str:
    """The id of the request being served, or the empty string outside of one."""
    return _request_id.get()


def current_job_id() -> str:
    """The id of the job being done, or the empty string outside of one."""
    return _job_id.get()


def acceptable_request_id(offered: str) -> str:
    """The proxy's id where it is a harmless one, else a new one of 32 hex digits."""
    return offered if ACCEPTABLE.match(offered) else uuid4().hex


@contextmanager
def serving(request_id: str) -> Iterator[None]:
    """Name the request for everything logged inside."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)


@contextmanager
def doing(job_id: UUID) -> Iterator[None]:
    """Name the job for everything logged inside."""
    token = _job_id.set(str(job_id))
    try:
        yield
    finally:
        _job_id.reset(token)
