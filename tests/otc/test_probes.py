"""Alive means the process answers; ready means database, broker and migrations are as they should be."""

import pytest
from django.db import connections
from django.test import Client

from otc import probes


def test_alive_asks_neither_database_nor_broker(client: Client, settings) -> None:
    """Without a database fixture a query would raise."""
    settings.REDIS_URL = "redis://127.0.0.1:1"
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_names_each_part(db: None, client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "broker": "ok", "migrations": "ok"}
    assert answer["Cache-Control"] == "no-store"


def test_a_dead_broker_is_told_without_its_address(db: None, client: Client, settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"database": "ok", "broker": "does not answer", "migrations": "ok"}


def test_a_dead_database_is_told_without_its_address(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probes, "connection", connections.create_connection("default"))
    monkeypatch.setitem(probes.connection.settings_dict, "HOST", "/nowhere")
    answer = client.get("/readyz")
    probes.connection.close()
    assert answer.status_code == 503
    assert answer.json()["database"] == answer.json()["migrations"] == "does not answer"
    assert b"nowhere" not in answer.content


def test_a_migration_that_is_not_applied_is_counted(
    db: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = probes._known_migrations() | {("otc", "9999_to_come")}
    monkeypatch.setattr(probes, "_known_migrations", lambda: known)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (503, "1 not applied")
