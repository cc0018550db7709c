"""Words are found with and without their accents, as pipeline.search.queries.plain takes both away; and leads by theirs.

Only what is searched changes: `name_folded`, by which names are one or two, keeps its accents.
"""

import importlib

from django.db import migrations

search = importlib.import_module("pipeline.migrations.0012_search")
notes = importlib.import_module("pipeline.migrations.0019_search_notes")

# Most texts are ASCII and pass at once; a translation letter by letter would take longer than all else here.
PLAIN = """
CREATE FUNCTION pipeline_search_plain(said text) RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS $$
BEGIN
  IF octet_length(said) = char_length(said) THEN
    RETURN said;
  END IF;
  RETURN replace(replace(replace(translate(
    normalize(regexp_replace(normalize(said, NFD), '[\\u0300-\\u036f]+', '', 'g'), NFC),
    'øłđðħŧı', 'olddhti'), 'æ', 'ae'), 'œ', 'oe'), 'þ', 'th');
END $$;
"""
TOKENS = f"""
CREATE OR REPLACE FUNCTION pipeline_search_tokens(name text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 4 AS $$
  SELECT DISTINCT w FROM unnest(string_to_array(translate(pipeline_search_plain(name), $m${search.MARKS}$m$,
    repeat(' ', {len(search.MARKS)})), ' ')) AS w
  WHERE w <> ''
$$;
"""

LEAD = notes.WRITE.format(
    kind="lead",
    table="pipeline_lead",
    column="said",
    watched="name, company, contact_name, email",
    only="",
    differs="(OLD.name, OLD.company, OLD.contact_name, OLD.email) "
    "IS DISTINCT FROM (NEW.name, NEW.company, NEW.contact_name, NEW.email)",
)
SAID = "concat_ws(' ', {row}.name, {row}.company, {row}.contact_name, {row}.email)"
LEAD = LEAD.replace("n.said", SAID.format(row="n"))

# What bears an accent is parted anew where it stands; the rest stays. Leads come in whole.
REFILL = f"""
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    WITH accented AS (
      DELETE FROM pipeline_searchtoken t WHERE octet_length(t.token) <> char_length(t.token)
        AND t.token <> pipeline_search_plain(t.token) RETURNING t.organization_id, t.kind, t.token, t.id
    )
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT a.organization_id, a.kind, CASE WHEN a.kind IN ('step', 'note') THEN left(t.token, 100) ELSE t.token END, a.id
      FROM accented a, pipeline_search_tokens(a.token) AS t(token)
    UNION
    SELECT l.organization_id, 'lead', t.token, l.id
      FROM pipeline_lead l, pipeline_search_words({SAID.format(row="l")}) AS t(token)
    ON CONFLICT DO NOTHING;
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0031_reason_retired")]

    operations = [
        migrations.RunSQL([(sql, None)], migrations.RunSQL.noop) for sql in (PLAIN, TOKENS, LEAD, REFILL)
    ]
