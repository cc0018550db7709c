"""Quotas have the time in which they held, a forecast type, who set them and why; new reps ramp up."""

import datetime
import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence, foreign_key_sql


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0011_typed_calls"),
        ("otc", "0020_splits_deals"),
    ]

    operations = [
        migrations.CreateModel(
            name="QuotaRamp",
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
                ("starts_on", models.DateField()),
                ("shares", models.JSONField()),
                ("said_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="quota",
            name="quota_once",
        ),
        migrations.AddField(
            model_name="quota",
            name="reason",
            field=models.CharField(blank=True, default="", max_length=300),
        ),
        migrations.AddField(
            model_name="quota",
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
        migrations.AddField(
            model_name="quota",
            name="type",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="forecasting.forecasttype",
            ),
        ),
        migrations.AddField(
            model_name="quota",
            name="valid_from",
            field=models.DateTimeField(
                default=datetime.datetime(1900, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
            ),
        ),
        migrations.AddField(
            model_name="quota",
            name="valid_to",
            field=models.DateTimeField(
                default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(
                fields=("organization", "period", "person", "type", "valid_from"),
                name="quota_starts_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=("organization", "period", "person", "type"),
                name="quota_once",
                nulls_distinct=False,
            ),
        ),
        migrations.AddConstraint(
            model_name="quota",
            constraint=models.CheckConstraint(
                condition=models.Q(("valid_from__lt", models.F("valid_to"))), name="quota_interval"
            ),
        ),
        migrations.AddField(
            model_name="quotaramp",
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
            model_name="quotaramp",
            name="person",
            field=otc.tenancy.fields.TenantForeignKey(
                db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name="+", to="otc.person"
            ),
        ),
        migrations.AddField(
            model_name="quotaramp",
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
            model_name="quotaramp",
            constraint=models.UniqueConstraint(
                fields=("organization", "person", "said_at"), name="quota_ramp_once"
            ),
        ),
        *(
            migrations.RunSQL(
                [(foreign_key_sql("forecasting_quota", table, column, rule), None)], migrations.RunSQL.noop
            )
            for table, column, rule in (
                ("forecasting_forecasttype", "type_id", "PROTECT"),
                ("otc_person", "set_by_id", "SET_NULL"),
            )
        ),
        Fence("QuotaRamp"),
    ]
