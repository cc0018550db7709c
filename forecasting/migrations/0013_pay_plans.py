"""Pay plans: what was said stays, the application adds plans and reads them."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0012_dated_quotas"),
        ("otc", "0020_splits_deals"),
    ]

    operations = [
        migrations.CreateModel(
            name="PayPlan",
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
                        blank=True,
                        choices=[
                            ("rep", "Rep"),
                            ("manager", "Manager"),
                            ("executive", "Executive"),
                            ("administrator", "Administrator"),
                            ("integration", "Integration"),
                            ("operations", "Revenue operations"),
                        ],
                        default="",
                        max_length=16,
                    ),
                ),
                ("starts_on", models.DateField()),
                (
                    "cycle",
                    models.CharField(
                        choices=[("month", "Month"), ("quarter", "Quarter"), ("year", "Year")], max_length=8
                    ),
                ),
                ("tiers", models.JSONField()),
                ("is_withdrawn", models.BooleanField(default=False)),
                ("reason", models.CharField(max_length=500)),
                ("made_at", models.DateTimeField()),
                (
                    "made_by",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
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
                        fields=("organization", "person", "role", "starts_on", "made_at"),
                        name="pay_plan_once",
                        nulls_distinct=False,
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("person__isnull", True), models.Q(("role", ""), _negated=True)),
                            models.Q(("person__isnull", False), ("role", "")),
                            _connector="OR",
                        ),
                        name="pay_plan_of_one",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("cycle__in", ["month", "quarter", "year"])), name="pay_plan_cycle"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("reason", ""), _negated=True), name="pay_plan_says_why"
                    ),
                ],
            },
        ),
        Fence("PayPlan", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
    ]
