"""The audit's tables, and the chain: computed by the database at commit, so that no writer can avoid or forge it."""

import django.db.models.deletion
import django.db.models.functions.uuid
from django.db import migrations, models

from otc.tenancy.operations import OWN_ROWS, Fence

# One spelling per value, the one of Python's json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).
CANONICAL = """
CREATE FUNCTION otc_canonical(value jsonb) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
SET search_path = public, pg_temp AS $$
BEGIN
  CASE jsonb_typeof(value)
  WHEN 'object' THEN
    RETURN '{' || coalesce((SELECT string_agg(to_json(e.key)::text || ':' || otc_canonical(e.value), ','
      ORDER BY e.key COLLATE "C") FROM jsonb_each(value) AS e), '') || '}';
  WHEN 'array' THEN
    RETURN '[' || coalesce((SELECT string_agg(otc_canonical(e.value), ',' ORDER BY e.n)
      FROM jsonb_array_elements(value) WITH ORDINALITY AS e(value, n)), '') || ']';
  WHEN 'number' THEN
    IF value::text ~ '[^0-9-]' THEN
      RAISE EXCEPTION 'only whole numbers have one spelling: %', value USING ERRCODE = 'check_violation';
    END IF;
    RETURN value::text;
  ELSE
    RETURN value::text;
  END CASE;
END $$;
"""

# Runs with the writer's rights. What says who and when isn't the writer's to choose.
STAMP = """
CREATE FUNCTION otc_audit_stamp() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  NEW.sequence := NULL;
  NEW.previous_hash := '';
  NEW.hash := '';
  NEW.at := clock_timestamp();
  NEW.actor_id := nullif(nullif(current_setting('otc.person', true), ''), '00000000-0000-0000-0000-000000000000')::uuid;
  NEW.actor_name := coalesce((SELECT p.name FROM otc_person p
    WHERE p.organization_id = NEW.organization_id AND p.id = NEW.actor_id), '');
  NEW.channel := coalesce(nullif(current_setting('otc.channel', true), ''), 'task');
  PERFORM otc_canonical(NEW.detail);
  RETURN NEW;
END $$;
CREATE TRIGGER audit_stamp BEFORE INSERT ON otc_auditentry FOR EACH ROW EXECUTE FUNCTION otc_audit_stamp();
"""

# Deferred to commit: the lock on the chain's end is held for the length of a commit, not of a transaction.
# By then the setting may name another organization or none; the row's own was checked by its policy when written.
CHAIN = """
CREATE FUNCTION otc_audit_chain() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  before text := current_setting('otc.organization', true);
  chain otc_auditchain;
  chained text;
BEGIN
  PERFORM set_config('otc.organization', NEW.organization_id::text, true);
  INSERT INTO otc_auditchain (organization_id, sequence, hash) VALUES (NEW.organization_id, 0, repeat('0', 64))
    ON CONFLICT (organization_id) DO NOTHING;
  SELECT * INTO STRICT chain FROM otc_auditchain c WHERE c.organization_id = NEW.organization_id FOR UPDATE;
  chained := encode(sha256(convert_to(otc_canonical(jsonb_build_object(
    'id', NEW.id,
    'organization_id', NEW.organization_id,
    'sequence', chain.sequence + 1,
    'at', to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'actor_id', NEW.actor_id,
    'actor_name', NEW.actor_name,
    'channel', NEW.channel,
    'action', NEW.action,
    'subject_kind', NEW.subject_kind,
    'subject_id', NEW.subject_id,
    'summary', NEW.summary,
    'detail', NEW.detail,
    'request_id', NEW.request_id,
    'previous_hash', chain.hash)), 'UTF8')), 'hex');
  UPDATE otc_auditentry e SET sequence = chain.sequence + 1, previous_hash = chain.hash, hash = chained
    WHERE e.organization_id = NEW.organization_id AND e.id = NEW.id;
  UPDATE otc_auditchain c SET sequence = chain.sequence + 1, hash = chained
    WHERE c.organization_id = NEW.organization_id;
  PERFORM set_config('otc.organization', coalesce(before, ''), true);
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION otc_audit_chain() FROM PUBLIC;
CREATE CONSTRAINT TRIGGER audit_chained AFTER INSERT ON otc_auditentry DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION otc_audit_chain();
"""

# Nobody changes or deletes an entry by mistake, the tables' owner included; only the chain fills its place in, once.
KEEP = """
CREATE FUNCTION otc_audit_keep() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'UPDATE' THEN
    IF OLD.sequence IS NULL AND to_jsonb(OLD) - '{sequence,previous_hash,hash}'::text[]
        = to_jsonb(NEW) - '{sequence,previous_hash,hash}'::text[] THEN
      RETURN NEW;
    END IF;
  END IF;
  RAISE EXCEPTION 'an audit entry is neither changed nor deleted' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON otc_auditentry FOR EACH ROW EXECUTE FUNCTION otc_audit_keep();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("otc", "0003_operations"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sequence", models.BigIntegerField(default=0)),
                ("hash", models.CharField(max_length=64)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("organization",), name="audit_chain_once")],
            },
        ),
        migrations.CreateModel(
            name="AuditCheckpoint",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sequence", models.BigIntegerField()),
                ("hash", models.CharField(max_length=64)),
                ("made_at", models.DateTimeField()),
                ("findings", models.JSONField(default=list)),
                ("public_key", models.CharField(max_length=64)),
                ("signature", models.CharField(max_length=128)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "-made_at"], name="audit_checkpoint_latest")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditEntry",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("sequence", models.BigIntegerField(editable=False, null=True)),
                ("at", models.DateTimeField(editable=False, null=True)),
                ("actor_id", models.UUIDField(editable=False, null=True)),
                ("actor_name", models.CharField(blank=True, editable=False, max_length=200)),
                ("channel", models.CharField(blank=True, editable=False, max_length=10)),
                ("action", models.CharField(db_collation="C", max_length=60)),
                ("subject_kind", models.CharField(blank=True, db_collation="C", max_length=40)),
                ("subject_id", models.UUIDField(blank=True, null=True)),
                ("summary", models.CharField(blank=True, max_length=500)),
                ("detail", models.JSONField(default=dict)),
                ("request_id", models.CharField(blank=True, max_length=64)),
                ("previous_hash", models.CharField(blank=True, editable=False, max_length=64)),
                ("hash", models.CharField(blank=True, editable=False, max_length=64)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["organization", "actor_id", "sequence"], name="audit_by_actor"),
                    models.Index(fields=["organization", "action", "sequence"], name="audit_by_action"),
                    models.Index(fields=["organization", "subject_id", "sequence"], name="audit_by_subject"),
                    models.Index(fields=["organization", "at"], name="audit_by_day"),
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("organization", "sequence"), name="audit_sequence_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="AuditRefusal",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.db.models.functions.uuid.UUID7(),
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("person_id", models.UUIDField()),
                ("minute", models.DateTimeField()),
                ("what", models.CharField(db_collation="C", max_length=200)),
                ("count", models.BigIntegerField(default=1)),
                (
                    "organization",
                    models.ForeignKey(
                        db_index=False,
                        editable=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="otc.organization",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("organization", "minute", "person_id", "what"), name="audit_refusal_once"
                    )
                ],
            },
        ),
        Fence("AuditEntry", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
        Fence("AuditChain", OWN_ROWS, OWN_ROWS, "SELECT"),
        Fence("AuditCheckpoint", OWN_ROWS, OWN_ROWS, "SELECT, INSERT"),
        Fence("AuditRefusal"),
        migrations.RunSQL([(CANONICAL, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(STAMP, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(CHAIN, None)], migrations.RunSQL.noop),
        migrations.RunSQL([(KEEP, None)], migrations.RunSQL.noop),
    ]
