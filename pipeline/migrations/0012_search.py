"""Names are searched by the beginnings of their words: a table of words, kept by the database.

Under row-level security only leakproof operators use an index, and a search within names has none of those; a range
over words has. And: what hangs on deals as a trigger fires for those that come to be with their history, too.
"""

import importlib

from django.db import migrations

from otc.tenancy.operations import OWN_ROWS

keys = importlib.import_module("pipeline.migrations.0008_keys")
ids = importlib.import_module("pipeline.migrations.0011_version_ids")

TABLE = f"""
CREATE TABLE pipeline_searchtoken (
  organization_id uuid NOT NULL REFERENCES otc_organization (id) DEFERRABLE INITIALLY DEFERRED,
  kind text COLLATE "C" NOT NULL,
  token text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  PRIMARY KEY (organization_id, kind, token, id)
);
ALTER TABLE pipeline_searchtoken ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline_searchtoken FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant_only ON pipeline_searchtoken AS RESTRICTIVE FOR ALL TO PUBLIC
  USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS});
CREATE POLICY tenant ON pipeline_searchtoken AS PERMISSIVE FOR ALL TO PUBLIC
  USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS});
REVOKE ALL ON pipeline_searchtoken FROM otc_app;
GRANT SELECT ON pipeline_searchtoken TO otc_app;
"""

# The same marks part words in pipeline.search.
MARKS = " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~¡¢£¤¥¦§¨©«¬®¯°±´¶·¸»¿×÷‐‑‒–—―‘’‚‛“”„‟†‡•…‹›€™"
TOKENS = f"""
CREATE FUNCTION pipeline_search_tokens(name text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 4 AS $$
  SELECT DISTINCT w FROM unnest(string_to_array(translate(name, $m${MARKS}$m$, repeat(' ', {len(MARKS)})), ' ')) AS w
  WHERE w <> ''
$$;
"""

WRITE = """
CREATE FUNCTION pipeline_{noun}_tokens_new() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
  SELECT n.organization_id, '{kind}', t.token, n.id FROM new_rows n, pipeline_search_tokens(n.name_folded) AS t(token);
  RETURN NULL;
END $$;
CREATE FUNCTION pipeline_{noun}_tokens_changed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  DELETE FROM pipeline_searchtoken t WHERE t.organization_id = OLD.organization_id AND t.kind = '{kind}'
    AND t.token IN (SELECT pipeline_search_tokens(OLD.name_folded)) AND t.id = OLD.id;
  IF TG_OP = 'UPDATE' THEN
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT NEW.organization_id, '{kind}', t.token, NEW.id FROM pipeline_search_tokens(NEW.name_folded) AS t(token);
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_{noun}_tokens_new(), pipeline_{noun}_tokens_changed() FROM PUBLIC;
CREATE TRIGGER {noun}_tokens_new AFTER INSERT ON pipeline_{noun}
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION pipeline_{noun}_tokens_new();
CREATE TRIGGER {noun}_tokens_renamed AFTER UPDATE OF name_folded ON pipeline_{noun} FOR EACH ROW
  WHEN (OLD.name_folded IS DISTINCT FROM NEW.name_folded) EXECUTE FUNCTION pipeline_{noun}_tokens_changed();
CREATE TRIGGER {noun}_tokens_gone AFTER DELETE ON pipeline_{noun} FOR EACH ROW
  EXECUTE FUNCTION pipeline_{noun}_tokens_changed();
"""
KINDS = {"opportunity": "deal", "account": "account"}

# Deals that come to be with their history are written as a replica writes: triggers fire that are to fire always.
ALWAYS = """
ALTER TABLE pipeline_opportunity ENABLE ALWAYS TRIGGER opportunity_tokens_new;
ALTER TABLE pipeline_opportunity ENABLE ALWAYS TRIGGER opportunity_field_values_inserted;
"""

# What the values of custom fields name is locked as their keys' own triggers would.
FIELDS = """
  PERFORM 1 FROM otc_customfield f WHERE f.organization_id = org FOR KEY SHARE;
  IF EXISTS (SELECT FROM otc_customfield f WHERE f.organization_id = org AND f.kind = 'person') THEN
    PERFORM 1 FROM otc_person p WHERE p.organization_id = org FOR KEY SHARE;
  END IF;
"""
ENTER = ids.ENTER.replace(keys.DELEGATE, keys.DELEGATE + FIELDS)
assert ENTER != ids.ENTER

# The owner is bound by the fences: what is there already is read organization by organization.
FILL = """
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT o.organization_id, 'deal', t.token, o.id
      FROM pipeline_opportunity o, pipeline_search_tokens(o.name_folded) AS t(token)
    UNION ALL SELECT a.organization_id, 'account', t.token, a.id
      FROM pipeline_account a, pipeline_search_tokens(a.name_folded) AS t(token);
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0011_version_ids")]

    operations = [
        migrations.RunSQL([(TABLE, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(TOKENS, None)], migrations.RunSQL.noop),
        *(
            migrations.RunSQL([(WRITE.format(noun=noun, kind=kind), None)], migrations.RunSQL.noop)
            for noun, kind in KINDS.items()
        ),
        migrations.RunSQL([(ALWAYS, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(ENTER, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(FILL, None)], migrations.RunSQL.noop),
    ]
