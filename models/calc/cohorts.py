"""Cohorts: who comes back in which month after the month of the first order."""

import numpy as np
import pandas as pd


def cohort_table(activity: pd.DataFrame, last_month: int, last_complete_month: int) -> pd.DataFrame:
    """One row per cohort and month number that has begun, also where nobody came.

    Args:
        activity: one row per cohort and month: cohort, month (whole numbers, one per calendar month), customers
            (of the cohort, active in the month). A cohort's size is its count in its own month.
        last_month: the last month that has begun; last_complete_month: the last one that has ended.

    Returns:
        cohort, month_number (0 = the cohort's own month), size, customers, rate (customers / size), complete
        (the month has ended).
    """
    known = activity[(activity["cohort"] >= 0) & (activity["month"] <= last_month)]
    sizes = known.loc[known["month"] == known["cohort"], ["cohort", "customers"]].set_index("cohort")["customers"]
    numbers = last_month - sizes.index.to_numpy(dtype=np.int64) + 1
    cohort = np.repeat(sizes.index.to_numpy(dtype=np.int64), numbers)
    number = np.concatenate([np.arange(n) for n in numbers]) if len(numbers) else np.empty(0, dtype=np.int64)
    active = known.set_index(["cohort", "month"])["customers"]
    customers = active.reindex(pd.MultiIndex.from_arrays([cohort, cohort + number]), fill_value=0).to_numpy()
    size = np.repeat(sizes.to_numpy(dtype=np.int64), numbers)
    return pd.DataFrame(
        {
            "cohort": cohort,
            "month_number": number,
            "size": size,
            "customers": customers.astype(np.int64),
            "rate": customers / size,
            "complete": cohort + number <= last_complete_month,
        }
    )


def retention_curve(cohorts: pd.DataFrame) -> pd.DataFrame:
    """All cohorts of a cohort table together, weighted by size, over complete months only.

    Returns month_number, size (of the cohorts that reached that month), customers, rate.
    """
    curve = cohorts[cohorts["complete"]].groupby("month_number", as_index=False)[["size", "customers"]].sum()
    return curve.assign(rate=curve["customers"] / curve["size"])


def new_and_returning(activity: pd.DataFrame, last_complete_month: int) -> pd.DataFrame:
    """One row per month with activity: buyers whose first order is in it, and the others, with their sales.

    Args:
        activity: one row per cohort and month: cohort, month, customers, gross_sales, net_sales. Refunds to
            people without a counted order (cohort below 0) go with the returning ones.

    Returns:
        month, new, returning (customers), new_gross_sales, returning_gross_sales, new_net_sales,
        returning_net_sales, complete.
    """
    is_new = activity["cohort"] == activity["month"]
    columns = {"customers": "", "gross_sales": "_gross_sales", "net_sales": "_net_sales"}
    parts = []
    for name, chosen in (("new", is_new), ("returning", ~is_new)):
        sums = activity[chosen].groupby("month")[list(columns)].sum()
        parts.append(sums.rename(columns={column: name + ending for column, ending in columns.items()}))
    table = pd.concat(parts, axis=1).sort_index().fillna(0).astype({"new": "int64", "returning": "int64"})
    table = table.rename_axis("month").reset_index()
    return table.assign(complete=table["month"] <= last_complete_month)[
        [
            "month", "new", "returning", "new_gross_sales", "returning_gross_sales", "new_net_sales",
            "returning_net_sales", "complete",
        ]
    ]  # fmt: skip
