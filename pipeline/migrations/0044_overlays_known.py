"""The mark that an organization splits deals is of overlay splits too: without it no report asks for them."""

from django.db import migrations

MARK = """
CREATE FUNCTION pipeline_mark_overlays() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE otc_organization SET splits_deals = true
  WHERE id IN (SELECT organization_id FROM written) AND NOT splits_deals;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_mark_overlays() FROM PUBLIC;
CREATE TRIGGER split_overlays AFTER INSERT ON pipeline_split
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION pipeline_mark_overlays();
ALTER TABLE pipeline_split ENABLE ALWAYS TRIGGER split_overlays;
"""
FILL = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE otc_organization SET splits_deals = true
    WHERE id = org AND EXISTS (SELECT FROM pipeline_split WHERE organization_id = org);
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0043_version_key")]

    operations = [
        migrations.RunSQL([(statement, None)], migrations.RunSQL.noop) for statement in (MARK, FILL)
    ]
