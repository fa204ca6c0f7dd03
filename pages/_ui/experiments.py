"""What campaigns caused, in words and figures: the verdict as a sentence, its cards, and the effects with intervals."""

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd
import plotly.graph_objects as go

from data_access.errors import Problem
from data_access.scope import Scope
from models.calc.experiment import LEVEL, POOLED
from models.reports.campaign import CampaignReport
from models.reports.funnel import FunnelReport
from pages._ui import charts, drill, load, palette
from pages._ui import format as fmt
from pages._ui.device import narrow
from pages._ui.i18n import localized, localized_text, t, word

# Verdicts and states with the colours of their badges; the best first.
TONES: Mapping[str, str] = {
    "worked": "green",
    "no_evidence": "gray",
    "cannot_tell": "orange",
    "ahead": "orange",
    "behind": "orange",
    "no_control": "gray",
    "hurt": "red",
    "arms_differ": "red",
    "nobody": "gray",
    "withheld": "gray",
    "stores_more": "green",
    "stores_less": "red",
    "stores_unclear": "orange",
    "stores_apart": "gray",
}
STATES: Mapping[str, str] = {"running": "green", "planned": "blue", "closed": "gray", "undated": "orange"}
# Whether a result still follows the data.
FINALITY: Mapping[str, str] = {"provisional": "orange", "final": "blue"}
_SURE = ("worked", "hurt")  # verdicts beyond which chance is no explanation
_SURE_OF_STORES = ("stores_more", "stores_less")
_OPEN = ("cannot_tell", "no_evidence")
# The units of what is compared: of one customer, and money where neither.
_SHARES = ("visit", "conversion")
_COUNTS = ("orders",)
_RARE = 0.1  # orders per customer, below which two digits say nothing
_ICONS = {
    "worked": ":material/check_circle:",
    "hurt": ":material/cancel:",
    "no_evidence": ":material/remove_circle:",
    "cannot_tell": ":material/help:",
    "no_control": ":material/group_off:",
    "arms_differ": ":material/warning:",
}
# Of a campaign that some stores take part in.
STORE_ICONS: Mapping[str, str] = {
    "stores_more": ":material/trending_up:",
    "stores_less": ":material/trending_down:",
    "stores_unclear": ":material/help:",
    "stores_apart": ":material/warning:",
}


def chosen(scope: Scope) -> CampaignReport | None:
    """The campaign that ``?campaign=`` names; None when there is none in scope."""
    try:
        return load.campaign(scope, drill.asked("campaign") or "", load.generation())
    except Problem:
        return None


def sizes(campaigns: pd.DataFrame, currency: str) -> list[tuple[str, str, str | None]]:
    """Cards: how many campaigns have run, how many of them held somebody back, and what came of those."""
    ran = campaigns[campaigns["state"].isin(["running", "closed"])]
    judged = ran[ran["held_back"] > 0]
    worked = judged[judged["verdict"] == "worked"]
    cost = ran["cost"].sum(min_count=1)
    cards: list[tuple[str, str, str | None]] = [
        (t("campaigns.ran"), fmt.count(len(ran)), t("campaigns.ran.help")),
        (
            t("campaigns.judged"),
            fmt.percent(len(judged) / len(ran) if len(ran) else None, 0),
            t("campaigns.judged.help", judged=fmt.count(len(judged)), ran=fmt.count(len(ran))),
        ),
        (t("campaigns.worked"), fmt.count(len(worked)), t("campaigns.worked.help", judged=fmt.count(len(judged)))),
        (
            t("campaigns.earned"),
            fmt.money_compact(worked["incremental_margin"].sum() if len(judged) else None, currency),
            t("campaigns.earned.help"),
        ),
    ]
    if not fmt.is_missing(cost):
        cards.append((t("campaigns.cost"), fmt.money_compact(cost, currency), t("campaigns.cost.help")))
    return cards


def facts(report: CampaignReport) -> list[tuple[str, str]]:
    """What is known about a campaign, as label and text."""
    if report.header.empty:
        return [(t("column.campaign_id"), report.campaign)]
    row = report.header.iloc[0]
    counted = None if pd.isna(row["window_last"]) else fmt.period(row["starts_on"], row["window_last"])
    return [
        (t("column.type"), _word("campaign_type", row["type"])),
        (t("column.channel"), _word("channel", row["channel"])),
        (t("column.starts_on"), fmt.day(row["starts_on"])),
        (t("column.ends_on"), fmt.day(row["ends_on"])),
        (t("campaign.counted"), counted or ""),
        (t("column.cost"), fmt.money(row["cost"], report.currency)),
        (t("column.offer"), "" if fmt.is_missing(row["offer"]) else localized_text("campaign.offer", row["offer"])),
        (t("column.campaign_id"), report.campaign),
    ]


def name(report: CampaignReport) -> str:
    """The name of a campaign in the language of the run."""
    return localized_text("campaign.name", report.header["name"].iloc[0]) if len(report.header) else report.campaign


def nothing(report: CampaignReport) -> tuple[str, str, str]:
    """Why there is no verdict, what to do and an icon."""
    if report.is_withheld:
        return t("campaign.withheld"), t("campaign.withheld_do"), ":material/visibility_off:"
    return t("campaign.nobody"), t("campaign.nobody_do"), ":material/schedule:"


def rows(campaigns: pd.DataFrame, currency: str) -> pd.DataFrame:
    """Campaigns as a list shows them: a return only where something was shown to be caused, money only there or beside
    its range; ranges as text."""
    told = is_told(campaigns)
    final, judged = campaigns["frozen_at"].notna(), ~campaigns["verdict"].isin(["nobody", "withheld"])
    finality = pd.Series("provisional", campaigns.index).mask(final, "final").where(final | judged, None)
    shown = campaigns.assign(
        buyers=campaigns["buyers"].where(campaigns["targeted"] > 0),  # who bought is told of those it was for
        incremental_margin=campaigns["incremental_margin"].where(told | campaigns["incremental_lo"].notna()),
        roi=campaigns["roi"].where(told),
        finality=finality,
        extra_range=_ranges(campaigns["incremental_lo"], campaigns["incremental_hi"], partial(_compact, currency)),
        roi_range=_ranges(
            campaigns["roi_lo"].where(told), campaigns["roi_hi"].where(told), partial(fmt.decimal, digits=1)
        ),
    )
    return localized(shown, {"name": "campaign.name"})


def is_told(campaigns: pd.DataFrame) -> pd.Series:
    """Whether chance does not explain what each campaign caused, so that it may be told without its range; before the
    end nobody knows."""
    return campaigns["verdict"].isin([*_SURE, *_SURE_OF_STORES]) & (campaigns["state"] != "running")


def _ranges(lows: pd.Series, highs: pd.Series, text: Callable[[float], str]) -> pd.Series:
    """A range as text; None where there is none."""
    texts = [
        None if fmt.is_missing(lo) else t("campaign.range", lo=text(lo), hi=text(hi))
        for lo, hi in zip(lows, highs, strict=True)
    ]
    return pd.Series(texts, lows.index, dtype=object)


def _compact(currency: str, value: float) -> str:
    return fmt.money_compact(value, currency)


def verdict_line(report: CampaignReport, row: pd.Series) -> str:
    """The verdict on one treated arm, or on all together, as a sentence anybody can use."""
    key = str(row["verdict"])
    if key == "no_control" and report.basis == "adjusted":
        return f"{_ICONS[key]} {_adjusted_line(report)}"
    effect = _effect(report, row)
    early = is_early(report, row)
    sentence = t(
        f"campaign.early.{key}" if early else f"campaign.verdict.{key}",
        what=t(f"campaign.money.{report.money}"),
        each=_each(report, abs(effect["difference"])) if effect is not None else "",
        range=_range(report, effect, less=key == "hurt"),
        worth=_each(report, row["worth"]),
        why=_why_worth(report, row),
    )
    if early:
        return f"{_ICONS['cannot_tell']} {sentence}"
    # The random draws decide, corrected for several groups; the range beside them is another method's, of one group.
    if key == "cannot_tell" and effect is not None and effect["lo95"] * effect["hi95"] > 0:
        sentence = f"{sentence} {t('campaign.one_of_several')}"
    if key in _SURE and effect is not None and effect["lo95"] < 0 < effect["hi95"]:
        sentence = f"{sentence} {t('campaign.range_around_zero')}"
    return f"{_ICONS[key]} {sentence if report.is_over else t('campaign.so_far', sentence=sentence)}"


def _why_worth(report: CampaignReport, row: pd.Series) -> str:
    """What the effect is that a campaign ought to have: its cost per customer, or a tenth of the usual if that is more.

    What a campaign cost stands in the row of all treated together.
    """
    treated = report.arms.loc[~report.arms["is_control"], "people"].sum()
    cost = report.verdict["cost"].iloc[-1] / treated
    if fmt.is_missing(cost):
        return t("campaign.why_tenth_only")
    if cost >= row["worth"]:
        return t("campaign.why_cost")
    return t("campaign.why_tenth", cost=_each(report, cost))


def larger_line(report: CampaignReport) -> str | None:
    """How many customers it takes to tell of all treated together, split as this time; None where that is no matter."""
    row = report.verdict.iloc[-1]
    if row["verdict"] != "cannot_tell" or fmt.is_missing(row["people_needed"]):
        return None
    people = report.arms.groupby("is_control")["people"].sum()
    needed = row["people_needed"] * people / people.sum()
    return t(
        "campaign.larger",
        worth=_each(report, row["worth"]),
        why=_why_worth(report, row),
        treated=fmt.compact_round(needed[False]),
        held_back=fmt.compact_round(needed[True]),
        now_treated=fmt.compact(people[False]),
        now_held_back=fmt.compact(people[True]),
    )


def _adjusted_line(report: CampaignReport) -> str:
    """What the comparison with others like the treated says of buyers, as the hint that it is."""
    bought = _adjusted_buyers(report)
    return t(
        f"campaign.verdict.adjusted_{_adjusted_way(report)}",
        treated=fmt.percent(bought["treated"]),
        expected=fmt.percent(bought["expected"]),
    )


def _adjusted_buyers(report: CampaignReport) -> pd.Series:
    rows = report.adjusted[(report.adjusted["kind"] == "window") & (report.adjusted["metric"] == "conversion")]
    return rows.iloc[0]


def _adjusted_way(report: CampaignReport) -> str:
    bought = _adjusted_buyers(report)
    return "more" if bought["lo95"] > 0 else "fewer" if bought["hi95"] < 0 else "unclear"


def buyers_line(report: CampaignReport, row: pd.Series) -> str | None:
    """More or fewer buyers than chance explains, where the money leaves it open; None: neither."""
    bought = _effect(report, row, "conversion")
    if row["verdict"] not in _OPEN or bought is None or not bought["p_holm"] < LEVEL:
        return None
    way = "more" if bought["difference"] > 0 else "fewer"
    return t(f"campaign.buyers_{way}", treated=fmt.percent(bought["treated"]), control=fmt.percent(bought["control"]))


def advice(report: CampaignReport, row: pd.Series) -> str:
    """What to do next, in one sentence."""
    if not report.is_over:
        return t("campaign.advice.stop" if falls(report) and is_valid(report) else "campaign.advice.running")
    arms = report.verdict.iloc[:-1]
    worked = arms.loc[arms["verdict"] == "worked", "arm"].tolist()
    if worked and len(worked) < len(arms):
        return t("campaign.advice.arm", arm=fmt.enumerated(worked))
    if row["verdict"] == "cannot_tell" and _brought_buyers(report, row):
        return t("campaign.advice.more_buyers")
    brought = [arm["arm"] for _, arm in arms.iterrows() if _brought_buyers(report, arm)]
    if row["verdict"] == "cannot_tell" and brought:
        return t("campaign.advice.arm_buyers", arm=t("campaign.and").join(brought))
    if row["verdict"] == "no_control" and report.basis == "adjusted":
        way = _adjusted_way(report)
        return t("campaign.advice.adjusted_more" if way == "more" else "campaign.advice.adjusted")
    if row["verdict"] == "worked" and not fmt.is_missing(row["roi"]):
        return _pays(report, row) if row["roi"] > 0 else t("campaign.advice.does_not_pay")
    return t(f"campaign.advice.{row['verdict']}")


def _brought_buyers(report: CampaignReport, row: pd.Series) -> bool:
    bought = _effect(report, row, "conversion")
    return buyers_line(report, row) is not None and bought is not None and bool(bought["difference"] > 0)


def _pays(report: CampaignReport, row: pd.Series) -> str:
    return t(
        "campaign.advice.pays",
        what=t(f"campaign.money.{report.money}"),
        cost=fmt.money_compact(row["cost"], report.currency),
        incremental=fmt.money_compact(row["incremental"], report.currency),
        range=_interval(row["incremental_lo"], row["incremental_hi"], report.currency),
    )


def finality(report: CampaignReport) -> str:
    """Whether the result still follows the data, and since when it does not."""
    if report.frozen_at is not None:
        return t("campaign.final", as_of=fmt.instant(report.frozen_at))
    last = report.header["window_last"].iloc[0] if len(report.header) else None
    if report.is_over or fmt.is_missing(last):
        return t("campaign.provisional_closed")
    return t("campaign.provisional", day=fmt.day(last))


def cards(report: CampaignReport, row: pd.Series) -> list[tuple[str, str, str | None]]:
    """What the whole campaign earned and its return on cost, where somebody was held back to tell; who took part."""
    people = report.arms.groupby("is_control")["people"].sum()
    if row["verdict"] == "no_control":
        return _without_effect(report, people)
    bought = _effect(report, row, "conversion")
    # A figure that may as well be chance would be read as earned.
    is_sure, unclear = row["verdict"] in _SURE and not is_early(report, row), t("campaign.unclear")
    found: list[tuple[str, str, str | None]] = [
        (
            incremental_name(report.money),
            fmt.money_compact(row["incremental"], report.currency)
            if is_sure or fmt.is_missing(row["incremental"])
            else unclear,
            t(
                "campaign.incremental.help",
                what=t(f"campaign.money.{report.money}"),
                range=_interval(row["incremental_lo"], row["incremental_hi"], report.currency),
            ),
        ),
        (
            t("campaign.roi"),
            fmt.decimal(row["roi"], 1) if is_sure or fmt.is_missing(row["roi"]) else unclear,
            t("campaign.roi.help", range=_plain(row["roi_lo"], row["roi_hi"])),
        ),
        (
            t("campaign.bought"),
            fmt.percent(bought["treated"]) if bought is not None else fmt.MISSING,
            t("campaign.bought.help", control=fmt.percent(bought["control"]) if bought is not None else fmt.MISSING),
        ),
        (t("campaign.treated"), fmt.compact(people.get(False, 0)), t("campaign.treated.help")),
        (t("campaign.held_back"), fmt.compact(people.get(True, 0)), t("campaign.held_back.help")),
    ]
    return found


def incremental_name(money: str) -> str:
    """Of what was caused, by what it is counted in."""
    return t("campaign.incremental", what=t(f"campaign.money.{money}"))


def _without_effect(report: CampaignReport, people: pd.Series) -> list[tuple[str, str, str | None]]:
    """Cards of a campaign in which nobody was held back: no money, no return, for nobody can say what is its doing."""
    bought = report.arms["buyers"].sum(min_count=1) / people.sum()
    return [
        (t("campaign.bought"), fmt.percent(bought), t("campaign.bought_plain.help")),
        (t("campaign.treated"), fmt.compact(people.sum()), t("campaign.treated.help")),
        (t("campaign.held_back"), fmt.count(0), t("campaign.held_back.help")),
    ]


def is_valid(report: CampaignReport) -> bool:
    """Whether the groups may be compared at all."""
    return not (report.verdict["verdict"] == "arms_differ").any()


def is_early(report: CampaignReport, row: pd.Series) -> bool:
    """Whether a verdict for one look at the end is read before it, while the range for every look leaves it open."""
    return row["verdict"] in _SURE and not _may_be_read(report)


def _may_be_read(report: CampaignReport) -> bool:
    """Whether the campaign is over, or the range for every look has left zero before."""
    last = report.curve.tail(1)
    return report.is_over or bool(((last["lo95"] > 0) | (last["hi95"] < 0)).any())


def falls(report: CampaignReport) -> bool:
    """Whether the curve says even to who looks every day that the campaign brings less."""
    return len(report.curve) > 0 and bool(report.curve["hi95"].iloc[-1] < 0)


def is_sure(report: CampaignReport) -> bool:
    """Whether chance does not explain the result of all treated together."""
    return report.verdict["verdict"].iloc[-1] in _SURE


def arm_name(arm: str) -> str:
    return t("campaign.all_arms") if arm == POOLED else arm


def effects(report: CampaignReport) -> go.Figure:
    """The change of each metric in percent of the control group, one dot per treated arm, with its interval."""
    rows = report.lift[(report.lift["metric"] != "orders") & (report.lift["control"] > 0)].reset_index(drop=True)
    names = _named(rows)
    middle = rows["difference"] / rows["control"]
    # The ratio's own interval where there is one: the control group is an estimate, too.
    low, high = (rows[f"relative_{end}"].fillna(rows[f"{end}95"] / rows["control"]) for end in ("lo", "hi"))
    clear = (rows["p_holm"] < LEVEL) & (is_valid(report) and _may_be_read(report))
    places = list(range(len(rows)))
    figure = go.Figure(layout=charts.layout(height=charts.ROW * max(len(rows), 2) + 56))
    hints = pd.Series(
        [
            (label, fmt.change(value), _percents(lo, hi))
            for label, value, lo, hi in zip(names, middle, low, high, strict=True)
        ],
        rows.index,
        dtype=object,
    )
    for colour, mine in ((palette.OWN, clear), (palette.QUIET, ~clear)):
        figure.add_trace(
            go.Scatter(
                x=middle[mine],
                y=rows.index[mine],
                mode="markers",
                marker={"size": 11, "color": colour},
                error_x=charts.whiskers(middle[mine], low[mine], high[mine], colour),
                customdata=hints[mine].tolist(),
                hovertemplate="<b>%{customdata[0]}</b><br>%{customdata[1]}<br>%{customdata[2]}<extra></extra>",
                showlegend=False,
            )
        )
    reach = max(float(high.fillna(middle).max()), 0.0), min(float(low.fillna(middle).min()), 0.0)
    ticks, texts = fmt.percent_ticks(reach[0], reach[1])
    if narrow():  # every second one, zero among them: all of them would stand aslant
        begin = ticks.index(0.0) % 2
        ticks, texts = ticks[begin::2], texts[begin::2]
    figure.add_vline(x=0, line={"color": palette.SOFT_TEXT, "width": 1})
    figure.update_xaxes(tickvals=ticks, ticktext=texts, fixedrange=True, showgrid=True, zeroline=False)
    figure.update_yaxes(
        tickvals=places,
        ticktext=names,
        range=[max(len(rows), 2) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=True,
        automargin=True,
        tickfont=charts.NAMES,
    )
    return figure


def _named(rows: pd.DataFrame) -> list[str]:
    """What each effect is on, with its arm where there are several."""
    several = rows["arm"].nunique() > 1
    return [
        t(f"lift.{metric}") + (f" · {arm_name(arm)}" if several else "")
        for arm, metric in zip(rows["arm"], rows["metric"], strict=True)
    ]


def table(report: CampaignReport) -> pd.DataFrame:
    """The effects as a list: what changed, in which arm where there are several, every number as text in its own
    unit."""
    rows = report.lift
    metrics = rows["metric"]
    few = rows.loc[metrics.isin(_COUNTS), "control"].max() < _RARE
    digits = 4 if few else 2

    def level(value: float, metric: str) -> str:
        if metric in _SHARES:
            return fmt.percent(value)
        return fmt.decimal(value, digits) if metric in _COUNTS else _each(report, value)

    def change(value: float, metric: str) -> str:
        if metric in _SHARES:
            return fmt.points(value)
        return fmt.plus(value, digits) if metric in _COUNTS else ("+" if value > 0 else "") + _each(report, value)

    def ends(low: float, high: float, metric: str) -> str:
        if fmt.is_missing(low):
            return fmt.MISSING
        return fmt.between(fmt.plus(100 * low, 1) if metric in _SHARES else change(low, metric), change(high, metric))

    shown = {name: list(map(level, rows[name], metrics)) for name in ("treated", "control")}
    return pd.DataFrame(
        {
            "metric": _named(rows),
            **shown,
            "change_text": list(map(change, rows["difference"], metrics)),
            "interval": list(map(ends, rows["lo95"], rows["hi95"], metrics)),
            "p_holm": [fmt.p_value(value) for value in rows["p_holm"]],
        }
    )


def checks(report: CampaignReport) -> list[str]:
    """How far the comparison may be trusted, one line per check."""
    known = report.checks.set_index("key")["value"]
    lines = []
    ratio = known.get("sample_ratio_p")
    if ratio is not None and not fmt.is_missing(ratio):
        lines.append(t("campaign.check.ratio", p=fmt.p_value(ratio, 3)))
    else:
        lines.append(t("campaign.check.no_plan"))
    whole = report.verdict["arm"].iloc[-1]
    reduction = known.get(f"cuped_variance_reduction.{whole}")
    if reduction is not None and not fmt.is_missing(reduction):
        plain = _effect(report, report.verdict.iloc[-1], "spend")
        if plain is not None:
            texts = {"plain": plain["difference"], "difference": known[f"cuped_difference.{whole}"]}
            amounts = {name: _each(report, value) for name, value in texts.items()}
            lines.append(t("campaign.check.cuped", reduction=fmt.percent(reduction, 0), **amounts))
    least = report.verdict["smallest_detectable"].iloc[-1]
    if not fmt.is_missing(least):
        what = t(f"campaign.money.{report.money}")
        lines.append(t("campaign.check.least", least=_each(report, least), what=what))
    if "no_interval" in set(report.lift["method"]):
        lines.append(t("campaign.check.few"))
    lines.append(t("campaign.check.cost"))
    return lines


def steps(funnel: FunnelReport) -> pd.DataFrame:
    """The steps of the treated with their names, shares of the step before among them; ``step``, label, customers."""
    rows = funnel.steps
    labels = [
        t(f"step.{step}") + ("" if fmt.is_missing(rate) else f" · {fmt.percent(rate, 0)}")
        for step, rate in zip(rows["step"], rows["rate_step"], strict=True)
    ]
    return rows[["step", "customers"]].assign(label=labels)


def _effect(report: CampaignReport, row: pd.Series, metric: str | None = None) -> pd.Series | None:
    rows = report.lift[(report.lift["arm"] == row["arm"]) & (report.lift["metric"] == (metric or report.money))]
    return rows.iloc[0] if len(rows) else None


def _each(report: CampaignReport, value: float) -> str:
    return fmt.money(value, report.currency, digits=2)


def _range(report: CampaignReport, effect: pd.Series | None, *, less: bool) -> str:
    """The range of a difference; ``less``: of how much less it is, as the sentence around it says."""
    if effect is None or fmt.is_missing(effect["lo95"]):
        return t("campaign.no_range")
    ends = (-effect["hi95"], -effect["lo95"]) if less else (effect["lo95"], effect["hi95"])
    lo, hi = (fmt.money(end, report.currency, digits=2) for end in ends)
    return t("campaign.range_sure", lo=lo, hi=hi)


def _interval(lo: float, hi: float, currency: str) -> str:
    if fmt.is_missing(lo):
        return t("campaign.no_range")
    return t("campaign.range", lo=fmt.money_compact(lo, currency), hi=fmt.money_compact(hi, currency))


def _plain(lo: float, hi: float) -> str:
    return (
        t("campaign.no_range")
        if fmt.is_missing(lo)
        else t("campaign.range", lo=fmt.decimal(lo, 1), hi=fmt.decimal(hi, 1))
    )


def _percents(lo: float, hi: float) -> str:
    return t("campaign.no_range") if fmt.is_missing(lo) else t("campaign.range", lo=fmt.change(lo), hi=fmt.change(hi))


def _word(prefix: str, value: object) -> str:
    if fmt.is_missing(value):
        return ""
    return word(prefix, str(value))
