"""Ids come back as ids, the same object each time, also in arrays and where there is none."""

from uuid import UUID

import pytest
from django.db import connection

from otc.tenancy.uuids import uuid_read

pytestmark = pytest.mark.django_db
ONE = UUID("0198c0de-0000-7000-8000-000000000001")


def test_an_id_is_read_once() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::uuid, %s::uuid, NULL::uuid, ARRAY[%s::uuid, NULL]", [ONE, ONE, ONE])
        first, second, nothing, several = cursor.fetchone()
    assert first == ONE
    assert first is second is several[0] is uuid_read(str(ONE))
    assert nothing is None
    assert several[1] is None
