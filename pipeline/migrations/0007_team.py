"""Deal teams and splits, and for whom a delegate wrote a version."""

import datetime
import django.db.models.deletion
import django.db.models.functions.uuid
import otc.tenancy.fields
from django.db import migrations, models

from otc.tenancy.operations import Fence, foreign_key_sql

# Whoever writes a version names nobody here: it is the setting's word, as the actor is.
ACTED_FOR = """
ALTER TABLE pipeline_opportunityversion ALTER COLUMN acted_for_id SET DEFAULT
  nullif(nullif(current_setting('otc.acting_for', true), ''), '00000000-0000-0000-0000-000000000000')::uuid
"""
KEY = foreign_key_sql("pipeline_opportunityversion", "otc_person", "acted_for_id", "PROTECT")

# Deferred to commit, because a new set of splits replaces the old one row by row. By then the setting may name
# another organization or none; the row's own was checked by its policy when it was written.
SPLITS = """
CREATE FUNCTION pipeline_check_splits() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  before text := current_setting('otc.organization', true);
  changed pipeline_split := CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
  whole bigint;
BEGIN
  PERFORM set_config('otc.organization', changed.organization_id::text, true);
  SELECT sum(s.share_bp) INTO whole FROM pipeline_split s
  WHERE s.organization_id = changed.organization_id AND s.opportunity_id = changed.opportunity_id
    AND s.kind = 'revenue' AND s.valid_to = timestamptz '9999-01-01 00:00:00+00';
  PERFORM set_config('otc.organization', coalesce(before, ''), true);
  IF whole <> 10000 THEN
    RAISE EXCEPTION 'the revenue splits of deal % sum to % instead of 10000', changed.opportunity_id, whole
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER split_sums_to_whole AFTER INSERT OR UPDATE OR DELETE ON pipeline_split
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION pipeline_check_splits();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0006_delegation"),
        ("pipeline", "0006_bulk"),
    ]

    operations = [
        migrations.AddField(
            model_name="opportunityversion",
            name="acted_for",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.CreateModel(
            name="DealTeamMember",
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
                ("part", models.CharField(max_length=60)),
                ("valid_from", models.DateTimeField()),
                (
                    "valid_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
                    ),
                ),
                (
                    "added_by",
                    otc.tenancy.fields.TenantForeignKey(
                        blank=True,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
                    ),
                ),
                (
                    "removed_by",
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
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=["organization", "person", "opportunity"],
                        name="team_member_by_person",
                    ),
                    models.Index(
                        fields=["organization", "opportunity", "valid_from"], name="team_member_by_deal"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=("organization", "opportunity", "person"),
                        name="team_member_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_from__lte", models.F("valid_to"))),
                        name="team_member_interval",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Split",
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
                    models.CharField(choices=[("revenue", "Revenue"), ("overlay", "Overlay")], max_length=8),
                ),
                ("share_bp", models.PositiveIntegerField()),
                ("valid_from", models.DateTimeField()),
                (
                    "valid_to",
                    models.DateTimeField(
                        default=datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
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
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.person",
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
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=["organization", "person", "opportunity"],
                        name="split_by_person",
                    ),
                    models.Index(fields=["organization", "opportunity", "valid_from"], name="split_by_deal"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(
                            ("valid_to", datetime.datetime(9999, 1, 1, 0, 0, tzinfo=datetime.timezone.utc))
                        ),
                        fields=("organization", "opportunity", "kind", "person"),
                        name="split_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("share_bp__range", (1, 10000))), name="split_share"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["revenue", "overlay"])), name="split_kind"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("valid_from__lte", models.F("valid_to"))), name="split_interval"
                    ),
                ],
            },
        ),
        Fence("DealTeamMember"),
        Fence("Split"),
        migrations.RunSQL([(KEY, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ACTED_FOR, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(SPLITS, None)], migrations.RunSQL.noop),
    ]
