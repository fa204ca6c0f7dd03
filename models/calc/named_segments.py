"""The named segments: one of ten names for each pair of recency and frequency-money score, and prospects.

No product publishes its table; this one is ours and is shown in the app.
"""

import numpy as np
import pandas as pd

PROSPECT = "prospect"  # registered, without an order

# GRID[r][fm - 1]
GRID = {
    5: ("new", "promising", "active", "champions", "champions"),
    4: ("promising", "active", "active", "loyal", "loyal"),
    3: ("needs_attention", "needs_attention", "needs_attention", "loyal", "loyal"),
    2: ("almost_lost", "almost_lost", "almost_lost", "at_risk", "at_risk"),
    1: ("dormant", "dormant", "at_risk", "previously_loyal", "previously_loyal"),
}

# From the best to the lost, as charts and tables list them.
SEGMENTS = (
    "champions", "loyal", "active", "new", "promising", "needs_attention", "at_risk", "previously_loyal",
    "almost_lost", "dormant", PROSPECT,
)  # fmt: skip

_CODES = np.array([[SEGMENTS.index(name) for name in GRID[r]] for r in range(1, 6)])


def segment_of(scores: pd.DataFrame) -> "pd.Categorical[str]":
    """The segment of each row of ``scores`` (r, f, m from 1 to 5), with FM = floor((F + M) / 2 + .5)."""
    fm = (scores["f"].to_numpy() + scores["m"].to_numpy() + 1) // 2
    return pd.Categorical.from_codes(_CODES[scores["r"].to_numpy() - 1, fm - 1], categories=pd.Index(SEGMENTS))


def rule() -> pd.DataFrame:
    """One row per pair of scores, best first: r, fm, segment."""
    return pd.DataFrame(
        [(r, fm, name) for r, names in GRID.items() for fm, name in enumerate(names, start=1)],
        columns=["r", "fm", "segment"],
    )
