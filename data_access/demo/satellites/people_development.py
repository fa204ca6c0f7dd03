"""Courses, who completed them, and praise.

Two courses of the catalogue carry hidden truth, decided by the world: one lifts the sales of those who took
it, one does nothing. The others are the ordinary background of a training plan.
"""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Array, Ground, at_local, days
from data_access.demo.world import ids, translations

HELPFUL, USELESS = "helpful", "useless"  # stand for the ids that the world gives them
# id, name, English, skills, months a certificate is valid, share of the staff that takes it
_CATALOGUE = (
    (HELPFUL, "肌肤咨询与连带推荐", "Skin Consulting and Cross-selling", "咨询, 连带", 24, None),
    (USELESS, "门店陈列标准", "Display Standards", "陈列", 24, None),
    ("K03", "新员工入职培训", "Onboarding", "企业文化, 收银", None, 1.0),
    ("K04", "彩妆手法进阶", "Advanced Make-up", "彩妆", 12, 0.45),
    ("K05", "会员信息保护与合规", "Member Data Protection", "合规", 12, 0.85),
    ("K06", "客诉处理与沟通语气", "Complaint Handling and Tone", "服务, 沟通", 18, 0.4),
)
_STAR = ("月度销售之星", "Best seller of the month")
_PRAISE = (
    ("顾客书面表扬", "Praised by a customer in writing"),
    ("主动带教新同事", "Coached a new colleague unasked"),
    ("大促期间全勤", "There on every day of the sale"),
    ("客诉零升级", "No complaint went further"),
)


def course(g: Ground) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per course of the catalogue, and the English names."""
    frame = pd.DataFrame(
        [(_id(g, key), name, skills, months) for key, name, _, skills, months, _ in _CATALOGUE],
        columns=["course_id", "name", "skills", "valid_months"],
    )
    frame["valid_months"] = frame["valid_months"].astype("Int64")
    frame["updated_at"] = at_local(g.first_day - 30 * DAY, 10 * 3600)
    return frame, translations("course.name", [(name, text) for _, name, text, _, _, _ in _CATALOGUE])


def training_record(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per completed course of a person; the day and the score (0-100) of the final test."""
    parts = [_planted(g, HELPFUL), _planted(g, USELESS)]
    hired, left = days(g.staff["hired"]), days(g.staff["left"])
    for key, *_, share in _CATALOGUE:
        if share is None:
            continue
        takers = np.flatnonzero(rng.random(len(g.staff)) < share)
        earliest = hired[takers] if key == "K03" else np.maximum(hired[takers], g.first_day)
        reach = 21 if key == "K03" else 700
        completed = earliest + rng.integers(5, reach, len(takers)) * DAY
        stays = completed < np.minimum(left[takers], g.last_day)
        parts.append(pd.DataFrame({"staff": takers[stays], "course_id": key, "completed_on": completed[stays]}))
    frame = pd.concat(parts, ignore_index=True)
    completed = days(frame["completed_on"])
    return pd.DataFrame(
        {
            "staff_id": g.label("staff", frame["staff"].to_numpy()),
            "course_id": frame["course_id"],
            "completed_on": completed,
            "score": np.clip(rng.normal(86, 7, len(frame)), 60, 100).round(1),
            "updated_at": at_local(completed, 18 * 3600),
        }
    )


def _planted(g: Ground, key: str) -> pd.DataFrame:
    """Who took a course whose effect is known, and when, as the world decided it."""
    day = g.world.team.helpful_on if key == HELPFUL else g.world.team.useless_on
    takers = np.flatnonzero(~np.isnat(day) & (day <= g.last_day))
    return pd.DataFrame({"staff": takers, "course_id": _id(g, key), "completed_on": day[takers]})


def _id(g: Ground, key: str) -> str:
    return {HELPFUL: g.world.helpful_course_id, USELESS: g.world.useless_course_id}.get(key, key)


def course_names_truth(g: Ground) -> dict[str, str]:
    """Per course id whether it is the helpful one, the useless one, or without meaning for the sales."""
    return {_id(g, key): key if key in (HELPFUL, USELESS) else "background" for key, *_ in _CATALOGUE}


def recognition(g: Ground, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row per praise: the best seller of each region and month, and occasional praise of others; and the English
    texts."""
    sold = g.orders[g.orders["staff"] >= 0]
    month = sold["day"].to_numpy().astype("datetime64[M]")
    region = g.stores["region_id"].to_numpy(dtype=object)[sold["store"].to_numpy()]
    totals = sold.groupby([month, region, sold["staff"].to_numpy()])["net"].sum()
    best = totals.groupby(level=[0, 1]).idxmax()
    months = days([key[0] for key in best]).astype("datetime64[M]")
    closed = months < g.last_day.astype("datetime64[M]")
    star = np.array([key[2] for key in best], dtype=int)[closed]
    awarded = (months[closed] + 1).astype("datetime64[D]") + 2 * DAY
    awarded = np.minimum(awarded, g.last_day)

    others = g.share(rng, len(g.staff), 0.5)
    praised = days(g.staff["hired"])[others]
    praised = np.maximum(praised, g.first_day) + rng.integers(30, 900, len(others)) * DAY
    fits = praised < np.minimum(days(g.staff["left"])[others], g.last_day)
    reason = np.array([name for name, _ in _PRAISE], dtype=object)[rng.integers(0, len(_PRAISE), len(others))]
    person: Array = np.r_[star, others[fits]]
    given = at_local(np.r_[awarded, praised[fits]], 17 * 3600)
    frame = pd.DataFrame(
        {
            "recognition_id": ids("RE", len(person), 4),
            "staff_id": g.label("staff", person),
            "given_at": given,
            "reason": np.r_[np.full(len(star), _STAR[0], dtype=object), reason[fits]],
            "updated_at": given,
        }
    )
    return frame, translations("recognition.reason", [_STAR, *_PRAISE])
