"""Buying roles, fenced; and statistics that look at them too."""

import datetime
import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


ANALYZE = """
CREATE OR REPLACE FUNCTION pipeline_analyze() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE pipeline_opportunity, pipeline_opportunityversion, pipeline_activity, pipeline_account, pipeline_contact,
    pipeline_product, pipeline_stage, pipeline_health, pipeline_risk, pipeline_buyingrole, pipeline_opportunitymilestone,
    otc_person, otc_reportingline, otc_rate;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0002_fences"),
        ("pipeline", "0004_analyze"),
    ]

    operations = [
        migrations.CreateModel(
            name="BuyingRole",
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
                (
                    "role",
                    models.CharField(
                        choices=[
                            ("champion", "Champion"),
                            ("economic_buyer", "Economic buyer"),
                            ("decision_maker", "Decision maker"),
                            ("influencer", "Influencer"),
                            ("user", "User"),
                            ("blocker", "Blocker"),
                        ],
                        max_length=16,
                    ),
                ),
                (
                    "influence",
                    models.CharField(
                        choices=[("low", "Low"), ("medium", "Medium"), ("high", "High")],
                        default="medium",
                        max_length=8,
                    ),
                ),
                (
                    "stance",
                    models.CharField(
                        choices=[
                            ("supporter", "Supporter"),
                            ("neutral", "Neutral"),
                            ("opponent", "Opponent"),
                            ("unknown", "Unknown"),
                        ],
                        default="unknown",
                        max_length=12,
                    ),
                ),
                ("valid_from", models.DateTimeField()),
                (
                    "valid_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
                    ),
                ),
                (
                    "contact",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipeline.contact",
                    ),
                ),
                (
                    "opportunity",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="buying_roles",
                        to="pipeline.opportunity",
                    ),
                ),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "opportunity", "contact", "role", "valid_from"),
                        name="buying_role_starts_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=("organization", "opportunity", "contact", "role"),
                        name="buying_role_current_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_from__lt", models.F("valid_to"))),
                        name="buying_role_interval",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "role__in",
                                [
                                    "champion",
                                    "economic_buyer",
                                    "decision_maker",
                                    "influencer",
                                    "user",
                                    "blocker",
                                ],
                            )
                        ),
                        name="buying_role_role",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("influence__in", ["low", "medium", "high"])),
                        name="buying_role_influence",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("stance__in", ["supporter", "neutral", "opponent", "unknown"])),
                        name="buying_role_stance",
                    ),
                ],
            },
        ),
        Fence("BuyingRole"),
        migrations.RunSQL([(ANALYZE, None)], migrations.RunSQL.noop),
    ]
