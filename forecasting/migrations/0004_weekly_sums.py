"""Weekly sums, and the triggers that say from when on they no longer hold.

A change says so in a row of its own, in the transaction that makes it: nobody waits for anybody, and whoever sees the
change sees the row. Entered history is written as a replica writes, hence ALWAYS. Sums are of what was known at their
instant, so what is known only from today on changes none of the past.
"""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


STATE = ("owner_id", "category", "outcome", "amount_minor", "currency", "close_date", "deleted_at", "valid_from",
         "known_from", "opportunity_id")  # fmt: skip
BEGINS = "greatest({0}.valid_from, {0}.known_from)"
OLD, NEW = (", ".join(f"{alias}.{column}" for column in STATE) for alias in "on")
# Alias n is what was written, o what was there before.
VERSIONS = {
    "insert": f"SELECT n.organization_id, {BEGINS.format('n')} AS since FROM new_rows n",
    "update": f"""SELECT n.organization_id, least(
        CASE WHEN o.valid_to <> n.valid_to THEN least(o.valid_to, n.valid_to) END,
        CASE WHEN o.known_to <> n.known_to THEN least(o.known_to, n.known_to) END,
        CASE WHEN ({OLD}) IS DISTINCT FROM ({NEW}) THEN least({BEGINS.format("o")}, {BEGINS.format("n")}) END
      ) AS since FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id""",
    "delete": f"SELECT o.organization_id, {BEGINS.format('o')} AS since FROM old_rows o",
}
RATES = {
    "insert": "SELECT n.organization_id, n.known_from AS since FROM new_rows n",
    "update": """SELECT n.organization_id, CASE
        WHEN (o.currency, o.valid_from, o.known_from, o.rate) IS DISTINCT FROM
          (n.currency, n.valid_from, n.known_from, n.rate) THEN least(o.known_from, n.known_from)
        WHEN o.known_to <> n.known_to THEN least(o.known_to, n.known_to) END AS since
      FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id""",
    "delete": "SELECT o.organization_id, o.known_from AS since FROM old_rows o",
}
# Only a corrected creation: every new deal has a version of its own, which speaks for it.
CREATIONS = {
    "update": """SELECT n.organization_id, least(o.created_at, n.created_at) AS since FROM new_rows n
      JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id
      WHERE o.created_at <> n.created_at""",
}
TABLES = {
    "insert": "NEW TABLE AS new_rows",
    "update": "OLD TABLE AS old_rows NEW TABLE AS new_rows",
    "delete": "OLD TABLE AS old_rows",
}


def stale_trigger(table: str, verb: str, changed: str) -> str:
    name = f"{table}_sums_{verb}"
    return f"""
CREATE FUNCTION {name}() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO forecasting_sumsstale (organization_id, since)
  SELECT x.organization_id, min(x.since) FROM ({changed}) x WHERE x.since IS NOT NULL GROUP BY x.organization_id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION {name}() FROM PUBLIC;
CREATE TRIGGER {name} AFTER {verb.upper()} ON {table} REFERENCING {TABLES[verb]}
  FOR EACH STATEMENT EXECUTE FUNCTION {name}();
ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name};
"""


TRIGGERS = "".join(
    stale_trigger(table, verb, changed)
    for table, verbs in (
        ("pipeline_opportunityversion", VERSIONS),
        ("otc_rate", RATES),
        ("pipeline_opportunity", CREATIONS),
    )
    for verb, changed in verbs.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0003_calls"),
        ("otc", "0019_logo"),
        ("pipeline", "0035_closed_by_owner"),
    ]

    operations = [
        migrations.CreateModel(
            name="SumsStale",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("since", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "since"], name="sums_stale_since")],
            },
        ),
        migrations.CreateModel(
            name="WeeklySample",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("first", models.DateField()),
                ("end", models.DateField()),
                ("at", models.DateTimeField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "at"], name="weekly_sample_by_instant")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "first", "end", "at"), name="weekly_sample_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="WeeklySum",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("first", models.DateField()),
                ("end", models.DateField()),
                ("at", models.DateTimeField()),
                ("pipeline_minor", models.BigIntegerField()),
                ("best_case_minor", models.BigIntegerField()),
                ("most_likely_minor", models.BigIntegerField()),
                ("commit_minor", models.BigIntegerField()),
                ("no_category_minor", models.BigIntegerField()),
                ("open_count", models.BigIntegerField()),
                ("won_minor", models.BigIntegerField()),
                ("won_count", models.BigIntegerField()),
                ("created_minor", models.BigIntegerField()),
                ("created_count", models.BigIntegerField()),
                ("unconvertible_count", models.BigIntegerField()),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
                (
                    "owner",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "at"], name="weekly_sum_by_instant")],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "first", "end", "at", "owner"),
                        name="weekly_sum_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        Fence("WeeklySample"),
        Fence("WeeklySum"),
        # The application only reads and clears it: no page can say that a sum holds which doesn't.
        Fence("SumsStale", grants="SELECT, DELETE"),
        migrations.RunSQL([(TRIGGERS, None)], migrations.RunSQL.noop),
    ]
