"""The tables around the trade of the demo chain: customers' data, loyalty, service, people, supply, the outside.

One module per topic. Every topic draws from a random stream of its own, so a change in one leaves the others alone.
"""

from typing import Any

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import ground
from data_access.demo.satellites.care import appointment, follow_up
from data_access.demo.satellites.consents import consent
from data_access.demo.satellites.customers import (
    customer_event,
    customer_identity,
    customer_metric,
    customer_moment,
    customer_tag,
)
from data_access.demo.satellites.deliveries import shipment, transfer_lane
from data_access.demo.satellites.governance import data_incident
from data_access.demo.satellites.holidays import holiday
from data_access.demo.satellites.ledgers import points_entry, points_rule, stored_value_entry
from data_access.demo.satellites.loyalty import tier, tier_change
from data_access.demo.satellites.outside import competitor_observation, market_observation, trial
from data_access.demo.satellites.people_development import course, course_names_truth, recognition, training_record
from data_access.demo.satellites.service import ticket
from data_access.demo.satellites.supply import purchases, supplier, supply_term
from data_access.demo.satellites.surveys import survey
from data_access.demo.world import World


def satellites(
    core: dict[str, pd.DataFrame], rng: np.random.Generator, world: World, null: frozenset[str]
) -> tuple[dict[str, pd.DataFrame], dict[str, Any]]:
    """Fills every table that is not part of the trade itself.

    ``core`` holds the trade's frames by canonical table name, and ``_replenishment``: one row per delivery to a
    store (store_id, product_id, supplier_id, lot_id, ordered_at, promised_on, received_on, quantity accepted);
    a delivery whose ``received_on`` is missing or after the end is still under way.

    Returns the frames by canonical table name (``translation`` holds rows to add) and the hidden truth that
    the core does not know: the wave of complaints, which course is which, the consents withdrawn.
    """
    g = ground(core, world, null)
    for_customers, for_loyalty, for_service, for_care, for_people, for_supply, for_outside = rng.spawn(7)
    consents, consent_truth = consent(g, for_customers)
    tiers, tier_names = tier(g)
    parcels, late_orders = shipment(g, for_supply)
    tickets, wave = ticket(g, for_service, late_orders)
    invitations, answers = survey(g, for_service, tickets)
    courses, course_names = course(g)
    suppliers, supplier_names = supplier(g)
    trials, feedback = trial(g, for_outside)
    holidays, holiday_names = holiday(g)
    tags, tag_texts = customer_tag(g, for_customers)
    records = training_record(g, for_people)
    praise, praise_texts = recognition(g, for_people)
    new_names = pd.concat(
        [tier_names, course_names, supplier_names, holiday_names, tag_texts, praise_texts], ignore_index=True
    )
    frames = {
        "consent": consents,
        "customer_tag": tags,
        "customer_metric": customer_metric(g, for_customers),
        "customer_identity": customer_identity(g, for_customers),
        "customer_moment": customer_moment(g, for_customers),
        "customer_event": customer_event(g, for_customers),
        "tier": tiers,
        "tier_change": tier_change(g),
        "points_rule": points_rule(g),
        "points_entry": points_entry(g, for_loyalty),
        "stored_value_entry": stored_value_entry(g, for_loyalty),
        "ticket": tickets,
        "survey_invitation": invitations,
        "survey_answer": answers,
        "follow_up": follow_up(g, for_care, consents),
        "appointment": appointment(g, for_care),
        "course": courses,
        "training_record": records,
        "recognition": praise,
        "supplier": suppliers,
        "supply_term": supply_term(g),
        **purchases(g, for_supply),
        "transfer_lane": transfer_lane(g),
        "shipment": parcels,
        "market_observation": market_observation(g, for_outside),
        "competitor_observation": competitor_observation(g, for_outside),
        "trial": trials,
        "trial_feedback": feedback,
        "holiday": holidays,
        "data_incident": data_incident(g, for_outside),
        "translation": new_names.assign(updated_at=tiers["updated_at"].iloc[0]),
    }
    truth = {
        "complaint_wave": wave,
        "course_names": course_names_truth(g),
        "consent": consent_truth,
    }
    return frames, truth
