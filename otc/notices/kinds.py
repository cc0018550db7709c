"""What people are told of, and how, unless they choose otherwise. No Django."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Ways:
    """How one is told: below the bell, in the daily digest, by a mail of its own at once."""

    in_app: bool = True
    in_digest: bool = True
    is_mailed: bool = False

    @property
    def is_off(self) -> bool:
        return not (self.in_app or self.in_digest or self.is_mailed)


@dataclass(frozen=True)
class NoticeKind:
    """`label` completes “Tell me when …”."""

    key: str
    label: str
    usual: Ways


MENTION, ASSIGNED = "mention", "assigned"
APPROVAL_ASKED, APPROVAL_ANSWERED = "approval_asked", "approval_answered"
AT_RISK, CLOSE_DATE_PASSED, MILESTONE_DUE = "at_risk", "close_date_passed", "milestone_due"
BIG_DEAL, CLOSE_PLAN, WORK = "big_deal", "close_plan", "work"
ALERT = "alert"
CALL_DUE, WEEKLY_FORECAST = "call_due", "weekly_forecast"

NOTICE_KINDS = (
    NoticeKind(MENTION, "somebody mentions me in a comment", Ways(is_mailed=True)),
    NoticeKind(ASSIGNED, "a deal is given to me", Ways(is_mailed=True)),
    NoticeKind(APPROVAL_ASKED, "my approval is asked for", Ways(is_mailed=True)),
    NoticeKind(APPROVAL_ANSWERED, "my question for approval is answered", Ways()),
    NoticeKind(AT_RISK, "a deal of mine falls in health", Ways()),
    NoticeKind(CLOSE_DATE_PASSED, "the close date of a deal of mine has passed", Ways()),
    NoticeKind(MILESTONE_DUE, "a milestone of a deal of mine is due", Ways()),
    NoticeKind(CLOSE_PLAN, "a buyer ticks or comments in a close plan of mine", Ways()),
    NoticeKind(BIG_DEAL, "a big deal is created, changes much or closes", Ways(is_mailed=True)),
    # A rule says by itself in which of these ways, until its reader chooses.
    NoticeKind(ALERT, "one of my alerts fires", Ways()),
    NoticeKind(CALL_DUE, "my call of the forecast is due, or somebody asks for it", Ways()),
    # A mail by itself: those who lead or decide get it, each of what they may see.
    NoticeKind(
        WEEKLY_FORECAST,
        "the forecast of the week is there, if I lead people",
        Ways(in_app=False, in_digest=False, is_mailed=True),
    ),
    NoticeKind(
        WORK, "long work that I started ends, an import or an export for example", Ways(in_digest=False)
    ),
)
USUAL = {kind.key: kind.usual for kind in NOTICE_KINDS}
