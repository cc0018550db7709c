"""Custom fields in SQL: how a value is read from attributes, and the triggers that keep the typed table true."""

from django.db import migrations

# Each gives NULL for what isn't set or can't be read; otc.fields.rules.stored reads the same in Python.
READERS = r"""
CREATE FUNCTION pipeline_field_folded(words text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT lower(btrim(regexp_replace(words, '\s+', ' ', 'g')))
$$;
CREATE FUNCTION pipeline_field_words(attributes jsonb, name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN jsonb_typeof(attributes -> name) = 'string' THEN nullif(attributes ->> name, '') END
$$;
CREATE FUNCTION pipeline_field_text(attributes jsonb, name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT left(pipeline_field_folded(pipeline_field_words(attributes, name)), 500)
$$;
CREATE FUNCTION pipeline_field_number(attributes jsonb, name text) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN jsonb_typeof(attributes -> name) = 'number' AND abs((attributes ->> name)::numeric) <= 9000000000000
      OR attributes ->> name ~ '^-?\d{1,12}(\.\d{1,6})?$'
    THEN trunc((attributes ->> name)::numeric * 1000000)::bigint END
$$;
CREATE FUNCTION pipeline_field_minor(attributes jsonb, name text, kept_in text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE
    WHEN jsonb_typeof(attributes -> name) = 'object' AND attributes -> name ->> 'currency' = kept_in
      AND attributes -> name ->> 'amount_minor' ~ '^-?\d{1,16}$' THEN (attributes -> name ->> 'amount_minor')::bigint
    WHEN jsonb_typeof(attributes -> name) = 'string' AND attributes ->> name ~ '^-?\d{1,12}(\.\d{1,6})?$'
      AND (attributes ->> name)::numeric = round((attributes ->> name)::numeric, otc_decimals(kept_in))
      THEN ((attributes ->> name)::numeric * power(10::numeric, otc_decimals(kept_in)))::bigint END
$$;
CREATE FUNCTION pipeline_field_day(attributes jsonb, name text) RETURNS date LANGUAGE sql STABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN attributes ->> name ~ '^\d{4}-\d{2}-\d{2}$' AND pg_input_is_valid(attributes ->> name, 'date')
    THEN (attributes ->> name)::date END
$$;
CREATE FUNCTION pipeline_field_option(attributes jsonb, name text, options jsonb) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT o ->> 'key' FROM jsonb_array_elements(options) WITH ORDINALITY AS e(o, place)
  WHERE o ->> 'key' = attributes ->> name OR o -> 'aliases' ? (attributes ->> name) ORDER BY place LIMIT 1
$$;
CREATE FUNCTION pipeline_field_person(attributes jsonb, name text) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_input_is_valid(attributes ->> name, 'uuid') THEN (attributes ->> name)::uuid END
$$;
"""

VALUES = """
  INSERT INTO pipeline_opportunityfieldvalue (organization_id, field_id, opportunity_id, text, number, day, person_id)
  SELECT * FROM (SELECT d.organization_id, f.id, d.id,
    CASE f.kind WHEN 'text' THEN pipeline_field_text(d.attributes, f.attribute)
      WHEN 'choice' THEN pipeline_field_option(d.attributes, f.attribute, f.options) END AS text,
    CASE f.kind WHEN 'number' THEN pipeline_field_number(d.attributes, f.attribute)
      WHEN 'money' THEN pipeline_field_minor(d.attributes, f.attribute, f.currency) END AS number,
    CASE f.kind WHEN 'date' THEN pipeline_field_day(d.attributes, f.attribute) END AS day,
    CASE f.kind WHEN 'person' THEN (SELECT p.id FROM otc_person p WHERE p.organization_id = d.organization_id
      AND p.id = pipeline_field_person(d.attributes, f.attribute)) END AS person_id
  FROM {deals} d JOIN otc_customfield f ON f.organization_id = d.organization_id AND f.object = 'deal'
    AND d.attributes ? f.attribute
  WHERE {condition}) r WHERE num_nonnulls(r.text, r.number, r.day, r.person_id) > 0
"""

# Statements, not rows: an import of a hundred thousand deals asks once.
TRIGGERS = f"""
CREATE FUNCTION pipeline_field_values_inserted() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM otc_customfield f WHERE f.object = 'deal') THEN
    {VALUES.format(deals="written", condition="true")};
  END IF;
  RETURN NULL;
END $$;
CREATE FUNCTION pipeline_field_values_updated() RETURNS trigger
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF EXISTS (SELECT FROM otc_customfield f WHERE f.object = 'deal') THEN
    DELETE FROM pipeline_opportunityfieldvalue v
    USING written n JOIN replaced o ON o.organization_id = n.organization_id AND o.id = n.id
      JOIN otc_customfield f ON f.organization_id = n.organization_id AND f.object = 'deal'
    WHERE v.organization_id = n.organization_id AND v.opportunity_id = n.id AND v.field_id = f.id
      AND o.attributes -> f.attribute IS DISTINCT FROM n.attributes -> f.attribute;
    {
    VALUES.format(
        deals="written",
        condition="EXISTS (SELECT FROM replaced o WHERE o.organization_id = d.organization_id AND o.id = d.id "
        "AND o.attributes -> f.attribute IS DISTINCT FROM d.attributes -> f.attribute)",
    )
};
  END IF;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION pipeline_field_values_inserted(), pipeline_field_values_updated() FROM PUBLIC;
CREATE TRIGGER opportunity_field_values_inserted AFTER INSERT ON pipeline_opportunity
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION pipeline_field_values_inserted();
CREATE TRIGGER opportunity_field_values_updated AFTER UPDATE ON pipeline_opportunity
  REFERENCING NEW TABLE AS written OLD TABLE AS replaced FOR EACH STATEMENT
  EXECUTE FUNCTION pipeline_field_values_updated();
"""

# A changed definition reads its values anew.
REBUILD = f"""
CREATE FUNCTION pipeline_rebuild_field_values(wanted uuid) RETURNS bigint
LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  counted bigint;
BEGIN
  DELETE FROM pipeline_opportunityfieldvalue v
  WHERE v.organization_id = (SELECT current_setting('otc.organization', true)::uuid) AND v.field_id = wanted;
  {
    VALUES.format(
        deals="pipeline_opportunity",
        condition="f.id = wanted AND d.organization_id = (SELECT current_setting('otc.organization', true)::uuid)",
    )
};
  GET DIAGNOSTICS counted = ROW_COUNT;
  RETURN counted;
END $$;
REVOKE ALL ON FUNCTION pipeline_rebuild_field_values(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION pipeline_rebuild_field_values(uuid) TO otc_app;
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0009_custom_fields")]

    operations = [
        migrations.RunSQL([(READERS, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(TRIGGERS, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(REBUILD, None)], migrations.RunSQL.noop),
    ]
