"""A Redis cache whose loss nobody notices: while the server is away, reads miss and writes are dropped."""

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = logging.getLogger(__name__)

# Method of the client -> what it answers, given its arguments, as if the cache were empty.
ANSWERS_WITHOUT_SERVER: dict[str, Callable[..., Any]] = {
    "add": lambda key, value, timeout: True,
    "get": lambda key, default: default,
    "set": lambda key, value, timeout: None,
    "touch": lambda key, timeout: False,
    "delete": lambda key: False,
    "get_many": lambda keys: {},
    "has_key": lambda key: False,
    "incr": lambda key, delta: delta,
    "set_many": lambda data, timeout: None,
    "delete_many": lambda keys: None,
    "clear": lambda: False,
}


def _forgiving(name: str, answer: Callable[..., Any]) -> Callable[..., Any]:
    """The client's method, answering by itself when Redis can't be reached."""
    call = getattr(RedisCacheClient, name)

    @functools.wraps(call)
    def method(client: RedisCacheClient, *arguments: Any) -> Any:
        try:
            return call(client, *arguments)
        except (RedisConnectionError, RedisTimeoutError) as away:
            log.warning("the cache is away: %s", away)
            return answer(*arguments)

    return method


class SteadyClient(RedisCacheClient):
    """Keeps the client of the one server that there is: Django builds another for every question, and that takes
    longer than the answer.
    """

    @functools.cached_property
    def kept(self) -> Any:
        return super().get_client(write=True)

    def get_client(self, key: Any = None, *, write: bool = False) -> Any:
        return self.kept


ForgivingClient = type(
    "ForgivingClient",
    (SteadyClient,),
    {name: _forgiving(name, answer) for name, answer in ANSWERS_WITHOUT_SERVER.items()},
)


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, except that pages go on without it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient
