"""What to do with a customer: what to know before talking, what to expect, what runs out, what to offer and why."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import pandas as pd
import streamlit as st

from models.calc.run_out import HIT_DAYS
from models.reports.customer import BUYS_WITHIN, CustomerReport
from pages._ui import drill, session
from pages._ui import format as fmt
from pages._ui.i18n import localized, localized_text, t, tn
from pages._ui.literal import literal
from pages._ui.person import ago, what, word
from pages._ui.tables import Column, badge, column

RUN_OUTS = (
    Column("thing", "text"),
    Column("expected_on", "day"),
    column("range"),
    badge("basis", "run_out.basis", {"own": "green", "pace": "blue", "usage": "gray", "usual": "gray"}),
)
_SOON = timedelta(days=30)  # ahead: what runs out by then is worth a word
_LONG_GONE = timedelta(days=2 * HIT_DAYS)  # past: what ran out before that has been replaced elsewhere, or not at all
_FRESH = timedelta(days=180)  # what went wrong later than that ago is worth a word
_AT_MOST = 3  # things named in one line
_IN_SEASON = 1.15  # of an average month: from here on it is worth a word
_SKIN_ROLES = ("manager", "regional")  # who talks to customers; others have no use for it


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to know before talking: an icon, what it says, and whether it asks for something."""

    icon: str
    text: str
    warns: bool = False


def without_skin(report: CustomerReport) -> CustomerReport:
    """The report as those see it who do not talk to customers: nothing of the skin."""
    if session.current_person().role in _SKIN_ROLES:
        return report
    return replace(
        report,
        header=report.header.assign(skin_type=None, skin_concern=None),
        recommendations=report.recommendations.assign(suits_skin=None),
    )


def before_you_talk(report: CustomerReport, currency: str, today: pd.Timestamp) -> list[Line]:
    """What to know first, the most pressing first: what went wrong, what runs out, what is open, what is usual."""
    return [
        *_trouble(report, currency, today),
        *_purchases(report, currency),
        *_running_out(report, today),
        *_rhythm(report),
        *_open(report, currency, today),
        *_loyalty(report, currency),
        *_wishes(report),
    ]


def strip(lines: Sequence[Line]) -> None:
    """Draws these lines one below the other."""
    for line in lines:
        said = f":material/{line.icon}: {literal(line.text)}"
        st.markdown(f":orange[{said}]" if line.warns else said)


def _trouble(report: CustomerReport, currency: str, today: pd.Timestamp) -> Iterator[Line]:
    events = report.timeline
    complaint = _latest(events, "complaint", today - _FRESH)
    if complaint is not None:
        said = {"day": fmt.day(complaint["at"]), "why": word("customer.reason", complaint["text"])}
        yield Line("sentiment_dissatisfied", t("advice.complaint", **said), warns=True)
    back = _latest(events, "return", today - _FRESH)
    if back is not None:
        said = {"day": fmt.day(back["at"]), "money": fmt.money(back["amount"], currency)}
        yield Line("undo", t("customer.last_return", **said))
    if (events["kind"] == "unsubscribed").any():
        yield Line("unsubscribe", t("customer.unsubscribed"), warns=True)


def _purchases(report: CustomerReport, currency: str) -> Iterator[Line]:
    days = report.kpis.set_index("key")["value"]["recency_days"]
    last = _latest(report.timeline, "purchase", pd.Timestamp.min)
    if last is None:
        yield Line("shopping_bag", t("customer.never_bought"))
        return
    money = fmt.money(last["amount"], currency)
    names = _things(report.run_outs[report.run_outs["last_day"] == last["at"].normalize()])
    said = names if names and last["more"] > 0 else what(last)
    yield Line("shopping_bag", t("customer.last", ago=ago(days), what=said, money=money))


def _running_out(report: CustomerReport, today: pd.Timestamp) -> Iterator[Line]:
    rows = report.run_outs
    if rows.empty:
        return
    gone = rows[(rows["expected_on"] <= today) & (rows["expected_on"] > today - _LONG_GONE)]
    soon = rows[(rows["expected_on"] > today) & (rows["expected_on"] <= today + _SOON)]
    if len(gone):
        yield Line("hourglass_bottom", t("advice.used_up", things=_things(gone)), warns=True)
    if len(soon):
        yield Line("hourglass_top", t("advice.runs_out", things=_things(soon, dated=True)))


def _rhythm(report: CustomerReport) -> Iterator[Line]:
    days = report.kpis.set_index("key")["value"]["recency_days"]
    habit = report.habits.set_index("key")["value"]
    if fmt.is_missing(habit["days_between_visits"]) or fmt.is_missing(days):
        return
    said = {"usual": fmt.days(round(habit["days_between_visits"])), "days": fmt.days(days)}
    if days > habit["longest_usual_gap"]:
        most = fmt.days(round(habit["longest_usual_gap"]))
        yield Line("schedule", t("customer.overdue", **said, most=most), warns=True)
    else:
        yield Line("event_repeat", t("customer.rhythm", **said))


def _open(report: CustomerReport, currency: str, today: pd.Timestamp) -> Iterator[Line]:
    for coupon in report.coupons.head(1).itertuples():
        said = {"campaign": localized_text("campaign.name", str(coupon.campaign)), "day": fmt.day(coupon.valid_to)}
        worth = "" if fmt.is_missing(coupon.face_value) else fmt.money(coupon.face_value, currency)
        yield Line("confirmation_number", t("advice.coupon", worth=worth, **said).replace("  ", " "))
    booked = report.timeline[(report.timeline["kind"] == "appointment") & (report.timeline["detail"] == "booked")]
    ahead = booked[booked["at"] > today]
    if len(ahead):
        row = ahead.iloc[-1]
        service = localized_text("product.name", str(row["text"]))
        yield Line("event", t("advice.appointment", service=service, at=fmt.instant(row["at"])))


def _loyalty(report: CustomerReport, currency: str) -> Iterator[Line]:
    for row in report.standing.to_dict("records"):
        said = []
        if isinstance(row["tier"], str):
            said.append(localized_text("tier.name", row["tier"]))
        if not fmt.is_missing(row["points_balance"]):
            said.append(tn("advice.points", int(row["points_balance"]), n=fmt.count(row["points_balance"])))
        if isinstance(row["next_tier"], str):
            aim = {
                "gap": fmt.money(row["gap"], currency),
                "tier": localized_text("tier.name", row["next_tier"]),
                "threshold": fmt.money(row["threshold"], currency),
                "months": fmt.count(row["window_months"]),
            }
            said.append(t("advice.next_tier" if row["is_exact"] else "advice.next_tier_at_most", **aim))
        if said:
            yield Line("workspace_premium", " · ".join(said))


def _wishes(report: CustomerReport) -> Iterator[Line]:
    header = report.header.iloc[0]
    skin = [word("skin.type", header["skin_type"]), word("skin.concern", header["skin_concern"])]
    skin = [said for said in skin if said]
    if skin:
        yield Line("dermatology", t("advice.skin", skin=fmt.enumerated(skin)))
    if len(report.tags):
        yield Line("sell", fmt.enumerated(localized_text("customer_tag.tag", tag) for tag in report.tags["tag"]))


def expectations(report: CustomerReport, currency: str, today: pd.Timestamp) -> list[tuple[str, str, str | None]]:
    """Cards: when the next purchase is due, how likely the customer still is one, what twelve months will bring."""
    rows = {row["key"]: row for row in report.expectations.to_dict("records")}
    cards: list[tuple[str, str, str | None]] = []
    for key in ("next_purchase_days", "probability_active", "value_12_months"):
        row = rows[key]
        name, hint = t(f"advice.{key}"), t(f"advice.{key}_help")
        if fmt.is_missing(row["value"]):
            cards.append((name, fmt.MISSING, f"{hint}\n\n{t('advice.' + row['why'])}"))
            continue
        shown = {
            "next_purchase_days": lambda days: fmt.day_short(today + timedelta(days=round(days))),
            "probability_active": lambda share: fmt.percent(share, 0),
            "value_12_months": lambda money: fmt.card_value(money, "money", currency),
        }[key]
        if not fmt.is_missing(row["lo"]):
            hint += "\n\n" + t(f"advice.{key}_range", low=shown(row["lo"]), high=shown(row["hi"]))
        cards.append((name, shown(row["value"]), hint))
    return cards


def ranges(report: CustomerReport, currency: str, today: pd.Timestamp) -> str:
    """The ranges of the cards in one line; why there are none where nothing is said."""
    rows = {row["key"]: row for row in report.expectations.to_dict("records")}
    coming, worth = rows["next_purchase_days"], rows["value_12_months"]
    if fmt.is_missing(coming["value"]):
        return t(f"advice.{coming['why']}")
    days = [fmt.day(today + timedelta(days=round(coming[name]))) for name in ("lo", "hi")]
    chances = {name: fmt.percent(rows[name]["value"], 0) for name in BUYS_WITHIN}
    said = t("advice.next_purchase_days_range", low=days[0], high=days[1]) + " " + t("advice.buys_within", **chances)
    if fmt.is_missing(worth["lo"]):
        return said
    money = {name: fmt.card_value(worth[bound], "money", currency) for name, bound in (("low", "lo"), ("high", "hi"))}
    return f"{said} {t('advice.value_12_months_range', **money)}"


def next_categories(report: CustomerReport) -> str | None:
    """What the next visit will mostly be for, and how often such guesses were right; None where nothing is said."""
    rows = report.next_categories
    if rows.empty:
        return None
    said = [
        t("advice.likely", what=localized_text("product.category", str(name)), share=fmt.percent(chance, 0))
        for name, chance in zip(rows["category"], rows["chance"], strict=True)
    ]
    held = report.check.set_index("key")["value"]
    names = ("next_hit_rate", "next_last_hit_rate", "next_popular_hit_rate")
    shares = {name.removeprefix("next_"): fmt.percent(held[name], 0) for name in names}
    days = fmt.days(held["holdout_days"])
    guessed = t("advice.next_held", n=fmt.count(held["next_customers"]), days=days, **shares)
    return f"{t('advice.next_category', likely=t('advice.between').join(said))}\n\n:material/fact_check: {guessed}"


def run_outs(report: CustomerReport, today: pd.Timestamp) -> pd.DataFrame:
    """What is about to be used up or has been, the newest purchases of things that are not long gone."""
    rows = report.run_outs[report.run_outs["expected_on"] > today - _LONG_GONE].reset_index(drop=True)
    return localized(rows, {"product": "product.name"}).assign(
        thing=_names(rows),
        range=[fmt.days_between(first, last) for first, last in zip(rows["from_on"], rows["until_on"], strict=True)],
    )


def offers(report: CustomerReport, currency: str, *, looked: bool) -> None:
    """Draws what to offer, each with a link, its price, what the store has of it, and the evidence; and how such offers
    did before. looked: whether a batch has looked for any."""
    rows = localized(report.recommendations, {"product": "product.name"})
    if rows.empty and looked:
        st.markdown(f":gray[{t('advice.no_offers')}]")
    for row in rows.to_dict("records"):
        said = {"product": row["product"], "units": fmt.count(row["in_stock"])}
        said["price"] = fmt.money(row["list_price"], currency)
        query = drill.link("product", product=row["product_id"], store=drill.asked("store"))
        with st.container(gap=None):
            st.page_link("product.py", label=literal(t("advice.offer", **said)), query_params=query)
            st.caption(literal(_evidence(row)))
    if held := _held(report):
        st.caption(f":material/fact_check: {held}")


def where(report: CustomerReport) -> str | None:
    """The store whose stock was looked at."""
    rows = localized(report.recommendations.head(1), {"store": "store.name"})
    return t("advice.in_stock_at", store=rows["store"].iloc[0]) if len(rows) else None


def _held(report: CustomerReport) -> str | None:
    """How such offers would have done; None where nobody has looked."""
    known = report.check.set_index("key")["value"]
    if known.empty:
        return None
    shares = {
        name: fmt.percent(known[name], 0) for name in ("hit_rate", "popular_hit_rate", "coverage", "popular_coverage")
    }
    return t(
        "advice.held",
        first=fmt.count(known["first"]),
        n=fmt.count(known["customers"]),
        days=fmt.days(known["holdout_days"]),
        **shares,
    )


def _evidence(row: Mapping[Any, Any]) -> str:
    because = localized_text("product.name", str(row["because"]))
    said = evidence(row, because)
    if row["season"] >= _IN_SEASON:
        said += " · " + t("advice.season", times=fmt.decimal(row["season"], 1))
    if row["suits_skin"] is True:
        said += " · " + t("advice.suits")
    return said


def evidence(row: Mapping[Any, Any], product: str) -> str:
    """How many of the buyers of ``product`` bought the other, too, and how much that is."""
    counts = {name: fmt.count(row[name]) for name in ("both", "buyers")}
    return t("advice.evidence", product=product, times=fmt.decimal(row["lift"], 1), **counts)


def _things(rows: pd.DataFrame, *, dated: bool = False) -> str:
    """Some needs in words, the first few of them."""
    names = _names(rows)
    if dated:
        names = [
            t("advice.dated", thing=name, day=fmt.day_short(day))
            for name, day in zip(names, rows["expected_on"], strict=True)
        ]
    return t("advice.between").join(names[:_AT_MOST]) + (t("advice.more") if len(names) > _AT_MOST else "")


def _names(rows: pd.DataFrame) -> list[str]:
    """The kinds of product, or the products where the range knows no kinds."""
    return [
        localized_text("product.name", str(product))
        if need == product_id
        else localized_text("product.subcategory", str(need))
        for need, product_id, product in zip(rows["need"], rows["product_id"], rows["product"], strict=True)
    ]


def _latest(events: pd.DataFrame, kind: str, since: pd.Timestamp) -> pd.Series | None:
    rows = events[(events["kind"] == kind) & (events["at"] >= since)]
    return None if rows.empty else rows.iloc[0]
