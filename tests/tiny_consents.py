"""The consents and the incident of the tiny chain (``tests.tiny``).

Campaign K1 wrote to customers 1, 2, 4 and 6 by WeChat on 1 March 2026 (``tests.tiny_campaigns``): 2 had withdrawn
before and agreed again after, 4 had never agreed, 6 withdrew a few days later.
"""

from datetime import datetime

from tests.tiny_campaigns import Rows, march

MINORS = {3}
# customer, purpose, channel, granted, withdrawn
CONSENTS: tuple[tuple[int, str, str, datetime, datetime | None], ...] = (
    (1, "marketing", "wechat", datetime(2025, 3, 1, 2), None),
    (1, "marketing", "sms", datetime(2025, 3, 1, 2), datetime(2025, 9, 1)),
    (2, "marketing", "wechat", datetime(2025, 6, 15, 4), datetime(2026, 2, 1)),
    (2, "marketing", "wechat", march(15, 10), None),
    (2, "service", "phone", datetime(2025, 6, 15, 4), None),
    (3, "marketing", "sms", datetime(2026, 2, 20, 7), None),
    (3, "service", "phone", datetime(2026, 2, 20, 7), datetime(2026, 2, 21)),
    (5, "skin_profile", "app", datetime(2025, 1, 1, 2), None),
    (6, "marketing", "wechat", datetime(2026, 2, 28), march(5, 10)),
)
INCIDENT = ("DI1", "lost_device", datetime(2026, 3, 2, 8), datetime(2026, 3, 2, 11), datetime(2026, 3, 3, 10), 40)


def rows() -> dict[str, Rows]:
    """The facts by table."""
    consents = ("customer_no", "purpose", "channel", "granted_at", "withdrawn_at")
    incident = ("incident_id", "kind", "detected_at", "contained_at", "notified_at", "records_affected")
    return {
        "consent": [dict(zip(consents, consent, strict=True)) for consent in CONSENTS],
        "incident": [dict(zip(incident, INCIDENT, strict=True))],
    }
