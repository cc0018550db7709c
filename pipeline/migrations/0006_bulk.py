"""Much at once: versions written statement by statement, history staged without keys and entered set by set.

Foreign keys are checked row by row, which takes four fifths of a bulk insert. The checked function asks instead
whether every record that its rows name exists, and locks those, as the keys' own triggers would; then it may write
as a replica does (session_replication_role), if roles.sql gave its owner that right. Without it the keys' triggers
check once more, slower and no safer. The application's role has no such right, and can't be given it by this.
"""

import importlib
from typing import Any

from django.db import migrations, models

history = importlib.import_module("pipeline.migrations.0003_history")
COLUMNS, FOREVER = history.COLUMNS, history.FOREVER
PLAIN = ", ".join(COLUMNS)
NEW, OLD, STAGED, CURRENT = (", ".join(f"{alias}.{column}" for column in COLUMNS) for alias in "noho")
# What a staged row names, and where that stands. The actor is nobody's state.
REFERENCES = {
    "account_id": "pipeline_account",
    "owner_id": "otc_person",
    "process_id": "pipeline_process",
    "stage_id": "pipeline_stage",
    "reason_id": "pipeline_closereason",
    "competitor_id": "pipeline_competitor",
    "product_id": "pipeline_product",
    "actor_id": "otc_person",
}
DECLARED = """
  moment timestamptz := clock_timestamp();
  actor uuid := nullif(nullif(current_setting('otc.person', true), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  channel text := coalesce(nullif(current_setting('otc.channel', true), ''), 'task');
"""
WRITTEN = f"""organization_id, opportunity_id, valid_from, valid_to, known_from, known_to, actor_id, channel,
    provenance, {PLAIN}"""

# By the time a statement's trigger runs, the statement holds the locks of all its rows: the clock is read under them.
TRIGGERS = f"""
DROP TRIGGER opportunity_version ON pipeline_opportunity;
DROP FUNCTION pipeline_record_version();

CREATE FUNCTION pipeline_keep_identity() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'a deal keeps its id and its organization' USING ERRCODE = 'check_violation';
END $$;
REVOKE ALL ON FUNCTION pipeline_keep_identity() FROM PUBLIC;
CREATE TRIGGER opportunity_identity BEFORE UPDATE ON pipeline_opportunity FOR EACH ROW
  WHEN (OLD.id <> NEW.id OR OLD.organization_id <> NEW.organization_id) EXECUTE FUNCTION pipeline_keep_identity();

CREATE FUNCTION pipeline_record_new() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE {DECLARED}
BEGIN
  INSERT INTO pipeline_opportunityversion ({WRITTEN})
  SELECT n.organization_id, n.id, moment, {FOREVER}, moment, {FOREVER}, actor, channel,
    CASE channel WHEN 'import' THEN 'reconstructed' ELSE 'live' END, {NEW}
  FROM new_rows n;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_record_new() FROM PUBLIC;
CREATE TRIGGER opportunity_version_new AFTER INSERT ON pipeline_opportunity
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pipeline_record_new();

CREATE FUNCTION pipeline_record_edit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE {DECLARED}
BEGIN
  -- A deal without a current version has no instant to go on from: valid_from stays empty, which the table refuses.
  WITH changed AS MATERIALIZED (
    SELECT n.* FROM new_rows n JOIN old_rows o ON o.organization_id = n.organization_id AND o.id = n.id
    WHERE ({OLD}) IS DISTINCT FROM ({NEW})
  ), ended AS (
    UPDATE pipeline_opportunityversion v SET valid_to = greatest(moment, v.valid_from + interval '1 microsecond')
    FROM changed n WHERE v.organization_id = n.organization_id AND v.opportunity_id = n.id
      AND v.valid_to = {FOREVER} AND v.known_to = {FOREVER}
    RETURNING v.organization_id, v.opportunity_id, v.valid_to
  )
  INSERT INTO pipeline_opportunityversion ({WRITTEN})
  SELECT n.organization_id, n.id, e.valid_to, {FOREVER}, e.valid_to, {FOREVER}, actor, channel, 'live', {NEW}
  FROM changed n LEFT JOIN ended e ON e.organization_id = n.organization_id AND e.opportunity_id = n.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_record_edit() FROM PUBLIC;
CREATE TRIGGER opportunity_version_edit AFTER UPDATE ON pipeline_opportunity
  REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pipeline_record_edit();
"""

# The keys' own triggers lock what they find in the same way: nobody can delete it before this is committed.
CHECKS = "\n".join(
    f"""
  SELECT coalesce(array_agg(x.id), '{{}}') INTO named FROM (SELECT DISTINCT h.{column} AS id FROM pipeline_historyrow h
    WHERE h.organization_id = org AND h.run = entered AND h.{column} IS NOT NULL) x;
  PERFORM 1 FROM {table} t WHERE t.organization_id = org AND t.id = ANY (named) FOR KEY SHARE;
  GET DIAGNOSTICS found_count = ROW_COUNT;
  IF found_count <> cardinality(named) THEN
    RAISE EXCEPTION 'history names a {column} that is not there' USING ERRCODE = 'foreign_key_violation';
  END IF;"""
    for column, table in REFERENCES.items()
)

ENTER = f"""
CREATE OR REPLACE FUNCTION pipeline_enter_history(entered uuid) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  org uuid := current_setting('otc.organization', true)::uuid;
  replication text := current_setting('session_replication_role');
  moment timestamptz;
  wrong record;
  named uuid[];
  staged_count bigint;
  found_count bigint;
  written bigint;
BEGIN
  -- The locks come first, so that the clock below lies after every live edit that is already written.
  PERFORM 1 FROM pipeline_opportunity o WHERE o.organization_id = org AND o.id IN (
    SELECT h.opportunity_id FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered)
    ORDER BY o.id FOR UPDATE;
  moment := clock_timestamp();

  CREATE TEMP TABLE entered_deal (opportunity_id uuid PRIMARY KEY, last_at timestamptz, is_made boolean,
    is_there boolean, first_live timestamptz, is_correction boolean) ON COMMIT DROP;
  INSERT INTO entered_deal
  SELECT h.opportunity_id, max(h.at), bool_or(h.created_at IS NOT NULL)
  FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered GROUP BY h.opportunity_id;
  GET DIAGNOSTICS staged_count = ROW_COUNT;
  ANALYZE entered_deal;
  IF staged_count > 1000 THEN
    ANALYZE pipeline_historyrow;
  END IF;

  SELECT d.opportunity_id, d.last_at INTO wrong FROM entered_deal d WHERE d.last_at > moment LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'history of deal % lies in the future: %', wrong.opportunity_id, wrong.last_at USING ERRCODE = 'check_violation';
  END IF;
{CHECKS}

  IF has_parameter_privilege(current_user, 'session_replication_role', 'SET') THEN
    PERFORM set_config('session_replication_role', 'replica', true);
  END IF;
  INSERT INTO pipeline_opportunity (organization_id, id, external_id, name_folded, created_at, {PLAIN})
  SELECT org, h.opportunity_id, h.external_id, h.name_folded, h.created_at, {STAGED}
  FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered AND h.created_at IS NOT NULL
  ORDER BY h.opportunity_id;

  UPDATE entered_deal d SET is_there = true, first_live = v.first_live, is_correction = coalesce(v.has_imported, false)
  FROM pipeline_opportunity o LEFT JOIN (
    SELECT x.opportunity_id, min(x.valid_from) FILTER (WHERE x.provenance = 'live') AS first_live,
      bool_or(x.provenance IN ('imported', 'corrected')) AS has_imported
    FROM pipeline_opportunityversion x JOIN entered_deal e ON e.opportunity_id = x.opportunity_id
    WHERE x.organization_id = org AND x.known_to = {FOREVER} GROUP BY x.opportunity_id) v ON v.opportunity_id = o.id
  WHERE o.organization_id = org AND o.id = d.opportunity_id;

  SELECT d.opportunity_id INTO wrong FROM entered_deal d WHERE d.is_there IS NULL LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'there is no deal % for its history', wrong.opportunity_id USING ERRCODE = 'foreign_key_violation';
  END IF;
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

  INSERT INTO pipeline_opportunityversion ({WRITTEN})
  SELECT org, h.opportunity_id, h.at,
    coalesce(lead(h.at) OVER (PARTITION BY h.opportunity_id ORDER BY h.at), d.first_live, {FOREVER}),
    CASE WHEN d.is_correction THEN moment ELSE h.at END, {FOREVER}, h.actor_id, 'import',
    CASE WHEN d.is_correction THEN 'corrected' ELSE h.provenance END, {STAGED}
  FROM pipeline_historyrow h JOIN entered_deal d ON d.opportunity_id = h.opportunity_id
  WHERE h.organization_id = org AND h.run = entered;
  GET DIAGNOSTICS written = ROW_COUNT;
  DELETE FROM pipeline_historyrow h WHERE h.organization_id = org AND h.run = entered;
  PERFORM set_config('session_replication_role', replication, true);
  DROP TABLE entered_deal;
  RETURN written;
END $$;
"""

KEYLESS = [*REFERENCES, "opportunity_id"]
DROP_KEYS: Any = [
    (f'ALTER TABLE pipeline_historyrow DROP CONSTRAINT "pipeline_historyrow_{column}_tenant_fk"', None)
    for column in KEYLESS
]


def plain_reference(column: str) -> list[migrations.operations.base.Operation]:
    """In Django's eyes a reference becomes a plain id in the same column."""
    return [
        migrations.RemoveField("historyrow", column.removesuffix("_id")),
        migrations.AddField(
            "historyrow",
            column,
            models.UUIDField(null=column != "opportunity_id", blank=column != "opportunity_id"),
        ),
    ]


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0005_buying")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(DROP_KEYS, migrations.RunSQL.noop),
                migrations.RunSQL("ALTER TABLE pipeline_historyrow SET UNLOGGED", migrations.RunSQL.noop),
            ],
            state_operations=[
                migrations.RemoveConstraint("historyrow", "history_row_once"),
                *(operation for column in KEYLESS for operation in plain_reference(column)),
                migrations.AddConstraint(
                    "historyrow",
                    models.UniqueConstraint(
                        fields=["organization", "run", "opportunity_id", "at"], name="history_row_once"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            "historyrow",
            "external_id",
            models.CharField(max_length=200, null=True, blank=True, db_collation="C"),
        ),
        migrations.AddField(
            "historyrow",
            "name_folded",
            models.CharField(max_length=300, null=True, blank=True, db_collation="C"),
        ),
        migrations.AddField("historyrow", "created_at", models.DateTimeField(null=True, blank=True)),
        migrations.RunSQL([(TRIGGERS, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ENTER, None)], migrations.RunSQL.noop),
    ]
