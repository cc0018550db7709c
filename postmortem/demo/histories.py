"""Writes simulated deals with their history and what surrounds it, a batch at a time.

Where there are many, other processes live the deals and write their lines; this one hands them to the database.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult
from typing import Any
from uuid import UUID

from otc.demo.calls import CallDays, Ledger
from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.demo.simulation import simulate
from pipeline.history.models import HistoryRow
from pipeline.history.services import enter_staged, renew_statistics
from pipeline.opportunities.models import Opportunity
from postmortem.demo import helping
from postmortem.demo.copying import copy_lines
from postmortem.demo.ground import Ground
from postmortem.demo.lines import COLUMNS, Batch, Liner

# PostgreSQL plans for an empty organization until it has looked at a first small batch.
FIRST_DEALS = 500
# Up to a thousand deals the checked function goes by the staging table's key. For more it looks at the table first
# and then scans it whole, with all that earlier batches left there until the transaction ends: slower every time.
BATCH_DEALS = 1000
# Statistics are renewed whenever so many times as many deals are there.
LOOKS_AGAIN_AT = 12
# From so many deals on, contacts and milestones of deals closed long ago are left out: most rows, least asked for.
LEAN_FROM_DEALS = 200_000
LEAN_AFTER_DAYS = 180
AHEAD = 4  # batches that wait per process, which bounds the memory
Changes = dict[tuple[str, int], list[list[int]]]


@dataclass(frozen=True)
class Written:
    """How far it is: deals and versions written so far."""

    deals: int
    versions: int


def batches(count: int) -> list[range]:
    """The deals' numbers in batches, a small one first: 2,000 -> 0..499, 500..1499, 1500..1999."""
    bounds = [0, *range(min(FIRST_DEALS, count), count, BATCH_DEALS), count]
    return [range(start, end) for start, end in pairwise(bounds) if start < end]


class BatchMaker:
    """Lives the deals of a range and writes their lines: the same in whatever process."""

    def __init__(self, company: DemoCompany, ground: Ground) -> None:
        self.company = company
        days = company.workdays
        is_lean = company.deals >= LEAN_FROM_DEALS
        bare_before = days.midnight(max(days.today - LEAN_AFTER_DAYS, 0)) if is_lean else None
        self.liner = Liner(ground, seed=company.seed, bare_before=bare_before)
        self.call_days = CallDays(company)

    def make(self, numbers: range) -> tuple[Batch, Changes]:
        """The lines, and what the deals come to for those who call."""
        ledger = Ledger(self.company, call_days=self.call_days)
        start = self.company.workdays.midnight(0)
        run = str(demo_id(self.company.seed, kind="run", key=str(numbers.start), at=start))
        batch = Batch(run)
        for deal in simulate(self.company, numbers=numbers):
            self.liner.add(batch, deal)
            ledger.add(deal)
        return batch, ledger.changes


_maker: BatchMaker | None = None


def help_with(company: DemoCompany, ground: Ground) -> None:
    """Get ready to make batches: once in each helping process."""
    global _maker
    _maker = BatchMaker(company, ground)


def make_batch(numbers: range) -> tuple[Batch, Changes]:
    assert _maker is not None
    return _maker.make(numbers)


def made(company: DemoCompany, ground: Ground, *, processes: int) -> Iterator[tuple[Batch, Changes]]:
    """All batches in their order, made here (`processes` 0) or by that many others, a few ahead."""
    wanted = batches(company.deals)
    if not processes:
        maker = BatchMaker(company, ground)
        yield from map(maker.make, wanted)
        return
    # Not forked: a copy of this process would hold its connection to the database.
    told = pickle.dumps((company, ground))
    with get_context("spawn").Pool(processes, initializer=helping.start, initargs=(told,)) as pool:
        waiting: deque[AsyncResult[Any]] = deque()
        for numbers in wanted:
            waiting.append(pool.apply_async(make_batch, (numbers,)))
            if len(waiting) > AHEAD * processes:
                yield waiting.popleft().get()
        while waiting:
            yield waiting.popleft().get()


def deals_write(company: DemoCompany, ground: Ground, *, processes: int, ledger: Ledger) -> Iterator[Written]:
    """Write all deals into the organization in context; yields how far it is after each batch."""
    deals = versions = looked_at = 0
    for batch, changes in made(company, ground, processes=processes):
        for table, lines in batch.lines.items():
            copy_lines(table, columns=COLUMNS[table], lines=lines)
            if table is HistoryRow:
                versions += enter_staged(UUID(batch.run))
        Opportunity.objects.filter(id__in=batch.following).update(amount_follows_lines=True)
        ledger.merge(changes)
        deals += batch.count
        if deals >= looked_at * LOOKS_AGAIN_AT:
            renew_statistics()
            looked_at = deals
        yield Written(deals, versions)
