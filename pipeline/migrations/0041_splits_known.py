"""The organization says whether it ever split a deal: the database marks it with the first split version."""

from django.db import migrations

# Whoever saves an organization that was read before doesn't take the mark away.
MARK = """
CREATE FUNCTION otc_keep_splits_deals() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  NEW.splits_deals := true;
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION otc_keep_splits_deals() FROM PUBLIC;
CREATE TRIGGER organization_splits_deals BEFORE UPDATE ON otc_organization FOR EACH ROW
  WHEN (OLD.splits_deals AND NOT NEW.splits_deals) EXECUTE FUNCTION otc_keep_splits_deals();

CREATE FUNCTION pipeline_mark_splits() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM written WHERE split_people IS NOT NULL) THEN
    UPDATE otc_organization SET splits_deals = true
    WHERE id IN (SELECT organization_id FROM written WHERE split_people IS NOT NULL) AND NOT splits_deals;
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_mark_splits() FROM PUBLIC;
CREATE TRIGGER version_splits AFTER INSERT ON pipeline_opportunityversion
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION pipeline_mark_splits();
ALTER TABLE pipeline_opportunityversion ENABLE ALWAYS TRIGGER version_splits;
"""
FILL = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    UPDATE otc_organization SET splits_deals = true WHERE id = org AND EXISTS (
      SELECT FROM pipeline_opportunityversion WHERE organization_id = org AND split_people IS NOT NULL);
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0020_splits_deals"),
        ("pipeline", "0040_parts"),
    ]

    operations = [
        migrations.RunSQL([(statement, None)], migrations.RunSQL.noop) for statement in (MARK, FILL)
    ]
