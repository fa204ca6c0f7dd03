"""Customers who behave exactly as the models of models.calc.purchases and models.calc.spend say."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.calc.purchases import DAYS_A_WEEK, Purchases
from models.calc.spend import Spend

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

PURCHASES = Purchases(0.9, 28.0, 0.8, 2.6)
SPEND = Spend(6.0, 4.0, 400.0)


@dataclass(frozen=True)
class Buyers:
    """One entry per customer, but for the visits, of which there is one entry each.

    repeats, recency_days, age_days: the past, as models.calc.purchases takes it; amount: the mean of a repeat visit
    (0 without one); later_visits, later_amount: of the days ahead. customer, day, sales: every visit of past and
    future, the first on day 0 of its customer.
    """

    repeats: Ints
    recency_days: Ints
    age_days: Ints
    amount: Floats
    later_visits: Ints
    later_amount: Floats
    customer: Ints
    day: Ints
    sales: Floats


def draw(
    rng: np.random.Generator,
    age_days: Ints,
    ahead_days: int,
    purchases: Purchases = PURCHASES,
    spend: Spend = SPEND,
) -> Buyers:
    """Customers of these ages, and what they do in the days ahead."""
    n = len(age_days)
    rate = rng.gamma(purchases.r, 1 / purchases.alpha, n) / DAYS_A_WEEK
    most = rng.geometric(rng.beta(purchases.a, purchases.b, n))  # repeat visits until the customer leaves
    scale = rng.gamma(spend.q, 1 / spend.v, n)
    customers, days = [np.arange(n)], [np.zeros(n, dtype=np.int64)]
    here, time, visits = np.arange(n), rng.random(n), np.zeros(n, dtype=np.int64)  # the first visit is on day 0
    while len(here):
        time[here] += rng.exponential(1 / rate[here])
        here = here[time[here] < age_days[here] + ahead_days + 1]
        visits[here] += 1
        customers.append(here)
        days.append(time[here].astype(np.int64))
        here = here[visits[here] < most[here]]
    # Two visits on one day are one.
    customer, day = np.unique(np.stack([np.concatenate(customers), np.concatenate(days)]), axis=1)
    sales = rng.gamma(spend.p, 1 / scale[customer])
    past, first = day <= age_days[customer], day == 0
    again = past & ~first
    repeats = np.bincount(customer[again], minlength=n)
    recency = np.zeros(n, dtype=np.int64)
    np.maximum.at(recency, customer[again], day[again])
    return Buyers(
        repeats,
        recency,
        age_days,
        np.bincount(customer[again], weights=sales[again], minlength=n) / np.maximum(repeats, 1),
        np.bincount(customer[~past], minlength=n),
        np.bincount(customer[~past], weights=sales[~past], minlength=n),
        customer,
        day,
        sales,
    )
