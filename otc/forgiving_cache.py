"""A Redis cache whose loss nobody notices: while the server is away, reads miss and writes are dropped."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

log = logging.getLogger(__name__)
AWAY = (RedisConnectionError, RedisTimeoutError)


class ForgivingClient(RedisCacheClient):
    """Answers like an empty cache when Redis can't be reached."""

    def _or(self, absent: Any, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except AWAY as away:
            log.warning("the cache is away: %s", away)
            return absent

    def add(self, key: str, value: Any, timeout: int | None) -> bool:
        return self._or(True, lambda: super(ForgivingClient, self).add(key, value, timeout))

    def get(self, key: str, default: Any) -> Any:
        return self._or(default, lambda: super(ForgivingClient, self).get(key, default))

    def set(self, key: str, value: Any, timeout: int | None) -> None:
        self._or(None, lambda: super(ForgivingClient, self).set(key, value, timeout))

    def touch(self, key: str, timeout: int | None) -> bool:
        return self._or(False, lambda: super(ForgivingClient, self).touch(key, timeout))

    def delete(self, key: str) -> bool:
        return self._or(False, lambda: super(ForgivingClient, self).delete(key))

    def get_many(self, keys: list[str]) -> dict[str, Any]:
        return self._or({}, lambda: super(ForgivingClient, self).get_many(keys))

    def has_key(self, key: str) -> bool:
        return self._or(False, lambda: super(ForgivingClient, self).has_key(key))

    def incr(self, key: str, delta: int) -> int:
        return self._or(delta, lambda: super(ForgivingClient, self).incr(key, delta))

    def set_many(self, data: dict[str, Any], timeout: int | None) -> None:
        self._or(None, lambda: super(ForgivingClient, self).set_many(data, timeout))

    def delete_many(self, keys: list[str]) -> None:
        self._or(None, lambda: super(ForgivingClient, self).delete_many(keys))

    def clear(self) -> bool:
        return self._or(False, lambda: super(ForgivingClient, self).clear())


class ForgivingRedisCache(RedisCache):
    """Django's Redis cache, except that pages go on without it."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = ForgivingClient
