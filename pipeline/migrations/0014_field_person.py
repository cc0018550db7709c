"""Reading whom a person field means must not fail on other words: what is guarded by a stable function alone is cast
while a plan is made, by the first calls of every session.
"""

from django.db import migrations

PERSON = r"""
CREATE OR REPLACE FUNCTION pipeline_field_person(attributes jsonb, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN attributes ->> name ~* '^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$'
    THEN (attributes ->> name)::uuid END
$$;
"""
BEFORE = r"""
CREATE OR REPLACE FUNCTION pipeline_field_person(attributes jsonb, name text) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN pg_input_is_valid(attributes ->> name, 'uuid') THEN (attributes ->> name)::uuid END
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("pipeline", "0013_search_index")]

    operations = [migrations.RunSQL(PERSON, BEFORE)]
