"""What is bought by the same people: products that are worth offering to somebody who has bought another.

Of every two products a and b is counted how many customers bought both. That alone says little: what sells well goes
with everything, and who buys much buys everything. So it is set against what popularity and appetite alone would give:
each of a customer's k products is b with the same small chance, the chance that makes b as popular as it is; among the
buyers of a, of whom each has k - 1 others,

    expected(a, b) = sum over the buyers of a of 1 - exp(-rate_b (k - 1)),
    buyers of b = sum over all customers of 1 - exp(-rate_b k)

lift = bought both / expected. A pair is evidence when so many of both would come by chance so rarely that of all pairs
called evidence at most one in twenty is none (Benjamini and Hochberg 1995, Poisson chances), and ``LEAST`` customers
bought both.

What a customer is offered is ranked by the sum, over what they have bought, of the share of its buyers who bought the
other too, as far as the pair is evidence.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import gammainccinv
from scipy.stats import poisson

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST = 5  # customers who bought both, before a pair may be shown
FALSE_SHARE = 0.05
_EXACT = 40  # numbers of products of a customer that are kept apart; larger ones are grouped by a tenth


@dataclass(frozen=True)
class Affinity:
    """Pairs with evidence, by the product bought and then the strongest first.

    bought, also: products, as numbers; both: customers who bought both; buyers: of ``bought``; also_buyers: of
    ``also``; expected: as many of ``both`` as popularity and appetite give; low: what the lift is at least, with a
    certainty of 97.5 %.
    """

    bought: Ints
    also: Ints
    both: Ints
    buyers: Ints
    also_buyers: Ints
    expected: Floats
    low: Floats
    customers: int

    @property
    def lift(self) -> Floats:
        return self.both / self.expected

    @property
    def share(self) -> Floats:
        """Of the buyers of ``bought``, who bought the other, too."""
        return self.both / self.buyers

    def __len__(self) -> int:
        return len(self.bought)


def learn(customer: Ints, product: Ints, products: int) -> Affinity:
    """The pairs with evidence among purchases: one entry per customer and product (more of the same change nothing).

    customer, product: numbers from 0; products: how many there are.
    """
    found = _matrix(customer, product, products)
    buyers = np.asarray(found.sum(axis=0), dtype=np.int64).ravel()
    each = np.asarray(found.sum(axis=1), dtype=np.int64).ravel()
    found, each = found[each > 0], each[each > 0]
    both = _counts(found)
    np.fill_diagonal(both, 0)
    expected = _expected(found, each, buyers)
    bought, also = np.nonzero(both >= LEAST)
    seen, by_chance = both[bought, also], expected[bought, also]
    kept = _evidence(poisson.sf(seen - 1, by_chance), products * (products - 1))
    bought, also, seen, by_chance = bought[kept], also[kept], seen[kept], by_chance[kept]
    low = gammainccinv(seen, 0.975) / by_chance
    order = np.lexsort((also, -low, bought))
    return Affinity(
        bought=bought[order],
        also=also[order],
        both=seen[order].astype(np.int64),
        buyers=buyers[bought][order],
        also_buyers=buyers[also][order],
        expected=by_chance[order],
        low=low[order],
        customers=len(each),
    )


def check(
    customer: Ints, product: Ints, before: NDArray[np.bool_], tested: Ints, products: int, first: int
) -> dict[str, float]:
    """How the first so many recommendations, learnt from the purchases ``before``, do for the customers ``tested``.

    hit_rate: of these customers, to whom at least one was recommended that they bought for the first time afterwards;
    precision: of the recommendations, how many that were; coverage: of the products, how many were recommended to
    anybody; served: of the customers, to whom anything was. popular_hit_rate, popular_precision, popular_coverage: the
    same of the best sellers that each had not bought.
    """
    found = learn(customer[before], product[before], products)
    people = int(customer.max(initial=-1)) + 1
    owned = _matrix(customer[before], product[before], products, people)[tested].toarray() > 0
    later = _matrix(customer[~before], product[~before], products, people)[tested].toarray() > 0
    pairs = csr_array((found.share, (found.bought, found.also)), shape=(products, products))
    ours = np.asarray(csr_array(owned.astype(np.float64)) @ pairs.toarray())
    popular = np.broadcast_to(np.bincount(product[before], minlength=products) + 1.0, ours.shape)
    return _judged("", ours, owned, later, first) | _judged("popular_", popular, owned, later, first)


def _judged(
    name: str, score: Floats, owned: NDArray[np.bool_], later: NDArray[np.bool_], first: int
) -> dict[str, float]:
    most = min(first, score.shape[1])
    ranked = np.where(owned, 0.0, score)
    chosen = np.argsort(-ranked, axis=1, kind="stable")[:, :most]
    offered = np.take_along_axis(ranked, chosen, axis=1) > 0
    hits = np.take_along_axis(later, chosen, axis=1) & offered
    return {
        f"{name}hit_rate": float(hits.any(axis=1).mean()),
        f"{name}precision": float(hits.sum() / max(offered.sum(), 1)),
        f"{name}coverage": len(np.unique(chosen[offered])) / score.shape[1],
        f"{name}served": float(offered.any(axis=1).mean()),
    }


def _matrix(customer: Ints, product: Ints, products: int, customers: int | None = None) -> Any:
    """Customers by products, 1 where bought."""
    rows = int(customer.max(initial=-1)) + 1 if customers is None else customers
    found = csr_array((np.ones(len(customer), dtype=np.float32), (customer, product)), shape=(rows, products))
    found.sum_duplicates()
    found.data[:] = 1
    return found


def _counts(found: Any) -> Floats:
    both: Floats = (found.T @ found).toarray().astype(np.float64)
    return both


def _expected(found: Any, each: Ints, buyers: Ints) -> Floats:
    """Of each two products, how many would have bought both by popularity and appetite alone."""
    group = np.where(each <= _EXACT, each, _EXACT + np.ceil(np.log(each / _EXACT) / np.log(1.1)).astype(np.int64))
    kinds, code = np.unique(group, return_inverse=True)
    many = np.bincount(code).astype(np.float64)
    size = np.bincount(code, weights=each) / many
    rate = _rates(size, many, buyers)
    of_product = csr_array((np.ones(len(code)), (np.arange(len(code)), code)), shape=(len(code), len(kinds)))
    buyers_by_kind = (found.T @ of_product).toarray()
    with_others: Floats = 1 - np.exp(-np.outer(size - 1, rate))
    return np.asarray(buyers_by_kind @ with_others, dtype=np.float64)


def _rates(size: Floats, many: Floats, buyers: Ints) -> Floats:
    """Of each product the chance a customer's product is it, so that it has its buyers: by Newton's steps from below,
    where the curve is concave and every step stays below."""
    rate = buyers / max(float(many @ size), 1.0)
    for _ in range(40):
        gone = np.exp(-np.outer(rate, size))
        have = (1 - gone) @ many
        slope = gone @ (many * size)
        step = (buyers - have) / np.maximum(slope, 1e-12)
        rate = rate + np.where(buyers < many.sum(), step, 0)
        if np.all(np.abs(step) <= 1e-10 * np.maximum(rate, 1e-12)):
            break
    return np.where(buyers < many.sum(), rate, np.inf)


def _evidence(chance: Floats, pairs: int) -> NDArray[np.bool_]:
    """Which of the pairs to call evidence, of ``pairs`` looked at (those not given count as nothing)."""
    if not len(chance):
        return np.empty(0, dtype=bool)
    order = np.sort(chance)
    passed = np.flatnonzero(order <= FALSE_SHARE * np.arange(1, len(order) + 1) / pairs)
    bar = order[passed[-1]] if len(passed) else -1.0
    return np.asarray(chance <= bar)
