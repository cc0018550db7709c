"""Whatever Python takes for a space parts the words of next steps and notes too: line ends, no-break spaces.

Names come folded, with single spaces, and had this already.
"""

from django.db import migrations

# What str.split() parts at, beside the space itself.
SPACES = (
    "\\t\\n\\u000b\\f\\r\\u001c\\u001d\\u001e\\u001f\\u0085\\u00a0\\u1680\\u2000\\u2001\\u2002\\u2003\\u2004\\u2005"
    "\\u2006\\u2007\\u2008\\u2009\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000"
)
COUNT = len(SPACES.encode().decode("unicode_escape"))

WORDS = f"""
CREATE OR REPLACE FUNCTION pipeline_search_words(said text) RETURNS SETOF text
LANGUAGE sql IMMUTABLE PARALLEL SAFE ROWS 6 AS $$
  SELECT DISTINCT left(t.token, 100) FROM pipeline_search_tokens(
    translate(casefold(said COLLATE pg_unicode_fast), E'{SPACES}', repeat(' ', {COUNT}))) AS t(token)
$$;
"""

# The words that were kept with a space in them are taken out, and those rows are parted again.
REFILL = f"""
DO $$
DECLARE org uuid;
BEGIN
  PERFORM set_config('otc.doorway', 'jobs', true);
  FOR org IN SELECT id FROM otc_organization LOOP
    PERFORM set_config('otc.organization', org::text, true);
    WITH wrong AS (
      DELETE FROM pipeline_searchtoken t WHERE t.kind IN ('step', 'note')
        AND t.token <> translate(t.token, E'{SPACES}', '') RETURNING t.organization_id, t.kind, t.id
    )
    INSERT INTO pipeline_searchtoken (organization_id, kind, token, id)
    SELECT w.organization_id, w.kind, t.token, w.id FROM (SELECT DISTINCT organization_id, kind, id FROM wrong) w
      JOIN pipeline_opportunity o ON w.kind = 'step' AND o.organization_id = w.organization_id AND o.id = w.id,
      pipeline_search_words(o.next_step) AS t(token)
    UNION ALL
    SELECT w.organization_id, w.kind, t.token, w.id FROM (SELECT DISTINCT organization_id, kind, id FROM wrong) w
      JOIN pipeline_activity a ON w.kind = 'note' AND a.organization_id = w.organization_id AND a.id = w.id,
      pipeline_search_words(a.subject) AS t(token)
    ON CONFLICT DO NOTHING;
  END LOOP;
  PERFORM set_config('otc.organization', '00000000-0000-0000-0000-000000000000', true);
  PERFORM set_config('otc.doorway', '', true);
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0019_search_notes")]

    operations = [migrations.RunSQL([(sql, None)], migrations.RunSQL.noop) for sql in (WORDS, REFILL)]
