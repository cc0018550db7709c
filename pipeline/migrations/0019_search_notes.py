"""Deals are found by their contacts, next steps and notes too, through the same table of words.

Names come folded; what is written freely is folded here, as Python's casefold does, and its words are cut: an index
holds no word of a thousand letters.
"""

import importlib

from django.db import migrations

search = importlib.import_module("pipeline.migrations.0012_search")

WORDS = """
CREATE FUNCTION pipeline_search_words(said text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 6 AS $$
  SELECT DISTINCT left(t.token, 100) FROM pipeline_search_tokens(casefold(said COLLATE pg_unicode_fast)) AS t(token)
$$;
"""

WRITE = """
CREATE FUNCTION pipeline_{kind}_tokens_new() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
  SELECT n.organization_id, '{kind}', t.token, n.id FROM new_rows n, pipeline_search_words(n.{column}) AS t(token)
  WHERE n.{column} <> ''{only};
  RETURN NULL;
END $$;
CREATE FUNCTION pipeline_{kind}_tokens_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM pipeline_searchtoken t WHERE t.organization_id = OLD.organization_id AND t.kind = '{kind}' AND t.id = OLD.id;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT n.organization_id, '{kind}', t.token, n.id FROM (SELECT NEW.*) n, pipeline_search_words(n.{column}) AS t(token)
    WHERE n.{column} <> ''{only};
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_{kind}_tokens_new(), pipeline_{kind}_tokens_changed() FROM PUBLIC;
CREATE TRIGGER {kind}_tokens_new AFTER INSERT ON {table}
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pipeline_{kind}_tokens_new();
CREATE TRIGGER {kind}_tokens_changed AFTER UPDATE OF {watched} ON {table} FOR EACH ROW
  WHEN ({differs}) EXECUTE FUNCTION pipeline_{kind}_tokens_changed();
CREATE TRIGGER {kind}_tokens_gone AFTER DELETE ON {table} FOR EACH ROW
  EXECUTE FUNCTION pipeline_{kind}_tokens_changed();
"""
STEP = WRITE.format(
    kind="step",
    table="pipeline_opportunity",
    column="next_step",
    watched="next_step",
    only="",
    differs="OLD.next_step IS DISTINCT FROM NEW.next_step",
)
# Calls and mails bear subjects by the million; a note is what somebody wrote to be found again.
NOTE = WRITE.format(
    kind="note",
    table="pipeline_activity",
    column="subject",
    watched="subject, kind",
    only=" AND n.kind = 'note'",
    differs="OLD.subject IS DISTINCT FROM NEW.subject OR OLD.kind IS DISTINCT FROM NEW.kind",
)
CONTACT = search.WRITE.format(noun="contact", kind="contact")

ALWAYS = "ALTER TABLE pipeline_opportunity ENABLE ALWAYS TRIGGER step_tokens_new"

FILL = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT c.organization_id, 'contact', t.token, c.id
      FROM pipeline_contact c, pipeline_search_tokens(c.name_folded) AS t(token)
    UNION ALL SELECT o.organization_id, 'step', t.token, o.id
      FROM pipeline_opportunity o, pipeline_search_words(o.next_step) AS t(token)
    UNION ALL SELECT a.organization_id, 'note', t.token, a.id
      FROM pipeline_activity a, pipeline_search_words(a.subject) AS t(token) WHERE a.kind = 'note';
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0018_deal_views")]

    operations = [
        migrations.RunSQL([(sql, None)], migrations.RunSQL.noop)
        for sql in (WORDS, STEP, NOTE, CONTACT, ALWAYS, FILL)
    ]
