import datetime
import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence

# Which bit stands for which check, as pipeline/health/rules.py has them.
COUNTED = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE pipeline_health h SET checks = (
      SELECT coalesce(sum(DISTINCT 1 << (array_position(ARRAY['close_date_passed', 'no_next_step', 'next_step_overdue',
        'silent', 'stalled', 'pushed_often', 'pushed_this_week', 'amount_fell', 'single_threaded', 'no_decision_maker',
        'milestone_missing', 'moved_backward', 'close_date_implausible', 'no_amount', 'commit_at_risk'],
        f ->> 'check') - 1)), 0)
      FROM jsonb_array_elements(h.failed) AS f)
    WHERE organization_id = org;
  END LOOP;
  PERFORM set_config('otc.doorway', '', true);
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0019_logo"),
        ("pipeline", "0036_creation_index"),
    ]

    operations = [
        migrations.AddField(
            model_name="health",
            name="checks",
            field=models.IntegerField(db_default=0, default=0),
        ),
        migrations.CreateModel(
            name="HealthDay",
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
                ("band", models.CharField(db_collation="C", max_length=8)),
                ("deal_count", models.PositiveIntegerField()),
                ("amount_minor", models.BigIntegerField()),
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
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "day", "band", "owner"),
                        name="health_day_once",
                        nulls_distinct=False,
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HealthScale",
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
                ("penalties", models.JSONField(default=dict)),
                ("off", models.JSONField(default=list)),
                ("valid_from", models.DateTimeField()),
                (
                    "valid_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
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
                    "set_by",
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
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=("organization",),
                        name="health_scale_stands_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="HealthThreshold",
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
                ("won_deals", models.PositiveIntegerField()),
                ("stalled_days", models.PositiveIntegerField(null=True)),
                ("silent_days", models.PositiveIntegerField(null=True)),
                ("least_days_to_close", models.PositiveIntegerField(null=True)),
                ("valid_from", models.DateTimeField()),
                (
                    "valid_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
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
                    "stage",
                    otc.tenancy.fields.TenantForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="pipeline.stage",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=("organization", "stage"),
                        name="health_threshold_stands_once",
                    )
                ],
            },
        ),
        Fence("HealthDay"),
        Fence("HealthScale"),
        Fence("HealthThreshold"),
        migrations.RunSQL(COUNTED, migrations.RunSQL.noop),
    ]
