"""A throw-away PostgreSQL and Valkey, migrated, with one organization of many deals in it: what benchmarks run on."""

import contextlib
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from otc.embedded.places import Passwords, read_or_create_passwords
from otc.embedded.servers import PORT, PostgresServer, ValkeyServer

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
REPS = 50


@dataclass(frozen=True)
class Bench:
    """The organization with its slug, a rep who owns deals, the rep's sign-in, and the superuser's door."""

    slug: str
    organization_id: Any
    rep: Any
    user: Any
    deals: int
    postgres: PostgresServer

    def superuser(self) -> Any:
        """A connection that row-level security doesn't bind: for floors in hand-written SQL."""
        return self.postgres.connect("otc")


@contextlib.contextmanager
def servers(*, shared_buffers: str = "512MB") -> Iterator[PostgresServer]:
    """Both servers in a temporary folder, their addresses in the environment; gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="otc-bench-"))
    passwords: Passwords = read_or_create_passwords(folder)
    postgres = PostgresServer(
        data=folder / "data",
        sockets=folder,
        passwords=passwords,
        log=folder / "log",
        parameters={"fsync": "off", "shared_buffers": shared_buffers, "max_wal_size": "4GB"},
    )
    place = f"@/otc?host={folder}&port={PORT}"
    os.environ |= {
        "DATABASE_URL": f"postgres://otc_app:{quote(passwords.app)}{place}",
        "DATABASE_OWNER_URL": f"postgres://otc_owner:{quote(passwords.owner)}{place}",
        "REDIS_URL": f"unix://{folder}/valkey.sock",
        "DJANGO_SECRET_KEY": passwords.django_secret_key,
        "DJANGO_SETTINGS_MODULE": "otc.settings",
    }
    valkey = ValkeyServer(data=folder / "valkey", sockets=folder, log=folder / "valkey-log")
    # A line for each request would be most of what a run prints.
    logging.disable(logging.WARNING)
    try:
        valkey.start()
        postgres.start()
        valkey.wait()
        postgres.wait()
        yield postgres
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


def migrate() -> None:
    """The schema, and what pages need of static files."""
    from django.core.management import call_command

    call_command("collectstatic", verbosity=0, interactive=False)
    call_command("migrate", database="owner", verbosity=0)


def build(postgres: PostgresServer, *, deals: int) -> Bench:
    """Migrate and fill: `deals` deals, three in five open, spread evenly over 50 reps and five quarters."""
    import django

    django.setup()
    from otc.identity.models import User
    from otc.tenancy.context import use
    from otc.tenancy.services import organization_create, person_create
    from pipeline.process.services import process_install

    migrate()
    organization = organization_create(slug="bench", name="Bench", currency="EUR")
    user = User.objects.create_user("rep@bench.example", "a password of a bench")
    with use(organization.id, channel="import"):
        process_install()
        boss = person_create(name="Boss", role="manager", is_top=True, since=BEGINNING)
        reps = [
            person_create(name=f"Rep {number}", manager=boss, since=BEGINNING, user=None if number else user)
            for number in range(REPS)
        ]
        insert_deals(organization.id, [rep.id for rep in reps], deals=deals)
    with contextlib.closing(postgres.connect("otc")) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        # Triggers that run even so write as the tables' owner, whom the fences bind.
        cursor.execute("SELECT set_config('otc.organization', %s, false)", [str(organization.id)])
        for statement in (AGE, SCORE_HEALTH, SCORE_RISK, "VACUUM ANALYZE"):
            cursor.execute(statement)
    return Bench("bench", organization.id, reps[0], user, deals, postgres)


INSERT = """
INSERT INTO pipeline_opportunity (organization_id, name, name_folded, owner_id, process_id, stage_id, category,
  category_set_by_person, amount_minor, currency, close_date, outcome, closed_at, source, kind, next_step,
  attributes, external_id, created_at)
SELECT %(organization)s, 'Deal ' || n, 'deal ' || n, (%(reps)s::uuid[])[1 + n %% %(count)s], s.process_id, s.id,
  CASE WHEN n / 50 %% 5 < 3 THEN s.category WHEN n / 50 %% 5 = 3 THEN 'closed' ELSE 'omitted' END, false,
  1000 * (n %% 997), 'EUR', current_date + (n %% 450 - 225),
  CASE WHEN n / 50 %% 5 < 3 THEN NULL WHEN n / 50 %% 5 = 3 THEN 'won' ELSE 'lost' END,
  CASE WHEN n / 50 %% 5 < 3 THEN NULL ELSE now() END, '', '', 'Call', '{}', 'd' || n, now() - interval '100 days'
FROM generate_series(1, %(deals)s) AS n
JOIN LATERAL (SELECT * FROM pipeline_stage st WHERE st.organization_id = %(organization)s
  AND st.position = 1 + n / 250 %% 6) AS s ON true
"""

# The trigger dates versions now; nineteen deals in twenty haven't been touched for a hundred days.
AGE = """
SET session_replication_role = replica;
UPDATE pipeline_opportunityversion v SET valid_from = valid_from - interval '100 days',
  known_from = known_from - interval '100 days'
FROM pipeline_opportunity o WHERE o.organization_id = v.organization_id AND o.id = v.opportunity_id
  AND hashtext(o.external_id) % 20 <> 0;
SET session_replication_role = origin
"""
SCORE_HEALTH = """
INSERT INTO pipeline_health (organization_id, opportunity_id, score, failed, computed_at, computed_on)
SELECT organization_id, id, 70, '[{"check": "overdue", "title": "Close date passed", "penalty": 20, "detail": "By 3 d"},
  {"check": "quiet", "title": "Quiet", "penalty": 10, "detail": "No contact for 30 d"}]', now(), current_date
FROM pipeline_opportunity WHERE outcome IS NULL
"""
SCORE_RISK = """
INSERT INTO pipeline_risk (organization_id, opportunity_id, p_won, p_lost, p_slip, close_date, model, reasons,
  computed_at)
SELECT organization_id, id, 0.25, 0.25, 0.5, close_date, 'bench', '[]', now()
FROM pipeline_opportunity WHERE outcome IS NULL
"""


def insert_deals(organization_id: Any, rep_ids: list[Any], *, deals: int) -> None:
    """Through the ordinary table and its trigger, as the application's role."""
    from django.db import connection

    parameters: dict[str, Any] = {
        "organization": str(organization_id),
        "reps": [str(rep_id) for rep_id in rep_ids],
        "count": len(rep_ids),
        "deals": deals,
    }
    with connection.cursor() as cursor:
        cursor.execute(INSERT, parameters)


def keep_sums(organization_id: Any) -> None:
    """The weekly sums of the trends, as the daily job keeps them."""
    from django.utils import timezone

    from forecasting.trends.services import sums_refresh
    from otc.tenancy.context import use

    @contextlib.contextmanager
    def step() -> Iterator[None]:
        with use(organization_id):
            yield

    sums_refresh(step, now=timezone.now())
