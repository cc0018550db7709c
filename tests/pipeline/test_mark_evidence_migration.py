"""Marks of before pipeline 0033 keep what they said when a database that has rows is migrated.

A copy of the migrated database is taken back by that one migration, gets rows as they were then, and goes forward.
"""

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connections
from django.db.migrations.loader import MigrationLoader
from psycopg2 import sql

from otc.tenancy.context import use
from pipeline.opportunities.models import OpportunityMilestone
from pipeline.opportunities.services import opportunity_create
from pipeline.process.models import Milestone
from tests.cluster import superuser_connection, worker_database
from tests.conftest import House, build_elsewhere, build_house
from tests.databases import connected_to, copy_template

TESTED = ("pipeline", "0033_mark_evidence")
MARKED_AT = datetime(2026, 5, 4, 9, tzinfo=UTC)
# What stood in the note, whether one of ours marked it; what then stands in ticked_by and note.
ROWS = (
    ("by Lena Vogt via close plan", False, "Lena Vogt", ""),
    ("by Zoë <b> via close plan via close plan", False, "Zoë <b> via close plan", ""),
    (f"by {'x' * 200} via close plan", False, "x" * 200, ""),
    ("by Lena Vogt via close plan", True, "", "by Lena Vogt via close plan"),
    ("by phone", False, "", "by phone"),
    ("", False, "", ""),
)


@pytest.fixture
def migrated(django_db_setup: None, django_db_blocker: Any) -> Iterator[Callable[[], None]]:
    """Both roles' connections lead to a database that stands before the migration; call it to migrate."""
    name = f"{worker_database()}_before"
    with (
        contextlib.closing(superuser_connection()) as server,
        server.cursor() as cursor,
        django_db_blocker.unblock(),
    ):
        copy_template(name)
        try:
            with connected_to(name):
                loader = MigrationLoader(connections["owner"])
                migration = loader.get_migration(*TESTED)
                before = loader.project_state(TESTED, at_end=False)
                with connections["owner"].schema_editor() as editor:
                    migration.unapply(before.clone(), editor)

                def forward() -> None:
                    with connections["owner"].schema_editor() as editor:
                        migration.apply(before.clone(), editor)

                yield forward
        finally:
            cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def mark_as_then(house: House, person_id: Any) -> dict[Any, tuple[str, str]]:
    """A deal with its milestones marked as ROWS say; what each is to say afterwards, by milestone."""
    with use(house.organization.id, person_id=person_id, channel="ui"):
        deal = opportunity_create(name="Kestrel", owner_id=person_id, now=MARKED_AT).opportunity
        milestones = list(
            Milestone.objects.order_by("stage__position", "position").values_list("id", flat=True)
        )
    expected = {}
    with (
        contextlib.closing(superuser_connection(connections["owner"].settings_dict["NAME"])) as server,
        server.cursor() as cursor,
    ):
        for milestone_id, (note, is_ours, ticked_by, kept) in zip(milestones, ROWS, strict=False):
            cursor.execute(
                "INSERT INTO pipeline_opportunitymilestone"
                " (organization_id, opportunity_id, milestone_id, met_at, marked_by_id, note)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                [
                    *map(str, (house.organization.id, deal.id, milestone_id)),
                    MARKED_AT,
                    str(person_id) if is_ours else None,
                    note,
                ],
            )
            expected[milestone_id] = (ticked_by, kept)
    assert len(expected) == len(ROWS)
    return expected


def test_what_a_recipient_ticked_bears_the_name_and_every_other_note_stays(
    migrated: Callable[[], None],
) -> None:
    house, elsewhere = build_house(), build_elsewhere()
    expected = [
        (house, mark_as_then(house, house.ana.id)),
        (elsewhere, mark_as_then(elsewhere, elsewhere.zoe.id)),
    ]
    migrated()
    for one, marks in expected:
        with use(one.organization.id):
            found = {mark.milestone_id: mark for mark in OpportunityMilestone.objects.all()}
        assert {key: (mark.ticked_by, mark.note) for key, mark in found.items()} == marks
        assert {(mark.url, mark.noted_by_id, mark.noted_at) for mark in found.values()} == {("", None, None)}
        assert {mark.met_at for mark in found.values()} == {MARKED_AT}
