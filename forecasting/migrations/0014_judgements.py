"""How managers judge deals of their reports: the application adds steps and reads them."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0013_pay_plans"),
        ("otc", "0020_splits_deals"),
        ("pipeline", "0045_part_quickly"),
    ]

    operations = [
        migrations.CreateModel(
            name="DealJudgement",
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
                ("column", models.CharField(max_length=24)),
                (
                    "verdict",
                    models.CharField(
                        choices=[
                            ("in", "In my call"),
                            ("out", "Out of my call"),
                            ("amount", "In at my amount"),
                            ("date", "Closes on my date"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField(blank=True, null=True)),
                ("currency", models.CharField(max_length=3)),
                ("close_date", models.DateField(blank=True, null=True)),
                ("reason", models.CharField(max_length=500)),
                ("made_at", models.DateTimeField()),
                (
                    "author",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "opportunity",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
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
                (
                    "person",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "period", "column", "person", "opportunity", "made_at"),
                        name="judgement_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "column__in",
                                [
                                    "best_case",
                                    "best_case_cumulative",
                                    "commit",
                                    "commit_cumulative",
                                    "most_likely",
                                    "most_likely_cumulative",
                                ],
                            )
                        ),
                        name="judgement_column",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("verdict__in", ["in", "out", "amount", "date", "withdrawn"])),
                        name="judgement_verdict",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("amount_minor__gte", 0), ("verdict", "amount")),
                            models.Q(
                                models.Q(("verdict", "amount"), _negated=True), ("amount_minor__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="judgement_amount",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("close_date__isnull", False), ("verdict", "date")),
                            models.Q(
                                models.Q(("verdict", "date"), _negated=True), ("close_date__isnull", True)
                            ),
                            _connector="OR",
                        ),
                        name="judgement_date",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("person", models.F("author")), _negated=True),
                        name="judgement_by_the_manager",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="judgement_says_why"
                    ),
                ],
            },
        ),
        Fence("DealJudgement", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
    ]
