"""What a wish about an account may run into."""

from data_access.errors import Problem


class Rule(Problem):
    """A rule that somebody's wish breaks. ``key`` names it, so that a page can say it in its reader's language."""

    def __init__(self, key: str, sentence: str) -> None:
        if key not in KEYS:
            raise ValueError(f"no such rule: {key!r}")
        super().__init__(sentence)
        self.key = key


KEYS = (
    "no_account",
    "sign_in_name",
    "sign_in_name_taken",
    "display_name",
    "role",
    "needs_store",
    "needs_region",
    "no_places",
    "no_reveal",
    "no_export",
    "last_administrator",
    "password_short",
    "password_long",
    "password_common",
    "password_same",
    "password_wrong",
    "break_glass",
    "identity",
    "identity_taken",
    "prove_again",
    "totp_exists",
    "totp_not_offered",
    "totp_missing",
    "code_wrong",
    "locked",
    "busy",
    "changed_meanwhile",
    "setup_over",
    "setup_link",
    "no_customer",
    "reveal_field",
    "reveal_permission",
    "reveal_factor",
    "reveal_age",
    "reveal_reason",
    "reveal_note",
    "reveal_limit",
    "incident_summary",
    "incident_records",
    "incident_instant",
    "incident_step",
    "incident_open",
    "no_incident",
    "erasure_instant",
    "erasure_open",
    "erasure_over",
    "no_erasure",
    "retention_months",
    "data_reason",
    "erasure_confirm",
    "several_customers",
    "no_such_customer",
    "action_many",
    "action_subject",
    "action_note",
    "action_until",
    "action_assignee",
    "audience_scope",
    "audience_name",
    "audience_taken",
    "audience_size",
    "audience_linked",
    "audience_campaign",
    "no_audience",
    "decision_text",
    "decision_day",
    "no_decision",
    "view_name",
    "view_taken",
    "view_many",
    "view_filters",
    "no_view",
)
