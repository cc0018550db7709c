"""A version that enters as history bears the id of its staged row: the same history comes in with the same ids."""

import importlib

from django.db import migrations

bulk = importlib.import_module("pipeline.migrations.0006_bulk")
keys = importlib.import_module("pipeline.migrations.0008_keys")

ENTER = keys.ENTER.replace(
    f"INSERT INTO pipeline_opportunityversion ({bulk.WRITTEN})\n  SELECT org, h.opportunity_id, h.at,",
    f"INSERT INTO pipeline_opportunityversion (id, {bulk.WRITTEN})\n  SELECT h.id, org, h.opportunity_id, h.at,",
)
assert ENTER != keys.ENTER


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0010_field_values")]

    operations = [migrations.RunSQL([(ENTER, None)], migrations.RunSQL.noop)]
