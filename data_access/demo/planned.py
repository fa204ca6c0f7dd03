"""Who is rostered in the coming days: the usual turns, less leave that managers have not filled yet."""

from typing import Final

import numpy as np
import pandas as pd

from data_access.demo.places import HALVES
from data_access.demo.world import World, ids, stream, utc

DAYS: Final = 14
_BRIEF: Final = 7  # one shop has planned the coming week only
_ON_LEAVE: Final = 0.18  # of the people of shops take some days off
_LEAVE: Final = (2, 6)  # days


def add_planned_shifts(core: dict[str, pd.DataFrame], world: World, seed: int) -> None:
    """Appends the roster of the days after the end to ``core["shift"]``; nothing else of the chain changes."""
    rng = stream(seed, "planned shifts")
    team, scale, shops = world.team, world.scale, world.scale.shops
    people = np.flatnonzero((team.left == world.calendar.days) & (team.store < shops))
    slot = team.post[people] % scale.slots
    day = world.calendar.days + np.arange(DAYS)
    # The turns of the roster that was: five days a week, early and late by turns.
    works = (day[None, :] - 2 * slot[:, None]) % 7 >= 2
    away = rng.random(len(people)) < _ON_LEAVE
    first, length = rng.integers(0, DAYS, len(people)), rng.integers(*_LEAVE, len(people))
    works &= ~(away[:, None] & (np.arange(DAYS) >= first[:, None]) & (np.arange(DAYS) < (first + length)[:, None]))
    works[team.store[people] == rng.integers(shops), _BRIEF:] = False
    at, ahead = np.nonzero(works)
    half = (day[ahead] // 7 + slot[at]) % 2
    begins, ends = (np.array([turn[end] for turn in HALVES])[half] * 3600 for end in (0, 1))
    known = core["shift"]
    staff = core["staff"].set_index("staff_id").loc[ids("E", len(team.post), 4)[people[at]]]
    rows = pd.DataFrame(
        {
            "shift_id": [f"HP{number:05d}" for number in range(1, len(at) + 1)],
            "staff_id": staff.index.to_numpy(),
            "store_id": staff["home_store_id"].to_numpy(),
            "starts_at": utc(world.start, day[ahead], begins),
            "ends_at": utc(world.start, day[ahead], ends),
            "break_minutes": 30,
            "role": staff["role"].to_numpy(),
            # As planned on the last day, at noon.
            "updated_at": utc(world.start, np.full(len(at), world.calendar.days - 1), 12 * 3600),
        }
    )
    order = np.lexsort((at, half, ahead))
    core["shift"] = pd.concat([known, rows.iloc[order].astype(known.dtypes.to_dict())], ignore_index=True)
