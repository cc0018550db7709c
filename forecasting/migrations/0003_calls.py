"""Calls: the application may add and read them, never change or delete one."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0002_fences"),
        ("otc", "0004_audit"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
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
                ("period", models.CharField(db_collation="C", max_length=8)),
                (
                    "column",
                    models.CharField(
                        choices=[
                            ("commit_cumulative", "Commit"),
                            ("most_likely_cumulative", "Most likely"),
                            ("best_case_cumulative", "Best case"),
                        ],
                        default="commit_cumulative",
                        max_length=24,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("note", models.CharField(blank=True, max_length=500)),
                ("submitted_at", models.DateTimeField()),
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
                    "person",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "submitted_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "period", "person", "column", "submitted_at"),
                        name="call_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("amount_minor__gte", 0)), name="call_not_negative"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "column__in",
                                ["commit_cumulative", "most_likely_cumulative", "best_case_cumulative"],
                            )
                        ),
                        name="call_column",
                    ),
                ],
            },
        ),
        Fence("Call", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
    ]
