"""Sums of a period at the end of each of its weeks, by owner and by stage, and from when on they no longer hold."""

from django.db import models

from otc.tenancy.fields import TenantForeignKey, TenantModel
from otc.tenancy.models import Person
from pipeline.process.models import Stage


class Sampled(TenantModel):
    """What is summed: the period [first, end) as it stood at the instant `at`, and as it was known then."""

    first = models.DateField()
    end = models.DateField()
    at = models.DateTimeField()

    class Meta:
        abstract = True


class Summed(Sampled):
    """In the organization's minor units. Open categories are single; `created` counts the deals created in the period
    up to then, whenever they close, at what they were worth at that instant.
    """

    pipeline_minor = models.BigIntegerField()
    best_case_minor = models.BigIntegerField()
    most_likely_minor = models.BigIntegerField()
    commit_minor = models.BigIntegerField()
    no_category_minor = models.BigIntegerField()
    open_count = models.BigIntegerField()
    won_minor = models.BigIntegerField()
    won_count = models.BigIntegerField()
    created_minor = models.BigIntegerField()
    created_count = models.BigIntegerField()
    unconvertible_count = models.BigIntegerField()

    class Meta:
        abstract = True


class WeeklySample(Summed):
    """A moment whose sums are kept, and what everybody's come to: without it nobody could tell "nothing there" from
    "never summed".
    """

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organization", "first", "end", "at"], name="weekly_sample_once"),
        )
        # What an edit of the past takes back is found by its instant.
        indexes = (models.Index(fields=["organization", "at"], name="weekly_sample_by_instant"),)


class WeeklySum(Summed):
    """One owner's part of a sample."""

    owner = TenantForeignKey(Person, models.CASCADE, null=True, blank=True, related_name="+")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "first", "end", "at", "owner"],
                name="weekly_sum_once",
                nulls_distinct=False,
            ),
        )
        indexes = (models.Index(fields=["organization", "at"], name="weekly_sum_by_instant"),)


class StageWeek(Sampled):
    """Of the deals that were open in the period and in the stage at `at`: how many, and how many were won by `until`,
    the period's end; in corporate minor units. Both as they were known then. `stage` None: nothing else to tell, the
    week was looked at.
    """

    until = models.DateTimeField()
    stage = TenantForeignKey(Stage, models.CASCADE, null=True, blank=True, related_name="+")
    open_count = models.BigIntegerField(default=0)
    open_minor = models.BigIntegerField(default=0)
    won_count = models.BigIntegerField(default=0)
    won_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["organization", "first", "end", "at", "stage"],
                name="stage_week_once",
                nulls_distinct=False,
            ),
        )
        # What an edit of the past takes back is found by the later of its two instants.
        indexes = (models.Index(fields=["organization", "until"], name="stage_week_by_end"),)


class SumsStale(TenantModel):
    """What a deal, a rate or a creation was from this instant on has changed. Written by the database beside the
    change itself, in the same transaction: who sees the one sees the other.
    """

    since = models.DateTimeField()

    class Meta:
        indexes = (models.Index(fields=["organization", "since"], name="sums_stale_since"),)
