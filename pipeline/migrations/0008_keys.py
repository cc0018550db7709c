"""One key of a version serves its uniqueness and every way to it: one index less to keep with each edit.

And history entered by a delegate names a person who is there, as a key would have it.
"""

import importlib

from django.db import migrations, models

bulk = importlib.import_module("pipeline.migrations.0006_bulk")
# A version's acted_for_id is filled from the setting; whoever may write as a replica has to look first.
DELEGATE = """
  named := array_remove(ARRAY[nullif(nullif(current_setting('otc.acting_for', true), ''),
    '00000000-0000-0000-0000-000000000000')::uuid], NULL);
  PERFORM 1 FROM otc_person t WHERE t.organization_id = org AND t.id = ANY (named) FOR KEY SHARE;
  GET DIAGNOSTICS found_count = ROW_COUNT;
  IF found_count <> cardinality(named) THEN
    RAISE EXCEPTION 'history is entered for somebody who is not there' USING ERRCODE = 'foreign_key_violation';
  END IF;
"""
ENTER = bulk.ENTER.replace(bulk.CHECKS, bulk.CHECKS + DELEGATE)


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0007_team")]

    operations = [
        migrations.RemoveConstraint("opportunityversion", "version_starts_once"),
        migrations.RemoveIndex("opportunityversion", "version_by_opportunity"),
        migrations.AddConstraint(
            "opportunityversion",
            models.UniqueConstraint(
                fields=["organization", "opportunity", "valid_from", "known_to"], name="version_starts_once"
            ),
        ),
        migrations.RunSQL([(ENTER, None)], migrations.RunSQL.noop),
    ]
