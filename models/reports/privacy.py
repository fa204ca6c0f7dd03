"""Privacy: who agreed to what, whether that was kept, what is due to be forgotten, which incidents there were."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

import pandas as pd

from data_access.marts.consent_breach import MARKETING
from data_access.marts.consent_store import ANY
from data_access.queries import consents as queries
from data_access.scope import Scope
from data_access.snapshot import Snapshot
from data_access.state.retention import MONTHS, cut_off
from models.calc.suppression import TOTAL, published
from models.reports._shape import Columns, select_columns


@dataclass(frozen=True, slots=True)
class PrivacyReport:
    """Sums only: no row names a customer. Due to be forgotten and incidents are for the chain scope only."""

    # one row: registered customers; of them younger than 18, of unknown age, who agree to marketing in some channel,
    # and who may be contacted (agree and are known to be 18 or older); messages without consent
    people: Annotated[
        pd.DataFrame,
        Columns("customers minors age_unknown live contactable contactable_share contacts_without_consent"),
    ]
    # one row per purpose and channel with a consent; coverage: of the registered customers, withdrawn_share: of those
    # who ever agreed
    consents: Annotated[
        pd.DataFrame, Columns("purpose channel live coverage live_adults withdrawn withdrawn_share agreed")
    ]
    # one row per home store with a customer, the least contactable first; store: none for customers of no store
    stores: Annotated[
        pd.DataFrame, Columns("store_id store customers contactable contactable_share live minors age_unknown")
    ]
    # one row per campaign, channel and reason (withdrawn | never_given): messages that nobody had agreed to
    contacts: Annotated[
        pd.DataFrame, Columns("campaign_id campaign channel reason contacts customers first_at last_at")
    ]
    # one row per thing that is kept for a time: the months of the rule, the day before which it is due, how many are
    retention: Annotated[pd.DataFrame, Columns("subject months due_before due")]
    # one row per incident that the CRM records, the latest first; hours from its detection
    incidents: Annotated[
        pd.DataFrame,
        Columns("incident_id kind detected_at hours_to_contain hours_to_notify records_affected"),
    ]


def privacy(
    snapshot: Snapshot,
    scope: Scope,
    customer_months: int = MONTHS["customers"],
    consent_months: int = MONTHS["consents"],
) -> PrivacyReport:
    """The state of privacy as the snapshot has it, with the rules of retention in months."""
    engine, today = snapshot.engine, snapshot.info.last_day or snapshot.info.as_of.date()
    stores = queries.by_store(scope, engine)
    coverage = queries.coverage(scope, engine)
    # Without a single consent on record nobody knows who agreed: the queries then count no message.
    contacts = queries.contacts_without_consent(scope, engine)
    registered = int(stores["customers"].sum())
    frames = select_columns(
        PrivacyReport,
        people=_people(stores, contacts),
        consents=_consents(coverage, registered),
        stores=_stores(stores),
        contacts=contacts,
        retention=_retention(scope, snapshot, today, customer_months, consent_months),
        incidents=_incidents(queries.incidents(scope, engine)),
    )
    return PrivacyReport(**frames)


def small_hidden(report: PrivacyReport) -> PrivacyReport:
    """``report`` as it may be shown outside the stores: numbers of 1 to 4 people by store are missing, with as many
    others as keep them from being computed from the totals."""
    s = report.stores
    ages = published(
        pd.DataFrame(
            {
                "minors": s["minors"],
                "age_unknown": s["age_unknown"],
                "adults": s["customers"] - s["minors"] - s["age_unknown"],
            }
        )
    )
    reach = published(
        pd.DataFrame(
            {
                "contactable": s["contactable"],
                "not_adult": s["live"] - s["contactable"],
                "never": s["customers"] - s["live"],
            }
        )
    )
    told = pd.DataFrame(
        {
            "customers": ages[TOTAL].where(reach[TOTAL].notna()),
            "minors": ages["minors"],
            "age_unknown": ages["age_unknown"],
            "contactable": reach["contactable"],
            # with one of its two parts it would give the other away
            "live": (reach["contactable"] + reach["not_adult"]).where(reach[TOTAL].notna()),
        }
    )
    totals = told.loc[TOTAL]
    told = told.drop(index=TOTAL)
    share = _share(told["contactable"].astype("float64"), told["customers"].astype("float64"))
    people = report.people.assign(**{str(name): value for name, value in totals.items()})
    people["contactable_share"] = report.people["contactable_share"].where(people["contactable"].notna())
    return replace(report, stores=s.assign(**told, contactable_share=share), people=people)


def _people(stores: pd.DataFrame, contacts: pd.DataFrame) -> pd.DataFrame:
    sums = stores[["customers", "minors", "age_unknown", "live", "contactable"]].sum()
    frame = sums.to_frame().T.astype("int64")
    return frame.assign(
        contactable_share=_share(frame["contactable"], frame["customers"]),
        contacts_without_consent=int(contacts["contacts"].sum()),
    )


def _consents(coverage: pd.DataFrame, registered: int) -> pd.DataFrame:
    # Of a purpose with one channel the row of any channel says the same again; marketing leads.
    channels = coverage.groupby("purpose")["channel"].transform("size")
    shown = coverage[(coverage["channel"] != ANY) | (channels > 2)]
    shown = shown.assign(
        coverage=_share(shown["live"], pd.Series(registered, index=shown.index)),
        withdrawn_share=_share(shown["withdrawn"], shown["agreed"]),
        later=shown["purpose"] != MARKETING,
    )
    return shown.sort_values(["later", "purpose", "channel"]).reset_index(drop=True)


def _stores(stores: pd.DataFrame) -> pd.DataFrame:
    with_share = stores.assign(contactable_share=_share(stores["contactable"], stores["customers"]))
    return with_share.sort_values(["contactable_share", "store_id"], na_position="last").reset_index(drop=True)


def _retention(
    scope: Scope, snapshot: Snapshot, today: date, customer_months: int, consent_months: int
) -> pd.DataFrame:
    customers_before, consents_before = cut_off(customer_months, today), cut_off(consent_months, today)
    if scope.kind != "chain":
        return pd.DataFrame(columns=["subject", "months", "due_before", "due"])
    engine = snapshot.engine
    return pd.DataFrame(
        {
            "subject": ["customers", "consents"],
            "months": [customer_months, consent_months],
            "due_before": pd.to_datetime([customers_before, consents_before]),
            "due": [
                int(queries.without_purchase(scope, engine, customers_before)["customers"].sum()),
                int(queries.withdrawn_before(scope, engine, consents_before)["consents"].sum()),
            ],
        }
    )


def _incidents(incidents: pd.DataFrame) -> pd.DataFrame:
    def hours(column: str) -> pd.Series:
        return (incidents[column] - incidents["detected_at"]).dt.total_seconds() / 3600

    return incidents.assign(hours_to_contain=hours("contained_at"), hours_to_notify=hours("notified_at"))


def _share(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part / whole.where(whole > 0)
