"""What does row-level security cost? The ten slowest queries of the pages, with it and without."""

import contextlib
from typing import Any

from benchmarks.deals_list import signed_in, visited
from benchmarks.finding import Finding, against
from benchmarks.house import Bench
from benchmarks.reports import executive
from benchmarks.timing import interleaved

MOST_RATIO = 1.1
HOTTEST = 10
PAGES = (
    "deals/",
    "deals/?scope=everyone&q=deal+99",
    "deals/board/",
    "inspection/?scope=everyone",
    "flow/?scope=everyone",
    "forecast/?scope=everyone",
    "winloss/?scope=everyone",
    "accounts/",
)


def measure(bench: Bench) -> list[Finding]:
    """The same text in two sessions: the application's role under its policies, a superuser past them."""
    found: list[Finding] = []
    whole, whole_floor = 0.0, 0.0
    for sql, page in hottest(bench):
        with contextlib.ExitStack() as stack:
            fenced, free = (stack.enter_context(session(bench, role)) for role in ("otc_app", "postgres"))

            def run(cursor: Any, sql: str = sql) -> None:
                cursor.execute(sql)
                cursor.fetchall()

            ours, floor = interleaved(
                lambda run=run, fenced=fenced: run(fenced),
                lambda run=run, free=free: run(free),
                runs=15,
                warm=2,
            )
            same = plan(fenced, sql) == plan(free, sql)
        whole, whole_floor = whole + ours, whole_floor + floor
        found.append(
            against(
                f"row-level security: {about(sql)} ({page})",
                measured_ms=ours,
                floor_ms=floor,
                most=None,
                more=", same plan" if same else ", other plan",
            )
        )
    total = against(
        f"row-level security on the {len(found)} slowest queries of the pages, together",
        measured_ms=whole,
        floor_ms=whole_floor,
        most=MOST_RATIO,
    )
    return [total, *found]


def hottest(bench: Bench) -> list[tuple[str, str]]:
    """The slowest SELECTs with the page that asks them."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client, asked = executive(bench), {}
    for page in PAGES:
        for browser in (client, signed_in(bench)):
            visited(browser, f"/o/{bench.slug}/{page}")
            with CaptureQueriesContext(connection) as captured:
                visited(browser, f"/o/{bench.slug}/{page}")
            for query in captured:
                if query["sql"].lstrip().startswith(("SELECT", "WITH")) and " FROM " in query["sql"]:
                    asked[query["sql"]] = (float(query["time"]), page)
    ranked = sorted(asked.items(), key=lambda entry: -entry[1][0])
    return [(sql, page) for sql, (_, page) in ranked[:HOTTEST]]


@contextlib.contextmanager
def session(bench: Bench, role: str) -> Any:
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {role}")
        for name in ("organization", "person", "user_id"):
            value = bench.organization_id if name == "organization" else bench.rep.id
            cursor.execute("SELECT set_config(%s, %s, false)", [f"otc.{name}", str(value)])
        yield cursor


def plan(cursor: Any, sql: str) -> list[str]:
    """The nodes of the plan, without what the policies add to them."""
    cursor.execute(f"EXPLAIN (COSTS OFF, FORMAT TEXT) {sql}")
    lines = [line for (line,) in cursor.fetchall()]
    nodes = [line.strip() for line in lines if "->" in line or line == lines[0]]
    return [node for node in nodes if node not in ("Result", "->  Result")]


def about(sql: str) -> str:
    words = " ".join(sql.split())
    table = words.partition(" FROM ")[2].split()[0].strip('"(').rstrip(",)")
    return f"{'WITH …' if words.startswith('WITH') else 'SELECT …'} FROM {table}"
