"""How long the models of customer value take on a million simulated customers: CPU seconds of this process."""

from collections.abc import Iterator
from functools import partial

import numpy as np

from models.calc import purchases, spend
from models.calc.purchases import Histories, Purchases
from models.calc.spend import Spend
from models.calc.value import Ahead, total_value
from tests.benchmarks.clock import measured
from tests.simulated_buyers import SPEND, Buyers, draw

CUSTOMERS = 1_000_000
DAYS = 365
# Customers of up to nine months with the parameters of CDNOW, and a chain of three years whose customers come often.
CASES: dict[str, tuple[Purchases, int]] = {
    "as CDNOW": (Purchases(0.2426, 4.4135, 0.7929, 2.4258), 273),
    "three years": (Purchases(0.8, 12.0, 0.8, 2.5), 3 * 365),
}


def models(customers: int = CUSTOMERS) -> Iterator[dict[str, object]]:
    """One row per case and step."""
    for name, (parameters, most_days) in CASES.items():
        rng = np.random.default_rng(1)
        buyers = draw(rng, rng.integers(0, most_days, customers), 0, parameters, SPEND)
        past, *took = measured(partial(purchases.histories, buyers.repeats, buyers.recency_days, buyers.age_days))
        yield {"case": name, "customers": customers, "step": "count equal pasts", **_seconds(*took)}
        visits, *took = measured(partial(purchases.fit, past))
        yield {"case": name, "pasts": len(past.repeats), "step": "fit visits", **_seconds(*took)}
        amounts, *took = measured(partial(spend.fit, buyers.repeats, buyers.amount))
        yield {"case": name, "step": "fit spend", **_seconds(*took)}
        assert visits is not None
        assert amounts is not None
        _, *took = measured(partial(_score, visits.parameters, amounts.parameters, past, buyers))
        yield {"case": name, "step": "score everybody", **_seconds(*took)}
        _, *took = measured(partial(total_value, Ahead(visits, past, DAYS), amounts, buyers.amount))
        yield {"case": name, "step": "total with its range", **_seconds(*took)}


def _score(visits: Purchases, amounts: Spend, past: Histories, buyers: Buyers) -> tuple[object, ...]:
    return (
        purchases.expected_visits(visits, past, DAYS)[past.member],
        purchases.probability_active(visits, past)[past.member],
        spend.expected_amount(amounts, buyers.repeats, buyers.amount),
    )


def _seconds(wall: float, cpu: float) -> dict[str, float]:
    return {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)}
