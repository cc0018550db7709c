"""From partial history rows to full states: filled forward per deal, closed when the deal closed, ending in what the
deal is now.
"""

from otc.imports.kinds import ImportJob
from otc.imports.names import join_name
from otc.tenancy.models import FOREVER
from pipeline.history.models import STATE_COLUMNS

STATE = ", ".join(STATE_COLUMNS)
FILLED = ("stage_id", "category", "amount_minor", "close_date", "owner_id", "told_outcome")
# What a closed deal has and an open one hasn't, in every state from the closing on.
CLOSING = ("outcome", "closed_at", "reason_id")
# What a history row says of a deal that isn't closed: an empty outcome means unchanged.
OPEN = "open"
DERIVED = ("process_id", "category_set_by_person")
KEPT = tuple(column for column in STATE_COLUMNS if column not in (*FILLED, *CLOSING, *DERIVED))


def enter_past(job: ImportJob) -> None:
    """Hand the states to the checked history function, with the imported ones that lie before the file's first."""
    for table in ("import_base", "import_change"):
        job.sql(f"DROP TABLE IF EXISTS pg_temp.{table}")
    _read_bases(job)
    _read_changes(job)
    columns = f"organization_id, run, opportunity_id, at, provenance, {STATE}"
    job.sql(
        f"INSERT INTO pipeline_historyrow ({columns}) WITH counted AS ({_COUNTED}), located AS ({_LOCATED}), "
        f"filled AS ({_FILLED}), placed AS ({_PLACED}), told AS ({_TOLD}), "
        f"full_state AS ({_full_state()}), "
        f"past AS MATERIALIZED ({_changes_only()}) "
        f"SELECT %(organization)s, %(run)s, deal_id, at, 'imported', {STATE} FROM past "
        f"UNION ALL SELECT %(organization)s, %(run)s, deal_id, ends_at, 'reconstructed', {STATE} "
        f"FROM ({_present()}) e"
    )
    job.sql(
        f"INSERT INTO pipeline_historyrow ({columns}) SELECT %(organization)s, %(run)s, v.opportunity_id, "
        f"v.valid_from, 'imported', {', '.join(f'v.{column}' for column in STATE_COLUMNS)} "
        "FROM pipeline_opportunityversion v JOIN import_base b ON b.deal_id = v.opportunity_id "
        "WHERE v.organization_id = %(organization)s AND v.known_to = %(forever)s AND b.has_seed "
        "AND v.provenance <> 'live' AND v.valid_from < b.first_at",
        forever=FOREVER,
    )
    job.sql("SELECT pipeline_enter_history(%(run)s)")


def _read_bases(job: ImportJob) -> None:
    """Per deal: the state that its history has to end in, which is what it was before it was first edited here;
    has_seed says whether history was imported before that lies ahead of the file's first row.
    """
    job.sql(
        "CREATE TEMP TABLE import_base ON COMMIT DROP AS "
        "WITH deal AS (SELECT target_id, min(at) AS first_at, max(at) AS last_at FROM import_stage "
        "WHERE refused_reason IS NULL AND NOT is_unchanged GROUP BY target_id), "
        "known AS (SELECT v.*, d.first_at, d.last_at, "
        "min(v.valid_from) FILTER (WHERE v.provenance = 'live') OVER deal_versions AS first_live, "
        "bool_or(v.provenance IN ('imported', 'corrected') AND v.valid_from < d.first_at) "
        "OVER deal_versions AS has_seed, "
        "row_number() OVER (PARTITION BY v.opportunity_id ORDER BY v.provenance = 'live', "
        "CASE WHEN v.provenance = 'live' THEN v.valid_from END, v.valid_from DESC) AS place "
        "FROM pipeline_opportunityversion v JOIN deal d ON d.target_id = v.opportunity_id "
        "WHERE v.organization_id = %(organization)s AND v.known_to = %(forever)s "
        "WINDOW deal_versions AS (PARTITION BY v.opportunity_id)) "
        f"SELECT opportunity_id AS deal_id, first_at, last_at, first_live, has_seed, valid_from, "
        f"provenance = 'live' AS is_live, {STATE} FROM known WHERE place = 1",
        forever=FOREVER,
    )
    job.sql("CREATE INDEX ON import_base (deal_id)")
    job.sql("ANALYZE import_base (deal_id)")


def _read_changes(job: ImportJob) -> None:
    """The file's rows, told apart by a microsecond where a deal has several of one instant; before them the last
    state that was imported earlier; and the closing, where it lies between rows.
    """
    joins = f"{join_name('stage')} {join_name('owner')}"
    job.sql(
        "CREATE TEMP TABLE import_change ON COMMIT DROP AS "
        "SELECT s.target_id AS deal_id, s.at + (row_number() OVER same_instant - 1) * interval '1 microsecond' AS at, "
        "false AS is_seed, n_stage.id AS stage_id, s.category, "
        "s.amount / power(10, 4 - otc_decimals(b.currency))::bigint AS amount_minor, s.close_date, "
        f"n_owner.id AS owner_id, s.outcome AS told_outcome FROM import_stage s "
        f"JOIN import_base b ON b.deal_id = s.target_id {joins} "
        "WHERE s.refused_reason IS NULL AND NOT s.is_unchanged "
        "WINDOW same_instant AS (PARTITION BY s.target_id, s.at ORDER BY s.line)"
    )
    job.sql(
        "INSERT INTO import_change SELECT DISTINCT ON (b.deal_id) b.deal_id, v.valid_from, true, v.stage_id, "
        "v.category, v.amount_minor, v.close_date, v.owner_id, "
        # What was imported earlier tells its outcome only to a file that tells outcomes too.
        "CASE WHEN EXISTS (SELECT FROM import_stage s WHERE s.target_id = b.deal_id AND s.outcome IS NOT NULL) "
        f"THEN coalesce(v.outcome, '{OPEN}') END FROM import_base b "
        "JOIN pipeline_opportunityversion v ON v.organization_id = %(organization)s "
        "AND v.opportunity_id = b.deal_id WHERE b.has_seed AND v.known_to = %(forever)s "
        "AND v.provenance <> 'live' AND v.valid_from < b.first_at ORDER BY b.deal_id, v.valid_from DESC",
        forever=FOREVER,
    )
    job.sql(
        "INSERT INTO import_change (deal_id, at, is_seed) SELECT b.deal_id, b.closed_at, false FROM import_base b "
        "WHERE b.closed_at > b.first_at AND b.closed_at < b.last_at AND NOT EXISTS (SELECT FROM import_change c "
        "WHERE c.deal_id = b.deal_id AND (c.at = b.closed_at OR c.told_outcome IS NOT NULL))"
    )


# For each column the place of the row that last had a value in it. One order serves every window, so that the rows
# are sorted once.
_COUNTED = "SELECT c.*, row_number() OVER w AS place, {} FROM import_change c {}".format(
    ", ".join(f"count({column}) OVER (PARTITION BY deal_id) > 0 AS has_{column}" for column in FILLED),
    "WINDOW w AS (PARTITION BY deal_id ORDER BY at)",
)
_LOCATED = "SELECT c.*, {} FROM counted c WINDOW w AS (PARTITION BY deal_id ORDER BY at)".format(
    ", ".join(
        f"(max(CASE WHEN {column} IS NOT NULL THEN place END) OVER w)::int AS place_{column}"
        for column in FILLED
    )
)
_FILLED = (
    "SELECT deal_id, at, is_seed, {} FROM located WINDOW w AS (PARTITION BY deal_id ORDER BY at)".format(
        ", ".join(
            f"nth_value({column}, place_{column}) OVER w AS {column}, has_{column}" for column in FILLED
        )
    )
)

# A column that no row of the deal fills was always as it is; one that is filled later was unknown before. Rows that
# tell outcomes say when the deal was closed, and how often; else it is closed from its own closing on.
_PLACED = f"""
SELECT f.deal_id, f.at, f.is_seed, f.has_told_outcome,
  CASE WHEN f.has_told_outcome THEN nullif(f.told_outcome, '{OPEN}')
    WHEN f.at >= b.closed_at THEN b.outcome END AS outcome,
  CASE WHEN f.has_stage_id OR b.has_seed THEN f.stage_id ELSE b.stage_id END AS stage_id,
  CASE WHEN f.has_amount_minor OR b.has_seed THEN f.amount_minor ELSE b.amount_minor END AS amount_minor,
  CASE WHEN f.has_close_date OR b.has_seed THEN f.close_date ELSE b.close_date END AS close_date,
  CASE WHEN f.has_owner_id OR b.has_seed THEN f.owner_id ELSE b.owner_id END AS owner_id,
  f.category AS given_category, f.has_category
FROM filled f JOIN import_base b ON b.deal_id = f.deal_id
"""

# An outcome holds from the first of the rows in a row that tell it.
_TOLD = """
SELECT p.*, max(p.turned_at) OVER (PARTITION BY deal_id ORDER BY at) AS since,
  max(p.turned_at) OVER (PARTITION BY deal_id) AS last_turn
FROM (SELECT x.*, CASE WHEN outcome IS DISTINCT FROM lag(outcome) OVER w OR row_number() OVER w = 1 THEN at END
  AS turned_at FROM placed x WINDOW w AS (PARTITION BY deal_id ORDER BY at)) p
"""


def _full_state() -> str:
    """An open deal's category is what a row gave, else what its stage proposes; never closed. The last closing is
    the deal's own: its instant, its category, and no stage where the deal has none.
    """
    kept = ", ".join(f"b.{column}" for column in KEPT)
    return f"""
SELECT p.deal_id, p.at, p.is_seed,
  CASE WHEN p.has_told_outcome AND p.outcome IS NOT NULL AND b.outcome IS NOT NULL AND b.stage_id IS NULL THEN NULL
    ELSE p.stage_id END AS stage_id,
  p.amount_minor, p.close_date, p.owner_id, p.outcome,
  CASE WHEN p.outcome IS NULL THEN NULL WHEN p.outcome = b.outcome AND p.since = p.last_turn THEN b.closed_at
    ELSE p.since END AS closed_at,
  CASE WHEN p.outcome IS NOT NULL THEN b.reason_id END AS reason_id,
  c.category, coalesce(k.process_id, b.process_id) AS process_id,
  (p.outcome IS NOT NULL OR c.category = b.category) AND b.category_set_by_person AS category_set_by_person,
  {kept}
FROM told p JOIN import_base b ON b.deal_id = p.deal_id
LEFT JOIN pipeline_stage k ON k.organization_id = %(organization)s AND k.id = p.stage_id
CROSS JOIN LATERAL (SELECT CASE WHEN p.outcome = 'won' THEN 'closed' WHEN p.outcome IS NOT NULL THEN 'omitted'
  WHEN p.has_category THEN nullif(p.given_category, 'closed')
  WHEN b.outcome IS NULL AND p.stage_id IS NOT DISTINCT FROM b.stage_id THEN b.category
  ELSE nullif(k.category, 'closed') END AS category) c
"""


def _changes_only() -> str:
    """A row that changes nothing makes no version, and the state that was imported before is there already."""
    moving = (*(column for column in FILLED if column in STATE_COLUMNS), *CLOSING, "process_id")
    now = ", ".join(moving)
    before = ", ".join(f"lag({column}) OVER w" for column in moving)
    return (
        f"SELECT deal_id, at, lead(at) OVER (PARTITION BY deal_id ORDER BY at) IS NULL AS is_last, {STATE} "
        "FROM (SELECT *, row_number() OVER w > 1 "
        f"AND ({now}) IS NOT DISTINCT FROM ({before}) AS is_repetition FROM full_state "
        "WINDOW w AS (PARTITION BY deal_id ORDER BY at)) x WHERE NOT is_seed AND NOT is_repetition"
    )


def _present() -> str:
    """Where the last state isn't the one the history has to end in, that one follows: at the closing if it lies
    ahead, else now; before a first edit here, when that state began or just before the edit.
    """
    last = ", ".join(f"l.{column}" for column in STATE_COLUMNS)
    base = ", ".join(f"b.{column}" for column in STATE_COLUMNS)
    return (
        f"SELECT deal_id, ends_at, {STATE} FROM (SELECT b.deal_id, b.first_live, l.at AS last_at, {base}, "
        "CASE WHEN b.closed_at > coalesce(l.at, b.last_at) THEN b.closed_at WHEN b.first_live IS NULL THEN %(now)s "
        "WHEN b.valid_from > coalesce(l.at, b.last_at) THEN b.valid_from "
        "ELSE b.first_live - interval '1 microsecond' END AS ends_at "
        "FROM import_base b LEFT JOIN past l ON l.deal_id = b.deal_id AND l.is_last "
        f"WHERE NOT b.is_live AND ({last}) IS DISTINCT FROM ({base})) p "
        "WHERE (last_at IS NULL OR ends_at > last_at) AND (first_live IS NULL OR ends_at < first_live)"
    )
