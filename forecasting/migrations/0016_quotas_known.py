"""A mistyped quota is corrected on the days of its own; the organization says how a year is spread."""

import datetime
import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0015_stage_weeks"),
        ("otc", "0020_splits_deals"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuotaSeason",
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
                ("kind", models.CharField(max_length=8)),
                ("weights", models.JSONField()),
                ("said_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="quota",
            name="quota_starts_once",
        ),
        migrations.RemoveConstraint(
            model_name="quota",
            name="quota_once",
        ),
        migrations.AddField(
            model_name="quota",
            name="known_from",
            field=models.DateTimeField(
                db_default=datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc),
                default=datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc),
            ),
        ),
        migrations.AddField(
            model_name="quota",
            name="known_to",
            field=models.DateTimeField(
                db_default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc),
                default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc),
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=("organization", "period", "person", "type", "valid_from"),
                name="quota_starts_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                    ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)),
                ),
                fields=("organization", "period", "person", "type"),
                name="quota_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.CheckConstraint(
                condition=models.Q(("known_from__lt", models.F("known_to"))), name="quota_known"
            ),
        ),
        migrations.AddField(
            model_name="quotaseason",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="otc.organization",
            ),
        ),
        migrations.AddField(
            model_name="quotaseason",
            name="set_by",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddConstraint(
            model_name="quotaseason",
            constraint=models.UniqueConstraint(fields=("organization", "said_at"), name="quota_season_once"),
        ),
        migrations.AddConstraint(
            model_name="quotaseason",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["month", "quarter"])), name="quota_season_kind"
            ),
        ),
        Fence("QuotaSeason"),
    ]
