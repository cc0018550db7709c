"""`python -m benchmarks.million`: reports in an organization of 1,000,000 deals, 5,000,000 versions and 2,000 people in
seven levels, each beside hand-written SQL without row-level security. Fills for ten minutes or so.

`python -m benchmarks.million 100000` takes another number of deals; a second word measures only the pages it is in.
"""

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from benchmarks.deals_list import visited
from benchmarks.finding import HEAD, Finding
from benchmarks.house import BEGINNING, SCORE_HEALTH, SCORE_RISK, keep_sums, migrate, servers
from benchmarks.reports import executive
from benchmarks.timing import Timing, interleaved, timed

DEALS, PEOPLE = 1_000_000, 2_000
# Reports of each person, level by level; who is left over joins the lowest.
FAN_OUT = (3, 4, 4, 3, 3)
BRANCH_LEVEL = 3
BUFFERS = "4GB"
RUNS = 20
MOST_RATIO = 1.5


@dataclass(frozen=True)
class Million:
    """The organization, its executive's client, and the leader of a branch of some forty people."""

    slug: str
    organization_id: Any
    client: Any
    leader: UUID
    branch: list[UUID]
    deals: int


@dataclass(frozen=True)
class Target:
    """A page, of the branch or of everyone, and how many milliseconds p95 it may take."""

    page: str
    is_whole: bool
    most_ms: float
    floor: str


def quarter(today: date) -> tuple[str, date, date]:
    """The calendar quarter's key, its first day, and the day after its last."""
    number = (today.month - 1) // 3
    first = date(today.year, 3 * number + 1, 1)
    end = date(today.year + (number == 3), (3 * number + 3) % 12 + 1, 1)
    return f"{today.year}-Q{number + 1}", first, end


# Five states a deal, one after the other, each a fifth of its life long: pushed at the third, repriced at the fourth,
# and at the fifth closed, where the day has passed.
LIVES = """
CREATE TEMP TABLE life AS
SELECT n, uuidv7(created - now()) AS id, created, close_date, (%(people)s::uuid[])[1 + n %% %(count)s] AS owner_id,
  1000 * (1 + n %% 997) AS amount_minor, n / 7 %% 10 AS luck
FROM (SELECT n, close_date,
    least(close_date::timestamptz - make_interval(days => 60 + n %% 180), now() - make_interval(mins => n %% 40000))
      AS created
  FROM (SELECT n, %(today)s::date - 560 + (n::bigint * 7919 %% 760)::int AS close_date
    FROM generate_series(1, %(deals)s) AS n) AS dated) AS made
"""
STATES = """
CREATE TEMP TABLE state AS
SELECT life.id, life.n, life.owner_id, s.process_id, s.id AS stage_id, life.created, step,
  life.created
    + (least(life.close_date::timestamptz, now() - interval '1 minute') - life.created) * step / 5.0 AS starts,
  CASE WHEN step < 2 THEN life.close_date - 31 ELSE life.close_date END AS close_date,
  CASE WHEN step < 3 THEN life.amount_minor ELSE life.amount_minor * 11 / 10 END AS amount_minor,
  CASE WHEN step = 4 AND life.close_date < %(today)s AND luck < 8
    THEN CASE WHEN luck < 3 THEN 'won' WHEN luck < 7 THEN 'lost' ELSE 'no_decision' END END AS outcome,
  s.category
FROM life CROSS JOIN generate_series(0, 4) AS step
JOIN pipeline_stage s ON s.organization_id = %(organization)s AND s.position = 1 + (step + n %% 2) %% %(stages)s
"""
DEALS_IN = """
INSERT INTO pipeline_opportunity (organization_id, id, name, name_folded, owner_id, process_id, stage_id, category,
  category_set_by_person, amount_minor, currency, close_date, outcome, closed_at, source, kind, next_step,
  attributes, external_id, created_at)
SELECT %(organization)s, id, 'Deal ' || n, 'deal ' || n, owner_id, process_id, stage_id,
  CASE WHEN outcome = 'won' THEN 'closed' WHEN outcome IS NOT NULL THEN 'omitted' ELSE category END, false,
  amount_minor, 'EUR', close_date, outcome, CASE WHEN outcome IS NOT NULL THEN starts END, '',
  CASE WHEN n %% 4 = 0 THEN 'Renewal' ELSE 'New business' END, 'Call', '{}', 'd' || n, created
FROM state WHERE step = 4 ORDER BY created
"""
VERSIONS_IN = """
INSERT INTO pipeline_opportunityversion (organization_id, opportunity_id, name, owner_id, process_id, stage_id,
  category, category_set_by_person, amount_minor, currency, close_date, outcome, closed_at, source, kind, next_step,
  attributes, valid_from, valid_to, known_from, known_to, channel, provenance)
SELECT %(organization)s, id, 'Deal ' || n, owner_id, process_id, stage_id,
  CASE WHEN outcome = 'won' THEN 'closed' WHEN outcome IS NOT NULL THEN 'omitted' ELSE category END, false,
  amount_minor, 'EUR', close_date, outcome, CASE WHEN outcome IS NOT NULL THEN starts END, '',
  CASE WHEN n %% 4 = 0 THEN 'Renewal' ELSE 'New business' END, 'Call', '{}', starts, ends, starts,
  %(forever)s, 'ui', 'live'
FROM (SELECT *, lead(starts, 1, %(forever)s) OVER (PARTITION BY id ORDER BY starts) AS ends FROM state) AS lived
ORDER BY starts
"""
QUOTAS_IN = """
INSERT INTO forecasting_quota (organization_id, person_id, period, amount_minor, reason, valid_from, valid_to)
SELECT %(organization)s, person, %(period)s, 40000000, '', %(ever)s, %(forever)s
FROM unnest(%(people)s::uuid[]) AS person
"""


def build(postgres: Any, *, deals: int) -> Million:
    """Past the triggers, as a database that grew: every table in the order of time, indexes made afterwards."""
    import django

    django.setup()
    migrate()
    from forecasting.quotas.models import EVER
    from otc.tenancy.context import use
    from otc.tenancy.models import FOREVER, Person
    from otc.tenancy.services import organization_create
    from pipeline.process.models import Stage
    from pipeline.process.services import process_install

    organization = organization_create(slug="bench", name="Bench", currency="EUR")
    with use(organization.id, channel="import"):
        process_install()
        people, leader, branch = hire()
        stages = Stage.objects.count()
        person_ids = [str(person.id) for person in people]
        assert Person.objects.count() == PEOPLE
    today = datetime.now(UTC).date()
    given = {
        "organization": str(organization.id),
        "people": person_ids,
        "count": len(person_ids),
        "deals": deals,
        "stages": stages,
        "today": today,
        "forever": FOREVER,
        "ever": EVER,
        "period": quarter(today)[0],
    }
    with contextlib.closing(postgres.connect("otc")) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        cursor.execute("SELECT set_config('otc.organization', %s, false)", [str(organization.id)])
        cursor.execute(
            "SET session_replication_role = replica; SET work_mem = '1GB'; SET temp_buffers = '2GB'"
        )
        cursor.execute("SET maintenance_work_mem = '1GB'")
        with indexes_aside(cursor, "pipeline_opportunity", "pipeline_opportunityversion"):
            for statement in (
                LIVES,
                STATES,
                DEALS_IN,
                VERSIONS_IN,
                QUOTAS_IN,
            ):
                cursor.execute(statement, given)
        cursor.execute(SCORE_HEALTH)
        cursor.execute(SCORE_RISK)
        cursor.execute(TURNS_IN)
        cursor.execute("DROP TABLE life, state; SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")
    keep_sums(organization.id)
    million = Million("bench", organization.id, None, leader, branch, deals)
    return Million("bench", organization.id, executive(million), leader, branch, deals)


def hire() -> tuple[list[Any], UUID, list[UUID]]:
    """Everybody with a line; the leader of the first branch of the fourth level with whom is in it."""
    from otc.tenancy.lines import chart_at
    from otc.tenancy.models import Person, ReportingLine

    levels: list[list[int]] = [[0]]
    above: list[int | None] = [None]
    for fan_out in FAN_OUT:
        levels.append([])
        for manager in levels[-2]:
            for _ in range(fan_out):
                levels[-1].append(len(above))
                above.append(manager)
    lowest = levels[-1]
    above += [lowest[number % len(lowest)] for number in range(PEOPLE - len(above))]
    managers = {manager for manager in above if manager is not None}
    people = Person.objects.bulk_create(
        Person(
            name=f"Person {number}",
            name_folded=f"person {number}",
            role="manager" if number in managers else "rep",
        )
        for number in range(PEOPLE)
    )
    ReportingLine.objects.bulk_create(
        ReportingLine(
            person=person,
            manager=None if (manager := above[number]) is None else people[manager],
            valid_from=BEGINNING,
        )
        for number, person in enumerate(people)
    )
    leader = people[levels[BRANCH_LEVEL][0]].id
    branch = chart_at(datetime.now(UTC) + timedelta(seconds=1)).branch(leader)
    return people, leader, sorted(branch)


@contextlib.contextmanager
def indexes_aside(cursor: Any, *tables: str) -> Iterator[None]:
    """Plain indexes dropped, and made again afterwards."""
    cursor.execute(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = ANY(%s) AND indexname NOT IN "
        "(SELECT conname FROM pg_constraint) AND indexdef NOT LIKE 'CREATE UNIQUE%%'",
        [list(tables)],
    )
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in found:
        cursor.execute(definition)


# One of twenty scores turned at some time in the last half year.
TURNS_IN = """
INSERT INTO pipeline_riskturn (organization_id, opportunity_id, at, slips, wins)
SELECT organization_id, opportunity_id, now() - abs(hashtext(opportunity_id::text)) % 180 * interval '1 day',
  true, false
FROM pipeline_risk WHERE abs(hashtext(opportunity_id::text)) % 20 = 0
"""
AS_OF = (
    "SELECT opportunity_id, owner_id, category, outcome, stage_id, close_date, amount_minor "
    "FROM pipeline_opportunityversion WHERE organization_id = %(org)s AND valid_from <= {at} AND valid_to > {at} "
    "AND known_from <= {at} AND known_to > {at} AND deleted_at IS NULL "
    "AND close_date >= %(first)s AND close_date < %(end)s AND (outcome IS NULL OR outcome = 'won') {whose}"
)
# Both ends of the quarter's deals, compared: neither an inspection nor a waterfall can read less.
BOTH_ENDS = """
SELECT a.outcome IS DISTINCT FROM b.outcome, count(*), sum(b.amount_minor - a.amount_minor)
FROM ({then}) AS a FULL JOIN ({now}) AS b USING (opportunity_id) GROUP BY 1
"""
BY_PERSON = """
SELECT owner_id, category, sum(amount_minor), count(*) FROM ({now}) AS open GROUP BY 1, 2
"""
BY_PERSON_TWICE = BY_PERSON + " UNION ALL " + BY_PERSON.replace("{now}", "{then}")
# The versions between both ends of every deal that was in the quarter, beside the one before.
ALL_BETWEEN = """
SELECT changed, count(*), sum(amount_minor - coalesce(was, 0)) FROM (
  SELECT outcome IS DISTINCT FROM lag(outcome) OVER deals AS changed, amount_minor, lag(amount_minor) OVER deals AS was
  FROM (SELECT DISTINCT opportunity_id FROM pipeline_opportunityversion WHERE organization_id = %(org)s
      AND close_date >= %(first)s AND close_date < %(end)s AND valid_to > %(since)s AND known_to > %(since)s
      AND deleted_at IS NULL AND (outcome IS NULL OR outcome = 'won') {whose}) AS candidate
  CROSS JOIN LATERAL (SELECT * FROM pipeline_opportunityversion v WHERE v.organization_id = %(org)s
      AND v.opportunity_id = candidate.opportunity_id AND v.valid_to > %(since)s AND v.known_to > %(since)s
      OFFSET 0) AS v
  WINDOW deals AS (PARTITION BY v.opportunity_id ORDER BY valid_from)) AS step GROUP BY 1
"""
TARGETS = (
    Target("inspection/?since=period", False, 60, BOTH_ENDS),
    Target("flow/?since=period", False, 80, BOTH_ENDS),
    Target("flow/?since=period&mode=path", False, 0, ALL_BETWEEN),
    Target("flow/matrix/?since=period", False, 0, BOTH_ENDS),
    Target("trends/?", False, 100, ""),
    Target("landing/?since=period", False, 300, ""),
    Target("forecast/?since=period", False, 0, BY_PERSON_TWICE),
    Target("inspection/?since=period", True, 200, BOTH_ENDS),
    Target("flow/?since=period", True, 1000, BOTH_ENDS),
    Target("flow/?since=period&mode=path", True, 2500, ALL_BETWEEN),
    Target("flow/matrix/?since=period", True, 0, BOTH_ENDS),
    Target("trends/?", True, 100, ""),
    Target("landing/?since=period", True, 300, ""),
    Target("forecast/?since=period", True, 150, BY_PERSON_TWICE),
    Target("forecast/?since=period&as_of={past}", True, 500, BY_PERSON_TWICE),
)


def measure(million: Million, connection: Any, *, wanted: str = "") -> Iterator[Finding]:
    """Each page of `wanted` (all: ""), with a floor of the same rows."""
    today = datetime.now(UTC).date()
    key, first, end = quarter(today)
    past = today - timedelta(days=30)
    cursor = connection.cursor()
    for target in TARGETS:
        if wanted not in target.page:
            continue
        scope = "everyone" if target.is_whole else str(million.leader)
        page = target.page.format(past=past)
        address = f"/o/{million.slug}/{page}&period={key}&scope={scope}"
        shown = timed(lambda address=address: visited(million.client, address), runs=RUNS, warm=3)
        raw = None
        if target.floor:
            whose = "" if target.is_whole else "AND owner_id = ANY(%(owners)s::uuid[])"
            ends = {
                name: AS_OF.format(at=f"%({at})s", whose=whose)
                for name, at in (("then", "since"), ("now", "as_of"))
            }
            sql = target.floor.format(**ends, whose=whose)
            given = {
                "org": str(million.organization_id),
                "owners": [str(person_id) for person_id in million.branch],
                "first": first,
                "end": end,
                "since": datetime(first.year, first.month, first.day, tzinfo=UTC),
                "as_of": datetime.now(UTC)
                if "as_of" not in page
                else datetime(past.year, past.month, past.day, tzinfo=UTC),
            }

            def floor(sql: str = sql, given: dict[str, Any] = given) -> None:
                cursor.execute(sql, given)
                cursor.fetchall()

            [raw] = interleaved(floor, runs=RUNS, warm=3)
        yield finding(target, page, shown, raw, deals=million.deals)


def finding(target: Target, page: str, shown: Timing, raw: float | None, *, deals: int) -> Finding:
    whose = "everyone" if target.is_whole else "a branch of forty"
    return Finding(
        f"{page.replace('?since=period', '').rstrip('?&')} of {whose}, {deals:,} deals",
        f"{shown.p50_ms:.0f} ms p50, {shown.p95_ms:.0f} ms p95 ({shown.cpu_p50_ms:.0f} Python, "
        f"{shown.server_p50_ms:.0f} PostgreSQL)",
        "" if raw is None else f"{raw:.0f} ms",
        None if raw is None else shown.p50_ms / raw,
        f"{target.most_ms:.0f} ms p95" if target.most_ms else "",
        shown.p95_ms <= target.most_ms if target.most_ms else None,
    )


def main(words: list[str]) -> None:
    deals = int(words[0]) if words else DEALS
    with servers(shared_buffers=BUFFERS) as postgres:
        million = build(postgres, deals=deals)
        print("\n".join(HEAD), flush=True)
        with contextlib.closing(postgres.connect("otc")) as connection:
            connection.autocommit = True
            for found in measure(million, connection, wanted=words[1] if len(words) > 1 else ""):
                print(found.line(), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
