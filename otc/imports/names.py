"""Which record does a name in a cell mean? Looked up set by set; unknown names are refused or created."""

from dataclasses import dataclass

from otc.imports.kinds import ImportJob


@dataclass(frozen=True)
class Reference:
    """A column that names records. `matches` are SQL conditions between a record `t` of `table` and a name `n`
    (n.name as written, n.folded), the surest first. `create` is the SQL that makes records of the new names
    in `import_name n` (their ids are chosen already), and empty where a name can't be made up.
    """

    column: str
    noun: str
    table: str
    matches: tuple[str, ...]
    create: str = ""


def new_names(column: str) -> str:
    """SQL of the names of a column that are to be created, one row per record: id, name, folded."""
    return (
        f"(SELECT DISTINCT ON (id) id, name, folded FROM import_name WHERE column_name = '{column}' AND is_new "
        "ORDER BY id, name) n"
    )


def prepare_names(job: ImportJob) -> None:
    job.sql("DROP TABLE IF EXISTS pg_temp.import_name")
    job.sql(
        "CREATE TEMP TABLE import_name (column_name text, name text, folded text, id uuid, "
        "found_count bigint NOT NULL DEFAULT 0, is_new boolean NOT NULL DEFAULT false, "
        "PRIMARY KEY (column_name, name)) ON COMMIT DROP"
    )


def look_up(job: ImportJob, reference: Reference) -> None:
    """Find the records that a column names; refuse rows whose name is unknown or means several.

    Where names may be created, the unknown ones get an id now and their record in `create_names`.
    """
    column = reference.column
    if column not in job.present:
        return
    job.sql(
        f"INSERT INTO import_name (column_name, name, folded) SELECT DISTINCT %(column)s, {column}, "
        f"{column}_folded FROM import_stage WHERE {column} IS NOT NULL AND refused_reason IS NULL "
        "AND NOT is_unchanged",
        column=column,
    )
    _find(job, reference)
    if column in job.creatable and reference.create:
        _choose_ids(job, column)
    _refuse_unknown(job, reference)


def _find(job: ImportJob, reference: Reference) -> None:
    hits = " UNION ALL ".join(
        f"SELECT n.name, {rank} AS rank, t.id FROM import_name n JOIN {reference.table} t "
        f"ON t.organization_id = %(organization)s AND ({condition}) WHERE n.column_name = %(column)s"
        for rank, condition in enumerate(reference.matches)
    )
    job.sql(
        f"WITH hit AS (SELECT DISTINCT * FROM ({hits}) h), "
        "best AS (SELECT name, min(rank) AS rank FROM hit GROUP BY name), "
        "found AS (SELECT DISTINCT ON (hit.name) hit.name, hit.id, count(*) OVER (PARTITION BY hit.name) AS n "
        "FROM hit JOIN best ON best.name = hit.name AND best.rank = hit.rank) "
        "UPDATE import_name x SET id = found.id, found_count = found.n FROM found "
        "WHERE x.column_name = %(column)s AND x.name = found.name",
        column=reference.column,
        home=job.home,
    )


def _choose_ids(job: ImportJob, column: str) -> None:
    """Names that differ in case or spacing only become one record."""
    # Materialized, because a rescan would choose other ids.
    job.sql(
        "WITH chosen AS MATERIALIZED (SELECT folded, uuidv7() AS id FROM import_name "
        "WHERE column_name = %(column)s AND found_count = 0 GROUP BY folded) "
        "UPDATE import_name x SET id = chosen.id, is_new = true FROM chosen "
        "WHERE x.column_name = %(column)s AND x.folded = chosen.folded AND x.found_count = 0",
        column=column,
    )


def _refuse_unknown(job: ImportJob, reference: Reference) -> None:
    job.sql(
        "UPDATE import_stage s SET refused_column = %(column)s, refused_reason = CASE WHEN n.found_count > 1 "
        "THEN '“' || n.name || '” names ' || n.found_count || ' records (' || %(noun)s || ')' "
        "ELSE 'there is no ' || %(noun)s || ' “' || n.name || '”' END "
        "FROM import_name n WHERE n.column_name = %(column)s "
        f"AND s.{reference.column} = n.name AND (n.found_count > 1 OR n.id IS NULL) "
        "AND s.refused_reason IS NULL AND NOT s.is_unchanged",
        column=reference.column,
        noun=reference.noun,
    )


def create_names(job: ImportJob, reference: Reference) -> int:
    """Create the records of a column's new names that a row still wants; returns how many there are."""
    if reference.column not in job.present:
        return 0
    _forget_unwanted(job, reference.column)
    ((new_count,),) = job.rows(
        "SELECT count(DISTINCT id) FROM import_name WHERE column_name = %(column)s AND is_new",
        column=reference.column,
    )
    if new_count:
        order = job.mapping.create_missing.get(reference.column, ())
        job.sql(reference.create, home=job.home, order=list(order))
    return new_count


def _forget_unwanted(job: ImportJob, column: str) -> None:
    """A name that only refused rows hold is not created."""
    job.sql(
        "DELETE FROM import_name n WHERE n.column_name = %(column)s AND n.is_new AND NOT EXISTS ("
        f"SELECT FROM import_stage s WHERE s.{column} = n.name AND s.refused_reason IS NULL "
        "AND NOT s.is_unchanged)",
        column=column,
    )


def join_name(column: str) -> str:
    """SQL that joins a staged row `s` to the record of its column's name, as n_<column>."""
    alias = f"n_{column}"
    return f"LEFT JOIN import_name {alias} ON {alias}.column_name = '{column}' AND {alias}.name = s.{column}"
