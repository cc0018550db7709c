"""Which record is a staged row about, and how are records written from rows? For kinds known by id or by name."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from otc.imports.columns import folded
from otc.imports.kinds import MAX_KEY, ImportJob


@dataclass(frozen=True)
class Written:
    """A database column written from a native one. `value` is SQL over the row `s` (and joined names)."""

    native: str
    value: str


def key_by_id_or_name(values: Mapping[str, str | None]) -> str:
    """external_id, else the folded name; a name too long for a key is hashed."""
    if external_id := values.get("external_id"):
        return external_id
    key = f"name:{folded(values['name'] or '')}"
    return key if len(key) <= MAX_KEY else f"name:{blake2b(key.encode(), digest_size=32).hexdigest()}"


def match_targets(job: ImportJob, *, table: str, noun: str) -> None:
    """Set target_id to the existing record: by external_id, else by the name of one that has no other id."""
    job.sql(
        f"UPDATE import_stage s SET target_id = t.id FROM {table} t WHERE t.organization_id = %(organization)s "
        "AND t.external_id = s.external_id AND s.refused_reason IS NULL"
    )
    candidates = (
        "SELECT s.line, t.id, count(*) OVER (PARTITION BY s.line) AS found_count, "
        f"row_number() OVER (PARTITION BY t.id ORDER BY s.line) AS place FROM import_stage s JOIN {table} t "
        "ON t.organization_id = %(organization)s AND t.name_folded = s.name_folded "
        "AND (s.external_id IS NULL OR t.external_id IS NULL) "
        "WHERE s.target_id IS NULL AND s.refused_reason IS NULL"
    )
    job.refuse(
        "name",
        "'several ' || %(noun)s || ' bear this name: give external_id'",
        f"s.line IN (SELECT c.line FROM ({candidates}) c WHERE c.found_count > 1)",
        noun=noun,
    )
    job.sql(
        f"UPDATE import_stage s SET target_id = c.id FROM ({candidates}) c "
        "WHERE c.line = s.line AND c.found_count = 1 AND c.place = 1"
    )


def choose_ids(job: ImportJob) -> None:
    """Rows without a record will make one: its id is chosen now, so that other rows can refer to it."""
    job.sql(
        "UPDATE import_stage s SET target_id = uuidv7(), is_new = true "
        "WHERE s.target_id IS NULL AND s.refused_reason IS NULL AND NOT s.is_unchanged"
    )


def insert_new(job: ImportJob, *, table: str, columns: Mapping[str, Written], joins: str = "") -> None:
    """Make the records of new rows; a column that the file lacks takes what `value` gives for null."""
    names = ", ".join(columns)
    values = ", ".join(written.value for written in columns.values())
    job.sql(
        f"INSERT INTO {table} (organization_id, id, {names}) SELECT %(organization)s, s.target_id, {values} "
        f"FROM import_stage s {joins} WHERE s.refused_reason IS NULL AND s.is_new ORDER BY s.line"
    )


def update_changed(job: ImportJob, *, table: str, columns: Mapping[str, Written], joins: str = "") -> None:
    """Write the columns that the file has to the records that were there before, attributes merged."""
    sets = {
        name: written.value
        for name, written in columns.items()
        if written.native in job.present and name != "external_id"
    }
    if "external_id" in columns:
        sets["external_id"] = f"coalesce({columns['external_id'].value}, t.external_id)"
    if "attributes" in columns and job.binding.attributes:
        sets["attributes"] = "jsonb_strip_nulls(t.attributes || s.attributes)"
    if not sets:
        return
    assignments = ", ".join(f"{name} = v.{name}" for name in sets)
    selected = ", ".join(f"{value} AS {name}" for name, value in sets.items())
    # The table stands once more behind its alias, because a join can't reach UPDATE's own target.
    job.sql(
        f"UPDATE {table} x SET {assignments} FROM (SELECT t.id AS target, {selected} "
        f"FROM import_stage s JOIN {table} t ON t.organization_id = %(organization)s AND t.id = s.target_id "
        f"{joins} WHERE s.refused_reason IS NULL AND NOT s.is_unchanged AND NOT s.is_new) v "
        "WHERE x.organization_id = %(organization)s AND x.id = v.target"
    )
