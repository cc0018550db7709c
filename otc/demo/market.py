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
BASE_DEALS = 400
BASE_REPS = 11
# More deals mean more reps, and more deals for each of them: 100,000 deals are some 300 reps.
REPS_GROW_WITH = 0.6
MIN_REPS, MAX_REPS = 3, 400
REPS_PER_MANAGER = 4
MANAGERS_PER_DIRECTOR = 8  # a layer between managers and the executive, once there are more managers
DEALS_PER_ACCOUNT = 3.2
MIN_ACCOUNTS, MAX_ACCOUNTS = 12, 20_000  # the ceiling keeps memory flat for a million deals
SITE_SHARE = 0.09  # accounts that are a site of an earlier account
LEAVERS_EVERY = 11  # one territory in so many saw its rep leave
SKILL_SPREAD = 0.35  # standard deviation of a rep's effect on the logit of winning
MANAGER_OWNED = 0.025  # deals that a manager works alone

# -- arrivals ---------------------------------------------------------------------------------
# Weight of a month in which a deal is found: January budgets, spring fairs, summer hole.
MONTH_WEIGHT = (1.10, 1.05, 1.10, 1.00, 1.02, 0.95, 0.72, 0.78, 1.12, 1.15, 1.08, 0.75)
GROWTH_PER_YEAR = 0.12
# A company doesn't start with an empty pipeline: these came over from the former system.
BACKLOG_SHARE = 0.07
BACKLOG_DAYS = 14
REGULAR_SOURCES = (("Inbound", 30), ("Outbound", 27), ("Partner", 17), ("Event", 12), ("Referral", 14))
KINDS = (("New business", 58), ("Expansion", 30), ("Renewal", 12))

# -- money ------------------------------------------------------------------------------------
MEDIAN_AMOUNT = 112_000
AMOUNT_SIGMA = 0.68  # of the logarithm
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
# Share of the way from creation to closing at which stage 1, 2, 3, 4, 5 is entered.
STAGE_ENTRY = (0.09, 0.23, 0.41, 0.60, 0.87)
STAGE_ENTRY_JITTER = 0.16
SKIPS_A_STAGE = 0.07
MOVES_BACK = 0.07
# How far a deal comes that isn't won: weights of the last stage reached, 0..5.
LAST_STAGE_LOST = (13, 21, 24, 25, 14, 3)
LAST_STAGE_NO_DECISION = (16, 28, 28, 19, 8, 1)

# -- outcome ----------------------------------------------------------------------------------
WIN_INTERCEPT = -0.84  # with the effects below: one closed deal in three is won
WIN_QUALITY = 0.85  # per standard deviation of the deal's hidden quality
WIN_SIZE = -0.28  # per unit of ln(amount / median)
WIN_STRONGEST_COMPETITOR = -0.55
NO_DECISION_SHARE = 0.30  # of what is not won
REOPENED = 0.045  # of lost and no decision
REOPENED_WINS = 0.42
REOPENED_AFTER_DAYS = (18, 85)
REOPENED_LASTS_DAYS = (28, 95)
COMPETITOR_KNOWN = 0.52
COMPETITOR_WEIGHTS = (38, 27, 20, 15)  # the first is the strongest

# Days from creation to closing: median, sigma of the logarithm; larger deals take longer.
CYCLE = {"won": (98, 0.38), "lost": (78, 0.55), "no_decision": (122, 0.45)}
CYCLE_PER_SIZE = 0.16  # exponent on amount / median
MIN_CYCLE, MAX_CYCLE = 9, 420

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

# -- the quarter's rhythm ---------------------------------------------------------------------
# A win whose natural day lies up to REACH days before the quarter's end is signed at its end.
QUARTER_END_REACH = 34
QUARTER_END_PULL = 0.48
QUARTER_END_MEAN_DAYS_LEFT = 6.0
# A win due just after the quarter is pulled in with a discount.
PULL_IN_REACH = 13
PULL_IN = 0.30
MONTH_END_PULL = 0.42
CLEAN_UP_PULL = 0.45  # no decisions booked in the first two weeks of a quarter
CLEAN_UP_DAYS = 12

# -- close dates ------------------------------------------------------------------------------
# Reps are optimists: the first close date is what a good deal would need.
GUESS_MEDIAN = 76
GUESS_SIGMA = 0.36
GUESS_BACKLOG = 0.55
GUESS_AT_QUARTER_END = 0.50
GUESS_AT_MONTH_END = 0.27
# When the rep notices that the date won't hold, relative to that date.
NOTICED = ((-12, 6), (-8, 9), (-5, 14), (-3, 16), (-1, 18), (0, 14), (2, 11), (7, 9), (18, 7))
SLOPPY_NOTICES_LATER = (10, 55)
# Where a pushed date lands.
PUSH_TO_MONTH_END = 0.34
PUSH_TO_QUARTER_END = 0.36
PUSH_DAYS = (7, 14, 14, 21, 30, 35)
MAX_PUSHES = 9
PULLED_IN_WHEN_WON = 0.55
DATE_CONFIRMED_WHEN_WON = 0.60

# -- categories set by hand -------------------------------------------------------------------
CALLED_COMMIT_IN_PROPOSE = 0.12
DOUBTED_IN_PROPOSE = 0.20  # called best case although the stage says most likely
DOUBTED_IN_VALIDATE = 0.25  # left in pipeline although the stage says best case
DOUBTED_IN_NEGOTIATE = 0.28  # kept at most likely or best case although the stage says commit
# What a person set stays over a stage's move, unless the person takes up the stage's proposal.
TAKES_UP_PROPOSAL = 0.72
PUSH_COSTS_COMMIT = 0.40  # a pushed commit falls to best case
PUSH_COSTS_BEST_CASE = 0.22
SECOND_THOUGHT = 0.30  # a flip in between, by the rep or the manager, without another cause
OMITTED = 0.02

# -- next steps and diligence -----------------------------------------------------------------
SLOPPY = 0.18  # share of deals kept badly: late edits, no next step, silence
NO_NEXT_STEP = 0.10
NO_NEXT_STEP_SLOPPY = 0.45
NEXT_STEP_DUE_DAYS = (3, 16)
REVIEWED_LATELY_SLOPPY = 0.15
REVIEWED_LATELY = 0.74  # open deals whose next step was renewed in the last days
REVIEWED_WITHIN_DAYS = 9
NOTE_EVERY_DAYS = 42
REASSIGNED_ON_LEAVING = 0.35
TRANSFERRED = 0.03

# -- activities and milestones ----------------------------------------------------------------
ACTIVITIES_PER_WEEK = 1.05
ACTIVITIES_PER_QUALITY = 0.30  # exponent: good deals talk more
MAX_ACTIVITIES = 45
ACTIVITY_KINDS = (("mail", 52), ("call", 29), ("meeting", 19))
OUTBOUND_SHARE = 0.60
SILENT_AFTER_SHARE = {"won": 1.0, "lost": 0.86, "no_decision": 0.62}
SLOPPY_SILENT_AFTER = 0.55
MILESTONE_MET = {"won": 0.88, "lost": 0.58, "no_decision": 0.47}
MILESTONE_PER_QUALITY = 0.07

# -- quotas -----------------------------------------------------------------------------------
# Won EUR per deal found, all fates together, measured on 100,000 simulated deals.
WON_PER_DEAL = 34_900
QUOTA_STRETCH = 1.04
# Share of a normal quarter's bookings; the year's end is strongest.
QUARTER_WEIGHT = (0.92, 1.02, 0.90, 1.16)
FIRST_QUARTER_RAMP = 0.62
