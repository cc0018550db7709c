"""Pages go on while Redis is away."""

import pytest
from django.core.cache.backends.redis import RedisCacheClient

from otc.forgiving_cache import ANSWERS_WITHOUT_SERVER, ForgivingRedisCache


@pytest.fixture
def cache_without_server(tmp_path):
    return ForgivingRedisCache(f"unix://{tmp_path}/nobody.sock", {})


def test_a_read_misses_and_a_write_is_dropped(cache_without_server):
    cache_without_server.set("key", 1)
    assert cache_without_server.get("key", "absent") == "absent"
    assert cache_without_server.get_many(["key"]) == {}
    assert cache_without_server.add("key", 1) is True
    assert cache_without_server.incr("key", 2) == 2
    assert "key" not in cache_without_server
    cache_without_server.set_many({"key": 1})
    cache_without_server.delete_many(["key"])
    assert cache_without_server.delete("key") is False
    cache_without_server.clear()


def test_every_operation_of_djangos_client_is_forgiving():
    inner = {"get_client"}
    assert {name for name in vars(RedisCacheClient) if name[0] != "_"} - inner == set(ANSWERS_WITHOUT_SERVER)
