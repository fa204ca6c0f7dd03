"""What identifies a customer: sealed in our own CRM, read as it is in a foreign one.

Whoever needs a name or a number asks here and never reads those columns: in our own CRM (``demo`` and ``import`` made
it) they are empty, and the values lie encrypted in tables beside. A foreign CRM is never written to.

Nothing here asks who is asking: scope, permission, reason and audit come before the call.
"""

from data_access.vault.people import Field, Kind, Status, contact, erase, find, identities, is_ours, status

__all__ = ["Field", "Kind", "Status", "contact", "erase", "find", "identities", "is_ours", "status"]
