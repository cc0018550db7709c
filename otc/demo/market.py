"""How the simulated market behaves: every rate, share and rhythm of the demo, as a documented constant.

Shares and probabilities are 0..1, durations are calendar days, money is in EUR of the base rate.
"""

from __future__ import annotations

# -- the window -------------------------------------------------------------------------------
MONTHS = 24
DAYS_AHEAD = 560  # how far past today the calendar reaches: close dates of open deals lie there
WORKDAY_STARTS_AT_HOUR = 8
WORKDAY_SECONDS = 10 * 3600
HOLIDAYS = ((1, 1), (12, 24), (12, 25), (12, 26), (12, 31))  # (month, day): nobody edits a deal

# -- size of the company ----------------------------------------------------------------------
# More deals mean more reps, and more deals for each of them: 100,000 deals are some 300 reps.
REPS_GROW_WITH = 0.6
MIN_REPS, MAX_REPS = 3, 400
REPS_PER_MANAGER = 6
MANAGERS_PER_DIRECTOR = 8  # a layer between managers and the executive, once there are more managers
DEALS_PER_ACCOUNT = 3.2
MIN_ACCOUNTS, MAX_ACCOUNTS = 12, 20_000  # the ceiling keeps memory flat for a million deals
SITE_SHARE = 0.09  # accounts that are a site of an earlier account
LEAVERS_EVERY = 31  # one territory in so many saw its rep leave
SKILL_SPREAD = 0.30  # standard deviation of a rep's effect on the logit of winning
MANAGER_OWNED = 0.025  # deals that a manager works alone

# -- arrivals ---------------------------------------------------------------------------------
# Weight of a month in which a deal is found: January budgets, spring fairs, summer hole.
MONTH_WEIGHT = (1.05, 1.03, 1.05, 1.00, 1.00, 0.97, 0.86, 0.88, 1.05, 1.08, 1.05, 0.96)
GROWTH_PER_YEAR = 0.12
# A company doesn't start with an empty pipeline: these came over from the former system.
BACKLOG_SHARE = 0.07
BACKLOG_DAYS = 14
REGULAR_SOURCES = (("Inbound", 30), ("Outbound", 27), ("Partner", 17), ("Event", 12), ("Referral", 14))
KINDS = (("New business", 58), ("Expansion", 30), ("Renewal", 12))

# -- money ------------------------------------------------------------------------------------
MEDIAN_AMOUNT = 112_000
AMOUNT_SIGMA = 0.62  # of the logarithm
MAX_AMOUNT = 1_600_000
NO_AMOUNT_AT_FIRST = 0.14
NO_AMOUNT_FOR_LONG = 0.04
FOREIGN_SHARE = 0.85  # deals in the territory's own currency; the rest in the corporate one
# Scoping (entering Propose) and bargaining (in Negotiate) change the amount.
SCOPING_CHANGES = 0.50
SCOPING_SHRINKS = 0.62
SCOPING_SHRINK_TO = (0.74, 0.97)
SCOPING_GROW_TO = (1.04, 1.32)
BARGAIN_CHANGES = 0.48
BARGAIN_SHRINKS = 0.86
BARGAIN_SHRINK_TO = (0.86, 0.985)
BARGAIN_GROW_TO = (1.02, 1.10)

# EUR for one unit, at the base; a month moves a rate by about RATE_SIGMA of itself.
EUR_FOR_ONE = {"EUR": 1.0, "GBP": 1.162, "SEK": 0.0887, "JPY": 0.00612, "USD": 0.921}
RATE_SIGMA = 0.011
RATE_PULL = 0.12  # share of the distance to the base that a month takes back
MINOR_DIGITS = {"EUR": 2, "GBP": 2, "SEK": 2, "USD": 2, "JPY": 0}

# -- stages -----------------------------------------------------------------------------------
# Qualify, Discover, Validate, Propose, Negotiate, Sign: all six are stages of open deals.
VALIDATE, PROPOSE, NEGOTIATE, SIGN = 2, 3, 4, 5
# What a stage proposes as forecast category.
STAGE_CATEGORY = ("pipeline", "pipeline", "best_case", "most_likely", "commit", "commit")
CLOSED_CATEGORY = {"won": "closed", "lost": "omitted", "no_decision": "omitted"}
MILESTONES_PER_STAGE = (2, 3, 3, 2, 3, 3)

# -- who else works on it: see team.py ----------------------------------------------------------
COLLEAGUE_JOINS = 0.20  # entering Discover
SPONSORED_FROM, SPONSOR_JOINS = 250_000, 0.60  # EUR at first; entering Propose
DESK_JOINS = 0.35  # entering Negotiate
SEAT_GIVEN_UP = 0.12
COLLEAGUE_SHARES, COLLEAGUE_OVERLAYS = 0.45, 0.25  # of deals with a colleague, entering Propose
OWNERS_SHARES_BP = ((5_000, 2), (7_000, 5), (8_000, 3))
OVERLAYS_BP = ((1_000, 3), (2_000, 2))

# -- outcome: see hazards.py --------------------------------------------------------------------
REOPENED_LASTS_DAYS = (28, 95)  # how long a reopened deal is given
COMPETITOR_KNOWN = 0.52
COMPETITOR_WEIGHTS = (38, 27, 20, 15)  # the first is the strongest

# (reason, weight, what it feeds)
REASONS = {
    "won": (
        ("Best fit", 36, "messaging"),
        ("Value for money", 25, "messaging"),
        ("Relationship", 22, "training"),
        ("Service", 17, "messaging"),
    ),
    "lost": (
        ("Price", 29, "messaging"),
        ("Product gap", 20, "product"),
        ("Competitor relationship", 16, "training"),
        ("Timing", 12, "follow-up"),
        ("Champion left", 10, "training"),
        ("Process", 7, "process"),
        ("Other", 6, "process"),
    ),
    "no_decision": (
        ("No budget", 48, "follow-up"),
        ("Timing", 22, "follow-up"),
        ("No answer", 15, "training"),
        ("Champion left", 10, "training"),
        ("Other", 5, "process"),
    ),
}

# -- close dates ------------------------------------------------------------------------------
# Reps are optimists: the first close date is what a good deal would need.
GUESS_MEDIAN = 77
GUESS_SIGMA = 0.36
# Share of that still to go, by the stage in which a deal is first seen.
GUESS_LEFT_BY_STAGE = (1.0, 0.85, 0.7, 0.5, 0.3, 0.15)
CYCLE_PER_SIZE = 0.16  # exponent on amount / median
GUESS_AT_QUARTER_END = 0.42
GUESS_AT_MONTH_END = 0.27
# Where a pushed date lands.
PUSH_TO_MONTH_END = 0.34
PUSH_TO_QUARTER_END = 0.36
PUSH_DAYS = (7, 14, 14, 21, 30, 35)

# -- categories set by hand -------------------------------------------------------------------
CALLED_COMMIT_IN_PROPOSE = 0.06
DOUBTED_IN_PROPOSE = 0.45  # called best case although the stage says most likely
DOUBTED_IN_VALIDATE = 0.25  # left in pipeline although the stage says best case
DOUBTED_IN_NEGOTIATE = 0.75  # kept at most likely or best case although the stage says commit
# What a person set stays over a stage's move, unless the person takes up the stage's proposal.
TAKES_UP_PROPOSAL = 0.35
PUSH_COSTS_COMMIT = 0.40  # a pushed commit falls to best case
PUSH_COSTS_BEST_CASE = 0.22
SECOND_THOUGHT = 0.20  # a flip in between, by the rep or the manager, without another cause
OMITTED = 0.02

# -- next steps and diligence -----------------------------------------------------------------
SLOPPY = 0.18  # share of deals kept badly: late edits, no next step, silence
NO_NEXT_STEP = 0.10
NO_NEXT_STEP_SLOPPY = 0.45
NEXT_STEP_DUE_DAYS = (3, 16)
REVIEWED_LATELY_SLOPPY = 0.15
REVIEWED_LATELY = 0.74  # open deals whose next step was renewed in the last days
REVIEWED_WITHIN_DAYS = 9
NOTE_EVERY_DAYS = 110
REASSIGNED_ON_LEAVING = 0.35
TRANSFERRED = 0.03

# -- activities and milestones ----------------------------------------------------------------
ACTIVITY_KINDS = (("mail", 52), ("call", 29), ("meeting", 19))
OUTBOUND_SHARE = 0.60
SINGLE_THREADED = 0.10  # deals in which only the champion is talked to
MILESTONE_MET_GOING_ON, MILESTONE_MET_ENDING = 0.86, 0.50  # in a stage that is left forward; in the last one

# -- quotas -----------------------------------------------------------------------------------
# Won EUR per deal found, all fates together, measured on 100,000 simulated deals.
WON_PER_DEAL = 27_000
QUOTA_STRETCH = 1.18
OVER_ASSIGNED = 0.91  # a manager's quota, as a share of the reports' sum
# Share of a normal quarter's bookings.
QUARTER_WEIGHT = (0.99, 1.02, 0.95, 1.04)
FIRST_QUARTER_RAMP = 0.62

# -- calls ------------------------------------------------------------------------------------
# A person's habit multiplies what isn't signed yet: sandbaggers, realists, happy ears.
CALL_HABITS = ((0.72, 3), (0.85, 3), (1.0, 8), (1.2, 3), (1.45, 3))
CALL_NOISE = 0.16  # standard deviation of the logarithm at the quarter's start
CALL_HOPE = 0.45  # share of the quota that is hoped for at the quarter's start, less with every week
CALL_COMMIT, CALL_MOST_LIKELY, CALL_BEST_CASE = 0.50, 0.30, 0.15  # of what stands in the category
MANAGERS_BEND = 0.35  # a manager bends the reports' sum by this share of the own habit
CALL_FORGOTTEN = 0.04
CALL_LATE_EVERY = 17  # of so many Fridays each person forgets one until Monday
