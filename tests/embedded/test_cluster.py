"""The tests' own ground: both roles, the worker's database, rollback and truncation."""

import pytest
from django.contrib.contenttypes.models import ContentType
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection, connections
from django.utils import timezone

from tests.cluster import worker_database


def _attributes_of_role() -> tuple[str, bool, bool]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        return cursor.fetchone()


def test_ordinary_tests_run_in_the_applications_role(db):
    assert _attributes_of_role() == ("otc_app", False, False)
    assert connection.settings_dict["NAME"] == worker_database()


def test_the_application_owns_no_table(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tableowner <> 'otc_owner'"
        )
        assert cursor.fetchall() == []


def test_without_a_context_the_organization_is_the_nil_uuid(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('otc.organization')::uuid")
        assert cursor.fetchone()[0].int == 0


@pytest.mark.django_db(databases=["default", "owner"])
def test_the_owner_is_no_superuser_and_cannot_bypass():
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT rolname, rolsuper, rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == ("otc_owner", False, False)


@pytest.mark.parametrize("turn", [1, 2])
def test_a_committed_row_is_gone_before_the_next_test(turn, transactional_db):
    assert Session.objects.count() == 0
    Session.objects.create(session_key=f"turn-{turn}", session_data="", expire_date=timezone.now())


def test_content_types_survive_the_truncation(transactional_db):
    assert ContentType.objects.exists()


def test_the_cache_is_a_real_valkey():
    cache.set("otc:test", "there", 5)
    assert cache.get("otc:test") == "there"
    assert cache.incr("otc:count") if cache.add("otc:count", 1, 5) else True
