"""Much that comes in at once leaves PostgreSQL's statistics behind: whoever brings it in may have them renewed."""

from django.db import migrations

FUNCTION = """
CREATE FUNCTION pipeline_analyze() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  ANALYZE pipeline_opportunity, pipeline_opportunityversion, pipeline_activity, pipeline_account, pipeline_contact,
    pipeline_product, pipeline_stage, pipeline_health, pipeline_risk, otc_person, otc_reportingline, otc_rate;
END $$;
REVOKE ALL ON FUNCTION pipeline_analyze() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_analyze() TO otc_app;
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0003_history"), ("otc", "0002_fences")]

    operations = [migrations.RunSQL([(FUNCTION, None)], migrations.RunSQL.noop)]
