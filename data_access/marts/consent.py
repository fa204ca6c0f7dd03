"""What customers agreed to, and the incidents with data that the CRM records.

Consents of customers that nobody registered are kept like any other, by their number. What an incident was is free
text, which may name people: it stays in the CRM.
"""

# One row per consent as the CRM records it.
CONSENT = """
SELECT k.customer_no, c.purpose, c.channel, c.granted_at, c.withdrawn_at
FROM clean.consent c JOIN clean.customer_number k USING (customer_id)
"""

INCIDENT = """
SELECT incident_id, kind, detected_at, contained_at, notified_at, records_affected FROM clean.data_incident
ORDER BY detected_at, incident_id
"""
