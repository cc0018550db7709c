"""People from a file: who they are, and whom they report to."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from uuid import UUID

from otc.audit.services import audit_append
from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.names import Reference, create_names, join_name, look_up, new_names, prepare_names
from otc.imports.staging import mark_unchanged
from otc.imports.targets import (
    Written,
    choose_ids,
    insert_new,
    key_by_id_or_name,
    match_targets,
    update_changed,
)
from otc.tenancy.lines import lock_lines
from otc.tenancy.models import FOREVER, Role

# A first reporting line without `since` counts as always having been so.
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
PERSON_MATCHES = (
    "t.external_id = n.name",
    "t.name_folded = n.folded",
    "t.email <> '' AND lower(t.email) = n.folded",
)
CREATE_PERSON = (
    "INSERT INTO otc_person (organization_id, id, name, name_folded, email, title, territory, role, shown_currency, "
    "created_at) SELECT %(organization)s, n.id, n.name, n.folded, '', '', '', '{role}', '', %(now)s FROM {names}"
)
_PEOPLE_AND_NEW = (
    "(SELECT organization_id, id, external_id, name_folded, email FROM otc_person UNION ALL "
    "SELECT %(organization)s::uuid, target_id, external_id, name_folded, coalesce(email, '') FROM import_stage "
    "WHERE is_new AND refused_reason IS NULL)"
)
MANAGER = Reference(
    "manager",
    "person",
    _PEOPLE_AND_NEW,
    PERSON_MATCHES,
    CREATE_PERSON.format(role=Role.MANAGER, names=new_names("manager")),
)
COLUMNS = (
    Column("external_id"),
    Column("name", ColumnType.NAME, is_required=True),
    Column("email", max_length=254),
    Column("role", ColumnType.CHOICE, choices=tuple(Role.values)),
    Column("title"),
    Column("territory"),
    Column("manager", ColumnType.NAME),
    Column("is_top", ColumnType.BOOLEAN),
    Column("since", ColumnType.INSTANT),
    Column("joined_on", ColumnType.DATE),
    Column("left_on", ColumnType.DATE),
)
_NAMED_AS_MANAGER = (
    "EXISTS (SELECT FROM import_stage r JOIN import_name n ON n.column_name = 'manager' AND n.name = r.manager "
    "WHERE r.refused_reason IS NULL AND n.id = s.target_id)"
)
WRITTEN = {
    "external_id": Written("external_id", "s.external_id"),
    "name": Written("name", "s.name"),
    "name_folded": Written("name", "s.name_folded"),
    "email": Written("email", "coalesce(s.email, '')"),
    "role": Written("role", f"coalesce(s.role, CASE WHEN {_NAMED_AS_MANAGER} THEN 'manager' ELSE 'rep' END)"),
    "title": Written("title", "coalesce(s.title, '')"),
    "territory": Written("territory", "coalesce(s.territory, '')"),
    "joined_on": Written("joined_on", "s.joined_on"),
    "left_on": Written("left_on", "s.left_on"),
}
# An empty cell never changes who may do what, nor what somebody is known by.
KEPT = {
    "email": Written("email", "coalesce(s.email, t.email)"),
    "role": Written("role", "coalesce(s.role, t.role)"),
    "left_on": Written("left_on", "coalesce(s.left_on, t.left_on)"),
}


class People:
    """A person with `manager` reports to them. Without one they are a top when `is_top` says so or somebody
    reports to them; else they have no line, and their deals show as unassigned.
    """

    name = "people"
    columns = COLUMNS
    keeps_others = False
    key_column = "name"
    creatable = frozenset({"manager"})

    def key(self, values: Mapping[str, str | None]) -> str:
        return key_by_id_or_name(values)

    def resolve(self, job: ImportJob) -> None:
        lock_lines()
        match_targets(job, table="otc_person", noun="people")
        _match_by_email(job)
        mark_unchanged(job, kind=self)
        _refuse_taken_emails(job)
        choose_ids(job)
        prepare_names(job)
        look_up(job, MANAGER)
        job.refuse("is_top", "'a top has no manager'", "s.is_top AND s.manager IS NOT NULL")
        job.refuse(
            "since",
            "'lies before the end of an earlier reporting line'",
            "EXISTS (SELECT FROM otc_reportingline l WHERE l.organization_id = %(organization)s "
            "AND l.person_id = s.target_id AND l.valid_to <> %(forever)s AND l.valid_to > s.since)",
            forever=FOREVER,
        )
        while _refuse_orphans(job) or _refuse_cycles(job):
            pass
        _refuse_last_administrators(job)

    def apply(self, job: ImportJob) -> None:
        if create_names(job, MANAGER):
            _declare_new_managers_tops(job)
        added = {"created_at": Written("name", "%(now)s"), "shown_currency": Written("name", "''")}
        insert_new(job, table="otc_person", columns=WRITTEN | added)
        before = _access(job)
        update_changed(job, table="otc_person", columns=WRITTEN | KEPT)
        _note_access(job, before, _access(job))
        if job.present & {"manager", "is_top"}:
            _set_lines(job)


def _match_by_email(job: ImportJob) -> None:
    """A person whom nobody gave an id yet is known by e-mail too."""
    job.sql(
        "UPDATE import_stage s SET target_id = c.id FROM (SELECT s.line, t.id, "
        "count(*) OVER (PARTITION BY s.line) AS person_count, count(*) OVER (PARTITION BY t.id) AS row_count "
        "FROM import_stage s JOIN otc_person t ON t.organization_id = %(organization)s AND t.email <> '' "
        "AND lower(t.email) = lower(s.email) AND t.external_id IS NULL "
        "WHERE s.target_id IS NULL AND s.refused_reason IS NULL) c "
        "WHERE c.line = s.line AND c.person_count = 1 AND c.row_count = 1 "
        "AND NOT EXISTS (SELECT FROM import_stage o WHERE o.target_id = c.id)"
    )


def _refuse_taken_emails(job: ImportJob) -> None:
    """An e-mail is one person's: neither somebody else's here nor an earlier row's."""
    job.refuse(
        "email",
        "'belongs to “' || (SELECT min(t.name) FROM otc_person t WHERE t.organization_id = %(organization)s "
        "AND lower(t.email) = lower(s.email) AND t.id IS DISTINCT FROM s.target_id) || '”'",
        "EXISTS (SELECT FROM otc_person t WHERE t.organization_id = %(organization)s AND t.email <> '' "
        "AND lower(t.email) = lower(s.email) AND t.id IS DISTINCT FROM s.target_id)",
    )
    job.refuse(
        "email",
        "'stands on line ' || (SELECT min(f.line) FROM import_stage f "
        "WHERE lower(f.email) = lower(s.email)) || ' already'",
        "EXISTS (SELECT FROM import_stage f WHERE lower(f.email) = lower(s.email) AND f.line < s.line "
        "AND f.refused_reason IS NULL)",
    )


def _refuse_last_administrators(job: ImportJob) -> None:
    """Refuse rows that would leave nobody who signs in and administers the organization."""
    administers = (
        "a.organization_id = %(organization)s AND a.role = 'administrator' AND a.user_id IS NOT NULL "
        "AND a.left_on IS NULL"
    )
    gives_up = "({row}.role <> 'administrator' OR {row}.left_on IS NOT NULL)"
    job.refuse(
        "role",
        "'is the only administrator who signs in: appoint another first'",
        f"{gives_up.format(row='s')} AND EXISTS (SELECT FROM otc_person a WHERE {administers} AND a.id = s.target_id) "
        f"AND NOT EXISTS (SELECT FROM otc_person a WHERE {administers} AND NOT EXISTS (SELECT FROM import_stage r "
        "WHERE r.target_id = a.id AND r.refused_reason IS NULL AND NOT r.is_unchanged "
        f"AND {gives_up.format(row='r')}))",
    )


Access = dict[UUID, tuple[str, str, date | None]]


def _access(job: ImportJob) -> Access:
    """Name, role and last day of everybody who was there and whom a row is about."""
    rows = job.rows(
        "SELECT t.id, t.name, t.role, t.left_on FROM import_stage s JOIN otc_person t "
        "ON t.organization_id = %(organization)s AND t.id = s.target_id "
        "WHERE s.refused_reason IS NULL AND NOT s.is_unchanged AND NOT s.is_new ORDER BY s.line"
    )
    return {person: (name, role, left_on) for person, name, role, left_on in rows}


def _note_access(job: ImportJob, before: Access, after: Access) -> None:
    """One entry for what the file changed of who may do what."""
    roles = {name: f"{before[person][1]} to {role}" for person, (name, role, _) in after.items()
             if before[person][1] != role}  # fmt: skip
    days = {name: {"before": before[person][2], "after": left_on} for person, (name, _, left_on) in after.items()
            if before[person][2] != left_on}  # fmt: skip
    if roles or days:
        audit_append(
            "access.imported",
            subject_kind="import",
            subject_id=job.run_id,
            summary=f"A file changed the role of {len(roles):,} and the last day of {len(days):,} people",
            detail={"roles": roles, "left_on": days},
        )


def _refuse_orphans(job: ImportJob) -> int:
    """Refuse rows whose manager is only in a refused row of the file."""
    return job.refuse(
        "manager",
        "'the row of “' || s.manager || '” is refused'",
        "s.manager IS NOT NULL AND EXISTS (SELECT FROM import_name n JOIN import_stage m ON m.target_id = n.id "
        "WHERE n.column_name = 'manager' AND n.name = s.manager AND m.is_new AND m.refused_reason IS NOT NULL)",
    )


def _refuse_cycles(job: ImportJob) -> int:
    """Refuse rows that would make somebody report to themselves, directly or through others."""
    lines: dict[UUID, UUID | None] = dict(
        job.rows(
            "SELECT person_id, manager_id FROM otc_reportingline WHERE organization_id = %(organization)s "
            "AND valid_to = %(forever)s",
            forever=FOREVER,
        )
    )
    wanted = job.rows(
        f"SELECT s.line, s.target_id, n_manager.id FROM import_stage s {join_name('manager')} "
        "WHERE s.refused_reason IS NULL AND NOT s.is_unchanged AND s.manager IS NOT NULL"
    )
    lines |= {person: manager for _, person, manager in wanted}
    cyclic = [line for line, person, _ in wanted if leads_back(person, lines)]
    if not cyclic:
        return 0
    return job.refuse(
        "manager",
        "'would report to themselves through “' || s.manager || '”'",
        "s.line = ANY(%(lines)s)",
        lines=cyclic,
    )


def leads_back(person: UUID, lines: Mapping[UUID, UUID | None]) -> bool:
    """Does the way up from here come back here?"""
    seen, manager = set(), lines.get(person)
    while manager is not None and manager not in seen:
        if manager == person:
            return True
        seen.add(manager)
        manager = lines.get(manager)
    return False


def _declare_new_managers_tops(job: ImportJob) -> None:
    """Nobody says whom a manager reports to who is only named as one: a top, so that no deal drops out."""
    job.sql(
        "INSERT INTO otc_reportingline (organization_id, person_id, manager_id, valid_from, valid_to) "
        f"SELECT %(organization)s, n.id, NULL, %(beginning)s, %(forever)s FROM {new_names('manager')}",
        beginning=BEGINNING,
        forever=FOREVER,
    )


def _set_lines(job: ImportJob) -> None:
    """Bring the current lines to what the rows say; a line that stays as it is isn't touched."""
    job.sql("DROP TABLE IF EXISTS pg_temp.import_line")
    job.sql(
        "CREATE TEMP TABLE import_line ON COMMIT DROP AS SELECT s.target_id AS person_id, n_manager.id AS manager_id, "
        f"(n_manager.id IS NOT NULL OR coalesce(s.is_top, false) OR {_NAMED_AS_MANAGER} OR EXISTS (SELECT "
        "FROM otc_reportingline r WHERE r.organization_id = %(organization)s AND r.manager_id = s.target_id "
        "AND r.valid_to = %(forever)s)) AS has_line, c.id AS current_id, "
        "coalesce(s.since, CASE WHEN EXISTS (SELECT FROM otc_reportingline b WHERE b.organization_id = "
        "%(organization)s AND b.person_id = s.target_id) THEN %(now)s ELSE %(beginning)s END) AS since "
        f"FROM import_stage s {join_name('manager')} LEFT JOIN otc_reportingline c ON c.organization_id = "
        "%(organization)s AND c.person_id = s.target_id AND c.valid_to = %(forever)s "
        "WHERE s.refused_reason IS NULL AND NOT s.is_unchanged AND NOT (c.id IS NOT NULL AND c.manager_id "
        "IS NOT DISTINCT FROM n_manager.id AND (n_manager.id IS NOT NULL OR coalesce(s.is_top, false)))",
        forever=FOREVER,
        beginning=BEGINNING,
    )
    # A top that somebody still reports to stays one.
    job.sql(
        "DELETE FROM import_line w USING otc_reportingline c WHERE c.organization_id = %(organization)s "
        "AND c.id = w.current_id AND w.has_line AND w.manager_id IS NULL AND c.manager_id IS NULL"
    )
    job.sql(
        "DELETE FROM otc_reportingline c USING import_line w WHERE c.organization_id = %(organization)s "
        "AND c.id = w.current_id AND c.valid_from >= w.since"
    )
    job.sql(
        "UPDATE otc_reportingline c SET valid_to = w.since FROM import_line w "
        "WHERE c.organization_id = %(organization)s AND c.id = w.current_id"
    )
    job.sql(
        "INSERT INTO otc_reportingline (organization_id, person_id, manager_id, valid_from, valid_to) "
        "SELECT %(organization)s, person_id, manager_id, since, %(forever)s FROM import_line WHERE has_line",
        forever=FOREVER,
    )
