"""Activities from a file: calls, mails, meetings and notes of deals that are there."""

from collections.abc import Mapping
from hashlib import blake2b

from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.names import create_names, join_name, look_up, prepare_names
from otc.imports.staging import mark_unchanged
from otc.imports.targets import Written, choose_ids, insert_new, update_changed
from pipeline.imports.followup import refresh_health
from pipeline.imports.references import PERSON, match_deals

COLUMNS = (
    Column("external_id", is_required=True),
    Column("activity_id"),
    Column("at", ColumnType.INSTANT, is_required=True),
    Column("kind", max_length=20),
    Column("direction", ColumnType.CHOICE, choices=("in", "out")),
    Column("subject", max_length=500),
    Column("person", ColumnType.NAME),
)
WRITTEN = {
    "opportunity_id": Written("external_id", "o.id"),
    "external_id": Written("external_id", "s.activity_id"),
    "at": Written("at", "s.at"),
    "kind": Written("kind", "coalesce(lower(s.kind), 'note')"),
    "direction": Written("direction", "coalesce(s.direction, '')"),
    "subject": Written("subject", "coalesce(s.subject, '')"),
    "person_id": Written("person", "n_person.id"),
}
JOINS = (
    "JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.external_id = s.external_id "
    + join_name("person")
)


class Activities:
    """external_id is the deal's. An activity is known by activity_id where the file has one, else by its row."""

    name = "activities"
    columns = COLUMNS
    keeps_others = False
    key_column = "external_id"
    creatable = frozenset({"person"})

    def key(self, values: Mapping[str, str | None]) -> str:
        if activity_id := values.get("activity_id"):
            return activity_id
        whole = "\x1f".join(values.get(column.name) or "" for column in COLUMNS)
        return f"row:{blake2b(whole.encode(), digest_size=16).hexdigest()}"

    def resolve(self, job: ImportJob) -> None:
        match_deals(job)
        job.refuse("external_id", "'there is no deal “' || s.external_id || '”'", "s.target_id IS NULL")
        job.refuse("at", "'lies in the future'", "s.at > %(now)s")
        # From here on the target is the activity itself.
        job.sql("UPDATE import_stage SET target_id = NULL")
        job.sql(
            "UPDATE import_stage s SET target_id = t.id FROM pipeline_activity t "
            "WHERE t.organization_id = %(organization)s AND t.external_id = s.activity_id "
            "AND s.refused_reason IS NULL"
        )
        mark_unchanged(job, kind=self, needs_target="activity_id" in job.present)
        choose_ids(job)
        prepare_names(job)
        look_up(job, PERSON)

    def apply(self, job: ImportJob) -> None:
        create_names(job, PERSON)
        added = WRITTEN | {"created_at": Written("at", "%(now)s")}
        insert_new(job, table="pipeline_activity", columns=added, joins=JOINS)
        update_changed(job, table="pipeline_activity", columns=WRITTEN, joins=JOINS)
        refresh_health(job)
