"""The database writes every version: the trigger for live edits, one checked function for entered history."""

from django.db import migrations

COLUMNS = [
    "name",
    "account_id",
    "owner_id",
    "process_id",
    "stage_id",
    "category",
    "category_set_by_person",
    "amount_minor",
    "currency",
    "close_date",
    "outcome",
    "closed_at",
    "reason_id",
    "competitor_id",
    "product_id",
    "source",
    "kind",
    "next_step",
    "next_step_on",
    "attributes",
    "deleted_at",
]
PLAIN = ", ".join(COLUMNS)
NEW = ", ".join(f"NEW.{column}" for column in COLUMNS)
OLD = ", ".join(f"OLD.{column}" for column in COLUMNS)
STAGED = ", ".join(f"h.{column}" for column in COLUMNS)
CURRENT = ", ".join(f"o.{column}" for column in COLUMNS)
FOREVER = "timestamptz '9999-01-01 00:00:00+00'"

TRIGGER = f"""
CREATE FUNCTION pipeline_record_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  moment timestamptz := clock_timestamp();
  started timestamptz;
  actor uuid := nullif(nullif(current_setting('otc.person', true), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  channel text := coalesce(nullif(current_setting('otc.channel', true), ''), 'task');
  provenance text := 'live';
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF NEW.id <> OLD.id OR NEW.organization_id <> OLD.organization_id THEN
      RAISE EXCEPTION 'a deal keeps its id and its organization' USING ERRCODE = 'check_violation';
    END IF;
    IF ({OLD}) IS NOT DISTINCT FROM ({NEW}) THEN
      RETURN NULL;
    END IF;
    SELECT v.valid_from INTO started FROM pipeline_opportunityversion v
    WHERE v.organization_id = NEW.organization_id AND v.opportunity_id = NEW.id
      AND v.valid_to = {FOREVER} AND v.known_to = {FOREVER};
    IF NOT FOUND THEN
      RAISE EXCEPTION 'deal % has no current version', NEW.id;
    END IF;
    moment := greatest(moment, started + interval '1 microsecond');
    UPDATE pipeline_opportunityversion v SET valid_to = moment
    WHERE v.organization_id = NEW.organization_id AND v.opportunity_id = NEW.id
      AND v.valid_to = {FOREVER} AND v.known_to = {FOREVER};
  ELSIF channel = 'import' THEN
    provenance := 'reconstructed';
  END IF;
  INSERT INTO pipeline_opportunityversion (organization_id, opportunity_id, valid_from, valid_to, known_from,
    known_to, actor_id, channel, provenance, {PLAIN})
  VALUES (NEW.organization_id, NEW.id, moment, {FOREVER}, moment, {FOREVER}, actor, channel, provenance, {NEW});
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_record_version() FROM PUBLIC;
CREATE TRIGGER opportunity_version AFTER INSERT OR UPDATE ON pipeline_opportunity
  FOR EACH ROW EXECUTE FUNCTION pipeline_record_version();
"""

ENTER = f"""
CREATE FUNCTION pipeline_enter_history(entered uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  org uuid := current_setting('otc.organization', true)::uuid;
  moment timestamptz;
  wrong record;
  written bigint;
BEGIN
  -- The locks come first, so that the clock below lies after every live edit that is already written.
  PERFORM 1 FROM pipeline_opportunity o WHERE o.organization_id = org AND o.id IN (
    SELECT h.opportunity_id FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered)
    ORDER BY o.id FOR UPDATE;
  moment := clock_timestamp();

  SELECT h.opportunity_id, h.at INTO wrong FROM pipeline_historyrow h
  WHERE h.organization_id = org AND h.run = entered AND h.at > moment LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'history of deal % lies in the future: %', wrong.opportunity_id, wrong.at USING ERRCODE = 'check_violation';
  END IF;

  CREATE TEMP TABLE entered_deal (opportunity_id uuid PRIMARY KEY, first_live timestamptz,
    is_correction boolean, last_at timestamptz) ON COMMIT DROP;
  INSERT INTO entered_deal
  SELECT h.opportunity_id, v.first_live, coalesce(v.has_imported, false), h.last_at
  FROM (SELECT opportunity_id, max(at) AS last_at FROM pipeline_historyrow
        WHERE organization_id = org AND run = entered GROUP BY opportunity_id) h
  LEFT JOIN LATERAL (
    SELECT min(x.valid_from) FILTER (WHERE x.provenance = 'live') AS first_live,
           bool_or(x.provenance IN ('imported', 'corrected')) AS has_imported
    FROM pipeline_opportunityversion x
    WHERE x.organization_id = org AND x.opportunity_id = h.opportunity_id AND x.known_to = {FOREVER}) v ON true;

  ANALYZE entered_deal;

  SELECT d.opportunity_id, d.last_at, d.first_live INTO wrong FROM entered_deal d WHERE d.last_at >= d.first_live LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'deal % was edited here from % on; history can only enter before that, not at %',
      wrong.opportunity_id, wrong.first_live, wrong.last_at USING ERRCODE = 'check_violation';
  END IF;
  SELECT d.opportunity_id INTO wrong FROM entered_deal d
  JOIN pipeline_historyrow h ON h.organization_id = org AND h.run = entered
    AND h.opportunity_id = d.opportunity_id AND h.at = d.last_at
  JOIN pipeline_opportunity o ON o.organization_id = org AND o.id = d.opportunity_id
  WHERE d.first_live IS NULL AND ({STAGED}) IS DISTINCT FROM ({CURRENT}) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'the history of deal % does not end in its present state', wrong.opportunity_id USING ERRCODE = 'check_violation';
  END IF;

  -- A reconstruction was only a stand-in: real history takes its place. What was imported before is corrected.
  DELETE FROM pipeline_opportunityversion v USING entered_deal d
  WHERE v.organization_id = org AND v.opportunity_id = d.opportunity_id AND v.provenance = 'reconstructed'
    AND NOT d.is_correction;
  UPDATE pipeline_opportunityversion v SET known_to = moment FROM entered_deal d
  WHERE v.organization_id = org AND v.opportunity_id = d.opportunity_id AND d.is_correction
    AND v.provenance <> 'live' AND v.known_to = {FOREVER};

  INSERT INTO pipeline_opportunityversion (organization_id, opportunity_id, valid_from, valid_to, known_from,
    known_to, actor_id, channel, provenance, {PLAIN})
  SELECT org, h.opportunity_id, h.at,
    coalesce(lead(h.at) OVER (PARTITION BY h.opportunity_id ORDER BY h.at), d.first_live, {FOREVER}),
    CASE WHEN d.is_correction THEN moment ELSE h.at END, {FOREVER}, h.actor_id, 'import',
    CASE WHEN d.is_correction THEN 'corrected' ELSE h.provenance END, {STAGED}
  FROM pipeline_historyrow h JOIN entered_deal d ON d.opportunity_id = h.opportunity_id
  WHERE h.organization_id = org AND h.run = entered;
  GET DIAGNOSTICS written = ROW_COUNT;
  DELETE FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered;
  DROP TABLE entered_deal;
  RETURN written;
END $$;
REVOKE ALL ON FUNCTION pipeline_enter_history(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_enter_history(uuid) TO otc_app;
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0002_fences")]

    operations = [
        migrations.RunSQL([(TRIGGER, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ENTER, None)], migrations.RunSQL.noop),
    ]
