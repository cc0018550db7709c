"""Connection settings from URLs, as Django, Celery and redis-py each want them. Standard library only."""

from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ENGINE = "django.db.backends.postgresql"


def database_from_url(url: str) -> dict[str, Any]:
    """Django's dict for `postgres://user:password@host:port/name?option=value`.

    A socket folder goes into `host` of the query: `postgres:///otc?host=/run/postgresql`. Every other query
    value becomes a connection option of libpq, for example `sslmode`.

    >>> database_from_url("postgres://ana:pw@db:5433/otc?sslmode=require")["OPTIONS"]
    {'sslmode': 'require'}
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError("a database URL starts with postgres:// or postgresql://")
    options = dict(parse_qsl(parts.query))
    return {
        "ENGINE": ENGINE,
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": options.pop("host", parts.hostname or ""),
        "PORT": str(parts.port or options.pop("port", "")),
        "OPTIONS": options,
    }


def broker_url(redis_url: str) -> str:
    """Kombu's spelling of a Redis URL: a socket is `redis+socket://` there and `unix://` in redis-py.

    >>> broker_url("unix:///tmp/valkey.sock?db=3")
    'redis+socket:///tmp/valkey.sock?virtual_host=3'
    """
    scheme, separator, rest = redis_url.partition("://")
    if scheme != "unix":
        return redis_url
    return f"redis+socket{separator}{rest}".replace("?db=", "?virtual_host=")
