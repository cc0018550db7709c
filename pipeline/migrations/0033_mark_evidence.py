"""A marked milestone bears its evidence: a note and a link, who added them later, and the recipient who ticked it."""

import django.db.models.deletion
from django.db import migrations, models

import otc.tenancy.fields
from otc.tenancy.operations import foreign_key_sql

NOTED_BY = foreign_key_sql("pipeline_opportunitymilestone", "otc_person", "noted_by_id", "SET_NULL")
# What a close plan's recipient ticked was told in the note until now.
TICKED = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE pipeline_opportunitymilestone
      SET ticked_by = left(regexp_replace(note, '^by (.*) via close plan$', '\\1'), 200), note = ''
      WHERE organization_id = org AND marked_by_id IS NULL AND note ~ '^by .* via close plan$';
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0032_search_folded")]

    operations = [
        migrations.AddField(
            model_name="opportunitymilestone",
            name="ticked_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=200),
        ),
        migrations.AlterField(
            model_name="opportunitymilestone",
            name="note",
            field=models.CharField(blank=True, max_length=2000),
        ),
        migrations.AddField(
            model_name="opportunitymilestone",
            name="url",
            field=models.CharField(blank=True, db_default="", default="", max_length=2000),
        ),
        migrations.AddField(
            model_name="opportunitymilestone",
            name="noted_by",
            field=otc.tenancy.fields.TenantForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="otc.person",
            ),
        ),
        migrations.AddField(
            model_name="opportunitymilestone",
            name="noted_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunSQL([(NOTED_BY, None), (TICKED, None)], migrations.RunSQL.noop),
    ]
