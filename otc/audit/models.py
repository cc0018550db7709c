"""Who did what, when: a log that the application can only add to, chained by hash, with checkpoints."""

from django.db import models

from otc.tenancy.fields import TenantModel


class AuditEntry(TenantModel):
    """One act. The database stamps instant, actor and channel, and at commit the place in the chain.

    `sequence`, `previous_hash` and `hash` are empty until the transaction that wrote the entry commits; what is
    hashed says docs/audit.md. The actor is no foreign key: the entry outlives the person.
    """

    sequence = models.BigIntegerField(null=True, editable=False)
    at = models.DateTimeField(null=True, editable=False)
    actor_id = models.UUIDField(null=True, editable=False)
    actor_name = models.CharField(max_length=200, blank=True, editable=False)
    channel = models.CharField(max_length=10, blank=True, editable=False)
    action = models.CharField(max_length=60, db_collation="C")
    subject_kind = models.CharField(max_length=40, blank=True, db_collation="C")
    subject_id = models.UUIDField(null=True, blank=True)
    summary = models.CharField(max_length=500, blank=True)
    detail = models.JSONField(default=dict)
    request_id = models.CharField(max_length=64, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(max_length=64, blank=True, editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "sequence"], name="audit_sequence_once"),
        )
        indexes = (
            models.Index(fields=["organization", "actor_id", "sequence"], name="audit_by_actor"),
            models.Index(fields=["organization", "action", "sequence"], name="audit_by_action"),
            models.Index(fields=["organization", "subject_id", "sequence"], name="audit_by_subject"),
            models.Index(fields=["organization", "at"], name="audit_by_day"),
        )


class AuditChain(TenantModel):
    """The end of an organization's chain: its last sequence number and hash. Only the trigger writes it."""

    sequence = models.BigIntegerField(default=0)
    hash = models.CharField(max_length=64)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organization"], name="audit_chain_once"),)


class AuditCheckpoint(TenantModel):
    """The whole chain was recomputed up to `sequence`, and this was found; signed, to be kept elsewhere too."""

    sequence = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    findings = models.JSONField(default=list)
    public_key = models.CharField(max_length=64)
    signature = models.CharField(max_length=128)

    class Meta:
        indexes = (models.Index(fields=["organization", "-made_at"], name="audit_checkpoint_latest"),)


class AuditRefusal(TenantModel):
    """How often a person was refused the same thing within one minute; becomes an entry when the minute is over."""

    person_id = models.UUIDField()
    minute = models.DateTimeField()
    what = models.CharField(max_length=200, db_collation="C")
    count = models.BigIntegerField(default=1)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "minute", "person_id", "what"], name="audit_refusal_once"
            ),
        )
