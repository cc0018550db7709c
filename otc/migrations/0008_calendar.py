"""Which shape the fiscal years have, from which year on."""

import datetime

import django.db.models.deletion
import django.db.models.functions.uuid
import django.utils.timezone
from django.db import migrations, models

from otc.tenancy.operations import Fence


class Migration(migrations.Migration):
    dependencies = [("otc", "0007_imports")]

    operations = [
        migrations.CreateModel(
            name="FiscalCalendar",
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
                ("from_year", models.PositiveSmallIntegerField()),
                ("basis", models.CharField(choices=[("months", "Months"), ("weeks", "Weeks")], max_length=8)),
                ("month", models.PositiveSmallIntegerField()),
                ("named_by", models.CharField(choices=[("end", "end"), ("start", "start")], max_length=8)),
                ("pattern", models.CharField(blank=True, max_length=8)),
                ("weekday", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("ending", models.CharField(blank=True, max_length=8)),
                ("known_from", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "known_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
                    ),
                ),
                ("before", models.JSONField(default=dict)),
            ],
        ),
        migrations.AddField(
            model_name="fiscalcalendar",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="otc.organization",
            ),
        ),
        migrations.AddConstraint(
            model_name="fiscalcalendar",
            constraint=models.UniqueConstraint(
                condition=models.Q(
                    ("known_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                ),
                fields=("organization", "from_year"),
                name="calendar_year_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="fiscalcalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(("known_from__lt", models.F("known_to"))), name="calendar_known_interval"
            ),
        ),
        migrations.AddConstraint(
            model_name="fiscalcalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__range", (1, 12))), name="calendar_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="fiscalcalendar",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("basis", "months"), ("ending", ""), ("pattern", ""), ("weekday__isnull", True)),
                    models.Q(
                        ("basis", "weeks"),
                        ("ending__in", ["last", "nearest"]),
                        ("pattern__in", ["4-4-5", "4-5-4", "5-4-4"]),
                        ("weekday__range", (0, 6)),
                    ),
                    _connector="OR",
                ),
                name="calendar_shape",
            ),
        ),
        Fence("FiscalCalendar"),
    ]
