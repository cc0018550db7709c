"""Of several words the rarest leads: the others are then asked for by id. And statistics look at the words too."""

from django.db import migrations

INDEX = "CREATE INDEX searchtoken_by_id ON pipeline_searchtoken (organization_id, kind, id, token)"
ANALYZE = """
CREATE OR REPLACE FUNCTION pipeline_analyze() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE pipeline_opportunity, pipeline_opportunityversion, pipeline_activity, pipeline_account, pipeline_contact,
    pipeline_product, pipeline_stage, pipeline_health, pipeline_risk, pipeline_buyingrole, pipeline_opportunitymilestone,
    pipeline_searchtoken, pipeline_opportunityfieldvalue, otc_person, otc_reportingline, otc_rate;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0012_search")]

    operations = [
        migrations.RunSQL([(INDEX, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ANALYZE, None)], migrations.RunSQL.noop),
    ]
