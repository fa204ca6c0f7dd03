"""The job ``affinity``: which products are bought by the same people, when in the year, what kind of thing follows
what, and how well all that recommends.

Pairs are those of the whole chain: they say something of the range, nothing of a store, and each stands for at least
``affinity.LEAST`` customers.
"""

from datetime import timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data_access.marts.customer_line import customer_line
from data_access.marts.tables import product
from data_access.queries import affinity as queries
from data_access.results.tables import category_next, product_pair, product_season, recommendation_check
from data_access.snapshot import Snapshot
from models.calc import affinity, next_category
from models.calc.affinity import Ints
from models.jobs import job
from models.jobs.job import Job, Step, Write

MOST_PAIRS = 50  # of a product
HOLDOUT_DAYS = 90
FIRST = 10  # recommendations that are checked
_LEAST_UNITS = 50  # of a need, before its season is told
_MOST_CHECKED = 5_000  # customers, every n-th of more


def _fingerprint(snapshot: Snapshot) -> str:
    parameters = MOST_PAIRS, HOLDOUT_DAYS, FIRST, _LEAST_UNITS, _MOST_CHECKED
    return job.fingerprint(
        snapshot, inputs=(customer_line, product), code=(affinity, next_category, queries), parameters=parameters
    )


def _run(snapshot: Snapshot, write: Write, step: Step) -> None:
    last = snapshot.info.last_day
    if last is None:
        return
    scope = job.every_place(snapshot)[0].scope
    bought = queries.first_purchases(scope, snapshot.engine)
    codes = np.asarray(bought["product_id"].cat.codes, dtype=np.int64)
    products = bought["product_id"].cat.categories
    customer = pd.factorize(bought["customer_no"])[0].astype(np.int64)
    write(product_pair, _pairs(affinity.learn(customer, codes, len(products)), products))
    step(1, 4)
    write(product_season, _season(queries.units_by_month(scope, snapshot.engine)))
    step(2, 4)
    until = pd.Timestamp(last - timedelta(days=HOLDOUT_DAYS))
    before = (bought["day"] <= until).to_numpy()
    write(recommendation_check, _check(customer, codes, before, len(products)))
    step(3, 4)
    follows, held = _follows(queries.visits(scope, snapshot.engine), until)
    write(category_next, follows)
    write(recommendation_check, held)
    step(4, 4)


def _pairs(found: affinity.Affinity, products: pd.Index) -> pd.DataFrame:
    """The strongest pairs of each product."""
    frame = pd.DataFrame(
        {
            "product_id": products.to_numpy(object)[found.bought],
            "also_id": products.to_numpy(object)[found.also],
            "both": found.both,
            "buyers": found.buyers,
            "also_buyers": found.also_buyers,
            "expected": found.expected,
            "lift_low": found.low,
        }
    )
    ranked = frame.assign(share=found.share).sort_values(
        ["product_id", "share", "also_id"], ascending=[True, False, True]
    )
    return ranked.groupby("product_id").head(MOST_PAIRS).drop(columns="share")


def _season(units: pd.DataFrame) -> pd.DataFrame:
    """Of each need, how much of it a month sells to what an average month does, each year weighing what it sold.

    A need's months are set against those of everything, so that a growing chain or a year that is not over shows no
    season. Without a whole year of data nothing is said.
    """
    if units["month"].nunique() < 12:
        return pd.DataFrame(columns=product_season.c.keys())
    table = units.pivot_table(index="need", columns="month", values="units", aggfunc="sum", fill_value=0.0)
    table = table[table.sum(axis=1) >= _LEAST_UNITS]
    of_month = units.groupby("month")["units"].sum()
    share = table / of_month
    index = share.div(table.sum(axis=1) / of_month.sum(), axis=0)
    return index.reset_index().melt("need", var_name="month", value_name="season")


def _follows(visits: pd.DataFrame, until: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What visits follow visits for a category, and how well that guesses the first visit of everybody after a day."""
    names = visits["category"].cat.categories
    customer = visits["customer_no"].to_numpy(np.int64)
    category = np.asarray(visits["category"].cat.codes, dtype=np.int64)
    habit = next_category.learn(customer, category, len(names))
    held = next_category.check(customer, category, (visits["day"] <= until).to_numpy(), len(names))
    if habit is None or not held:
        return pd.DataFrame(columns=category_next.c.keys()), pd.DataFrame(columns=recommendation_check.c.keys())
    first, then = np.divmod(np.arange(len(names) ** 2), len(names))
    columns = {"category": names[first], "next_category": names[then], "share": habit.follows.ravel()}
    return pd.DataFrame(columns), pd.DataFrame((held | {"next_weight": habit.weight}).items(), columns=["key", "value"])


def _check(customer: Ints, codes: Ints, before: NDArray[np.bool_], products: int) -> pd.DataFrame:
    """What would have been recommended by what was bought until some months ago, against what was bought for the first
    time since; beside it the best sellers."""
    known = np.unique(customer[before])
    tested = np.intersect1d(known, customer[~before])
    tested = tested[:: max(1, -(-len(tested) // _MOST_CHECKED))]
    if not len(tested):
        return pd.DataFrame(columns=recommendation_check.c.keys())
    found = affinity.check(customer, codes, before, tested, products, FIRST)
    rows = [("customers", len(tested)), ("first", FIRST), ("holdout_days", HOLDOUT_DAYS), *found.items()]
    return pd.DataFrame(rows, columns=["key", "value"])


JOB = Job("affinity", (product_pair, product_season, category_next, recommendation_check), _fingerprint, _run)
