"""Parameters above 0 by maximum likelihood, with what the data leave open about them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Floats = NDArray[np.float64]
# A named tuple of numbers above 0.
Parameters = TypeVar("Parameters", bound=tuple[Any, ...])

Z95 = 1.959963984540054
_WIDEST = 12.0  # logarithm beyond which a parameter runs away: the data do not settle it
_STEP = 1e-4  # of a logarithm, for slopes by differences


@dataclass(frozen=True)
class Estimate(Generic[Parameters]):
    """Parameters, how likely they make the data of so many customers, and the covariance of their logarithms."""

    parameters: Parameters
    log_likelihood: float
    customers: int
    covariance: Floats

    def standard_errors(self) -> Floats:
        """Of the parameters themselves."""
        return np.asarray(self.parameters) * np.sqrt(np.diag(self.covariance))

    def interval(self) -> tuple[Floats, Floats]:
        """Where each parameter lies with a certainty of 95 %: symmetric in its logarithm, so never below 0."""
        reach = Z95 * np.sqrt(np.diag(self.covariance))
        return np.asarray(self.parameters) * np.exp(-reach), np.asarray(self.parameters) * np.exp(reach)

    def variance_of(self, figure: Callable[[Parameters], float]) -> float:
        """How uncertain a figure made of the parameters is because they are: the delta method."""
        return self.variance_by(self.slopes(figure))

    def slopes(self, figure: Callable[[Parameters], float | Floats]) -> Floats:
        """One row per parameter: how a figure, or each of several, moves with its logarithm."""
        logs = np.log(np.asarray(self.parameters))
        make = type(self.parameters)
        steps = _STEP * np.eye(len(logs))
        moved = [figure(make(*np.exp(logs + s))) - figure(make(*np.exp(logs - s))) for s in steps]
        return np.array(moved) / (2 * _STEP)

    def variance_by(self, slopes: Floats) -> float:
        """The variance of a figure with these slopes."""
        return float(slopes @ self.covariance @ slopes)


def estimate(
    log_likelihood: Callable[[Parameters], tuple[float, Floats]], start: Parameters, customers: int
) -> Estimate[Parameters] | None:
    """The parameters at which the data are likeliest; None where the data do not settle them.

    log_likelihood: of the data under some parameters, and its slopes in them. start: where to begin to look.
    """
    make = type(start)

    def objective(logs: Floats) -> tuple[float, Floats]:
        # A mean over customers, so that one tolerance serves any number of them.
        value, slopes = log_likelihood(make(*np.exp(logs)))
        return -value / customers, -slopes * np.exp(logs) / customers

    first = np.log(np.asarray(start, dtype=np.float64))
    found = minimize(
        objective,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_WIDEST, _WIDEST)] * len(first),
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-8},
    )
    logs = found.x
    if not np.isfinite(found.fun) or np.abs(logs).max() > _WIDEST - 1:
        return None
    steps = _STEP * np.eye(len(logs))
    bends = np.array([objective(logs + s)[1] - objective(logs - s)[1] for s in steps]) / (2 * _STEP)
    curvature = customers * (bends + bends.T) / 2
    spread = np.linalg.eigvalsh(curvature)
    # Flat in some direction: other parameters, far away, make the data as likely.
    if spread[0] <= 1e-9 * spread[-1]:
        return None
    return Estimate(
        make(*np.exp(logs)), -float(found.fun) * customers, customers, np.linalg.inv(curvature).astype(np.float64)
    )
