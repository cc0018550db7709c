"""Adjustments and forecast types: what was said stays, the application adds steps and filters and reads them."""

import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0009_locks"),
        ("otc", "0020_splits_deals"),
    ]

    operations = [
        migrations.CreateModel(
            name="ForecastType",
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
                ("name", models.CharField(max_length=100)),
                ("slug", models.CharField(db_collation="C", max_length=50)),
                ("position", models.PositiveSmallIntegerField()),
                ("retired_at", models.DateTimeField(blank=True, null=True)),
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
                "ordering": ("position", "id"),
            },
        ),
        migrations.CreateModel(
            name="AdjustmentStep",
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
                ("is_own", models.BooleanField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("absolute", "Instead of the amount below"),
                            ("delta", "On top of the amount below"),
                            ("withdrawn", "Withdrawn"),
                        ],
                        max_length=10,
                    ),
                ),
                ("amount_minor", models.BigIntegerField()),
                ("currency", models.CharField(max_length=3)),
                ("reason", models.CharField(max_length=500)),
                ("expires_on", models.DateField(blank=True, null=True)),
                ("base_minor", models.BigIntegerField()),
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
                    "type",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="forecasting.forecasttype",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ForecastTypeFilter",
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
                ("conditions", models.JSONField()),
                ("known_from", models.DateTimeField()),
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
                    "set_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "type",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="filters",
                        to="forecasting.forecasttype",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="forecasttype",
            constraint=models.UniqueConstraint(
                fields=("organization", "slug"), name="forecast_type_slug_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="forecasttype",
            constraint=models.CheckConstraint(
                condition=models.Q(("slug", ""), _negated=True), name="forecast_type_has_slug"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.UniqueConstraint(
                fields=("organization", "period", "type", "column", "person", "is_own", "made_at"),
                name="adjustment_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.CheckConstraint(
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
                name="adjustment_column",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["absolute", "delta", "withdrawn"])), name="adjustment_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "absolute"), _negated=True), ("amount_minor__gte", 0), _connector="OR"
                ),
                name="adjustment_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("is_own", True), ("person", models.F("author"))),
                    models.Q(
                        models.Q(("is_own", False)), models.Q(("person", models.F("author")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="adjustment_own_is_by_oneself",
            ),
        ),
        migrations.AddConstraint(
            model_name="adjustmentstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="adjustment_says_why"
            ),
        ),
        migrations.AddConstraint(
            model_name="forecasttypefilter",
            constraint=models.UniqueConstraint(
                fields=("organization", "type", "known_from"), name="forecast_type_filter_once"
            ),
        ),
        Fence("ForecastType", OWN_ROWS, OWN_ROWS, "SELECT, INSERT, UPDATE"),
        Fence("ForecastTypeFilter", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
        Fence("AdjustmentStep", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
    ]
