import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence


class Migration(migrations.Migration):
    dependencies = [
        ("forecasting", "0008_one_to_one"),
        ("otc", "0019_logo"),
    ]

    operations = [
        migrations.CreateModel(
            name="Lock",
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
                ("label", models.CharField(max_length=40)),
                ("first", models.DateField()),
                ("end", models.DateField()),
                ("locked_at", models.DateTimeField()),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("currency", models.CharField(max_length=3)),
                ("kept_at", models.DateTimeField(blank=True, null=True)),
                ("rules", models.JSONField(default=dict)),
                (
                    "locked_by",
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
        ),
        migrations.CreateModel(
            name="LockedRow",
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
                    "kind",
                    models.CharField(
                        choices=[("person", "Person"), ("unassigned", "Unassigned"), ("total", "Total")],
                        max_length=10,
                    ),
                ),
                ("place", models.PositiveIntegerField()),
                ("name", models.CharField(max_length=200)),
                ("title", models.CharField(blank=True, max_length=200)),
                ("depth", models.PositiveSmallIntegerField()),
                ("is_unassigned", models.BooleanField()),
                ("deal_count", models.PositiveIntegerField()),
                ("without_amount", models.PositiveIntegerField(default=0)),
                ("quota_minor", models.BigIntegerField(blank=True, null=True)),
                ("amounts", models.JSONField()),
                ("calls", models.JSONField(default=dict)),
                (
                    "lock",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rows",
                        to="forecasting.lock",
                    ),
                ),
                (
                    "manager",
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
        ),
        migrations.CreateModel(
            name="Rhythm",
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
                ("call_kind", models.CharField(max_length=8)),
                ("call_weekday", models.PositiveSmallIntegerField()),
                ("call_hour", models.PositiveSmallIntegerField()),
                ("reminds", models.BooleanField()),
                ("lock_grace_days", models.PositiveSmallIntegerField()),
                ("locks_weeks", models.BooleanField()),
                ("mails", models.BooleanField()),
                ("mail_weekday", models.PositiveSmallIntegerField()),
                ("mail_hour", models.PositiveSmallIntegerField()),
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
        ),
        migrations.CreateModel(
            name="Unlock",
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
                ("unlocked_at", models.DateTimeField()),
                ("reason", models.CharField(max_length=500)),
                (
                    "lock",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="unlocks",
                        to="forecasting.lock",
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
                    "unlocked_by",
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
        ),
        migrations.CreateModel(
            name="CallReminder",
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
                    "kind",
                    models.CharField(
                        choices=[
                            ("before", "Before the deadline"),
                            ("after", "After it"),
                            ("asked", "Asked for by a manager"),
                        ],
                        max_length=8,
                    ),
                ),
                ("day", models.DateField()),
                ("reminded_at", models.DateTimeField()),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "reminded_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "person", "kind", "day"), name="call_reminder_once"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ForecastMail",
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
                ("day", models.DateField()),
                ("claimed_at", models.DateTimeField()),
                ("sent_at", models.DateTimeField(blank=True, null=True)),
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "person", "day"), name="forecast_mail_once_a_day"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="lock",
            constraint=models.UniqueConstraint(
                fields=("organization", "period", "locked_at"), name="lock_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="lock",
            constraint=models.CheckConstraint(
                condition=models.Q(("first__lt", models.F("end"))), name="lock_has_days"
            ),
        ),
        migrations.AddConstraint(
            model_name="lockedrow",
            constraint=models.UniqueConstraint(
                fields=("organization", "lock", "place"), name="locked_row_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="lockedrow",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "person"), ("person__isnull", False)),
                    models.Q(("kind__in", ["unassigned", "total"]), ("person__isnull", True)),
                    _connector="OR",
                ),
                name="locked_row_person",
            ),
        ),
        migrations.AddConstraint(
            model_name="rhythm",
            constraint=models.UniqueConstraint(fields=("organization",), name="rhythm_once"),
        ),
        migrations.AddConstraint(
            model_name="rhythm",
            constraint=models.CheckConstraint(
                condition=models.Q(("call_kind__in", ["month", "quarter"])), name="rhythm_call_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="rhythm",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("call_weekday__lte", 6),
                    ("mail_weekday__lte", 6),
                    ("call_hour__lte", 23),
                    ("mail_hour__lte", 23),
                    ("lock_grace_days__lte", 60),
                ),
                name="rhythm_on_the_clock",
            ),
        ),
        migrations.AddConstraint(
            model_name="unlock",
            constraint=models.UniqueConstraint(fields=("organization", "lock"), name="unlock_once"),
        ),
        migrations.AddConstraint(
            model_name="unlock",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True), name="unlock_says_why"
            ),
        ),
        # What was kept stays: the grid is told once that it stands, and by which rules.
        Fence("Lock", OWN_ROWS, OWN_ROWS, "SELECT, INSERT, UPDATE (kept_at, rules)"),
        Fence("Unlock", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
        Fence("LockedRow", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
        Fence("Rhythm"),
        Fence("CallReminder"),
        Fence("ForecastMail"),
    ]
