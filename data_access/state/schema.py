"""The tables of the app's own store, on SQLite and PostgreSQL.

Instants are naive UTC. Tokens and recovery codes are random and kept as SHA-256 in hexadecimal digits only; passwords
as argon2id; the keys of one-time codes encrypted.
"""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    false,
)

state = MetaData()

ID = String(64)
WORD = String(64)
NAME = String(200)
DIGEST = String(64)
ISSUER = String(300)
SUBJECT = String(255)  # the most a provider may take


def _needed(name: str, type_: Any) -> Column[Any]:
    return Column(name, type_, nullable=False)


def _account(*, needed: bool = False, key: bool = False) -> Column[Any]:
    target = ForeignKey("account.account_id", ondelete="CASCADE")
    return Column("account_id", ID, target, primary_key=key, nullable=not (needed or key))


account = Table(
    "account",
    state,
    Column("account_id", ID, primary_key=True),
    _needed("sign_in_name", NAME),
    Column("sign_in_key", NAME, nullable=False, unique=True),  # the name as it is compared: NFKC, case folded
    _needed("display_name", NAME),
    _needed("role", WORD),
    _needed("may_reveal", Boolean),
    _needed("may_export", Boolean),
    _needed("password", Text),  # argon2id with its parameters and salt
    Column("initial_until", DateTime),  # until when a password chosen by somebody else opens; null: the person's own
    Column("totp_key", LargeBinary),  # encrypted
    Column("totp_offered", LargeBinary),  # encrypted; not confirmed by a code yet
    Column("totp_step", BigInteger),  # the newest time step whose code was taken: no code is taken twice
    _needed("disabled", Boolean),
    # Signs in with the password also where people sign in with an OpenID provider.
    Column("break_glass", Boolean, nullable=False, server_default=false()),
    _needed("epoch", Integer),  # grows with every change
    _needed("created_at", DateTime),
    Column("signed_in_at", DateTime),
    Column("signed_in_from", WORD),  # the address of the latest sign-in
    info={"grain": "one person who may sign in"},
)

account_scope = Table(
    "account_scope",
    state,
    _account(key=True),
    Column("kind", WORD, primary_key=True),  # store | region | staff
    Column("place_id", ID, primary_key=True),
    info={"grain": "one store or region a person is responsible for, or whom of the staff the person is"},
)

recovery_code = Table(
    "recovery_code",
    state,
    Column("digest", DIGEST, primary_key=True),
    _account(needed=True),
    info={"grain": "one unused recovery code"},
)
Index("ix_recovery_code_account_id", recovery_code.c.account_id)

session = Table(
    "session",
    state,
    Column("session_id", ID, primary_key=True),
    Column("digest", DIGEST, nullable=False, unique=True),  # of the token
    _account(),
    Column("epoch", Integer),  # of the account when the session last agreed with it
    _needed("role", WORD),
    _needed("home", ID),  # one-click entry only: the store or region
    _needed("begun_at", DateTime),
    _needed("last_seen_at", DateTime),
    _needed("address", WORD),
    _needed("device", NAME),
    # With an OpenID provider only: which one, its ID token (encrypted), whether it vouches for a second factor,
    # when the person last showed it who they are, and its own session.
    Column("issuer", ISSUER),
    Column("id_token", LargeBinary),
    Column("second_factor", Boolean, nullable=False, server_default=false()),
    Column("proved_at", DateTime),
    Column("provider_session", DIGEST),  # of the session there, where the provider names it
    info={"grain": "one sign-in that has not ended; without an account it is one-click entry to the demo chain"},
)
Index("ix_session_account_id", session.c.account_id)

one_time_token = Table(
    "one_time_token",
    state,
    Column("digest", DIGEST, primary_key=True),
    _needed("purpose", WORD),  # setup: makes the first administrator; code: a password was right, the code is awaited
    _account(),
    Column("epoch", Integer),
    Column("proof", LargeBinary),  # what an OpenID provider has said before the code, encrypted
    _needed("ends_at", DateTime),
    info={"grain": "one token that has been given out and not been used"},
)

identity = Table(
    "identity",
    state,
    Column("issuer", ISSUER, primary_key=True),
    Column("subject", SUBJECT, primary_key=True),
    Column("account_id", ID, ForeignKey("account.account_id", ondelete="CASCADE"), nullable=False, unique=True),
    _needed("linked_at", DateTime),
    info={"grain": "one person as an OpenID provider knows them, and whose account that is"},
)

provider_visit = Table(
    "provider_visit",
    state,
    Column("digest", DIGEST, primary_key=True),  # of the state that the provider sends back
    _needed("browser", DIGEST),  # of the cookie of the browser that went there
    _needed("secret", LargeBinary),  # what belongs to the visit, encrypted
    _needed("ends_at", DateTime),
    info={"grain": "one browser that was sent to the OpenID provider and has not come back"},
)

provider_sign_out = Table(
    "provider_sign_out",
    state,
    Column("digest", DIGEST, primary_key=True),  # of the provider and its id of the word
    _needed("ends_at", DateTime),  # when the word would be too old anyway
    info={"grain": "one word of the OpenID provider to sign somebody out, which was used"},
)

sign_in_attempt = Table(
    "sign_in_attempt",
    state,
    Column("subject", DIGEST, primary_key=True),  # of an address or a sign-in name
    _needed("wrong", Integer),  # names: wrong attempts in a row
    _needed("free_at", DateTime),  # names: locked until; addresses: when the reserve of attempts is full again
    _needed("ends_at", DateTime),  # when the row may be forgotten
    info={"grain": "one address or sign-in name with wrong attempts"},
)

audit = Table(
    "audit",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("action", WORD),
    _needed("subject", NAME),
    _needed("detail", Text),  # JSON
    _needed("hash", DIGEST),  # SHA-256 of the hash before and this row
    info={"grain": "one thing that was done; never changed, never removed"},
)
Index("ix_audit_at", audit.c.at)
Index("ix_audit_actor", audit.c.actor)
Index("ix_audit_subject", audit.c.subject)

audit_head = Table(
    "audit_head",
    state,
    Column("only", Integer, primary_key=True, autoincrement=False),  # always 1
    _needed("number", BigInteger().with_variant(Integer, "sqlite")),
    _needed("hash", DIGEST),
    info={"grain": "the end of the audit log: whoever appends locks it"},
)

export_file = Table(
    "export_file",
    state,
    Column("file_id", ID, primary_key=True),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("page", WORD),
    _needed("rows", Integer),
    _needed("sha256", DIGEST),  # of the file
    _needed("customers", Integer),
    _needed("customer_nos", LargeBinary),  # the numbers of the customers it names, rising, 8 bytes each, low byte first
    info={"grain": "one file that somebody has taken away; the audit log holds the rest of it"},
)
Index("ix_export_file_at", export_file.c.at)

incident = Table(
    "incident",
    state,
    Column("incident_id", ID, primary_key=True),
    _needed("kind", WORD),
    _needed("summary", Text),
    Column("records_affected", Integer),
    _needed("detected_at", DateTime),
    _needed("recorded_at", DateTime),
    Column("contained_at", DateTime),
    Column("authority_told_at", DateTime),
    Column("people_told_at", DateTime),
    Column("closed_at", DateTime),
    info={"grain": "one incident with data"},
)

erasure_request = Table(
    "erasure_request",
    state,
    Column("request_id", ID, primary_key=True),
    _needed("customer_key", WORD),  # the pseudonym: all that is left when the request has ended
    Column("customer_id", NAME),  # the CRM's, while the request is open
    _needed("asked_at", DateTime),
    Column("ended_at", DateTime),
    Column("outcome", WORD),  # erased, or why it was declined
    info={"grain": "one request of a customer to be forgotten"},
)
Index("ix_erasure_request_customer_key", erasure_request.c.customer_key)

retention_rule = Table(
    "retention_rule",
    state,
    Column("subject", WORD, primary_key=True),  # customers | consents | audit
    _needed("months", Integer),
    info={"grain": "one decision how long something is kept, where it is not the usual one"},
)

list_action = Table(
    "list_action",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("list_key", WORD),
    _needed("subject_kind", WORD),  # customer | store | product | ...
    _needed("subject_key", NAME),  # of a customer: the pseudonym
    Column("store_id", ID),  # whose row it is; null: the chain's
    _needed("state", WORD),  # open | done | assigned | snoozed
    Column("until", Date),  # of a snoozed row: hidden before this day
    Column("assignee", NAME),  # staff:ID, or an actor as in the audit log
    _needed("note", NAME),
    info={"grain": "one thing done about one row of a list; never changed, the latest one counts"},
)
Index("ix_list_action_list_key", list_action.c.list_key)
Index("ix_list_action_subject_key", list_action.c.subject_key)

saved_view = Table(
    "saved_view",
    state,
    Column("view_id", ID, primary_key=True),
    _needed("actor", NAME),  # whose it is, as in the audit log
    _needed("role", WORD),  # of that person when it was saved: with whom a shared one is shared
    _needed("name", NAME),
    _needed("page", WORD),
    _needed("query", Text),  # JSON: the filters as the address names them
    _needed("shared", Boolean),
    _needed("saved_at", DateTime),
    info={"grain": "one page with its filters, saved under a name"},
)
Index("ix_saved_view_actor", saved_view.c.actor)

audience = Table(
    "audience",
    state,
    Column("audience_id", ID, primary_key=True),
    _needed("at", DateTime),
    _needed("actor", NAME),
    Column("name", NAME, nullable=False, unique=True),
    _needed("channel", WORD),
    _needed("conditions", Text),  # JSON: whom it was made of
    _needed("withheld", Text),  # JSON: customers by the reason why they are not in it
    _needed("seed", BigInteger),  # of the draw
    _needed("reachable", Integer),  # people it was drawn from
    _needed("contacted", Integer),  # people of each arm
    _needed("held_back", Integer),
    _needed("window_days", Integer),
    _needed("held_until", Date),  # those held back are kept out of other audiences up to this day
    Column("base_share", Float),  # of the reachable, who bought in as many days before
    _needed("generation", WORD),
    _needed("as_of", Date),
    info={"grain": "one saved audience; never changed"},
)

audience_member = Table(
    "audience_member",
    state,
    Column("audience_id", ID, ForeignKey("audience.audience_id"), primary_key=True),
    Column("customer_no", BigInteger, primary_key=True, autoincrement=False),  # the pseudonym
    _needed("arm", WORD),  # contacted | held_back
    _needed("assigned_at", DateTime),
    info={"grain": "one customer of an audience; never changed"},
)

audience_link = Table(
    "audience_link",
    state,
    Column("audience_id", ID, ForeignKey("audience.audience_id"), primary_key=True),
    Column("campaign_id", NAME, nullable=False, unique=True),
    _needed("at", DateTime),
    _needed("actor", NAME),
    info={"grain": "one audience that belongs to a campaign of the CRM; never changed"},
)

decision = Table(
    "decision",
    state,
    Column("decision_id", ID, primary_key=True),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("about", NAME),  # a kind of campaign, or a campaign
    _needed("decided", Text),
    _needed("expected", Text),
    _needed("look_on", Date),  # the day to look whether it came so
    Column("seen", Text),
    Column("seen_at", DateTime),
    Column("seen_by", NAME),
    info={"grain": "one decision about campaigns: what was expected of it, and later what was seen"},
)
Index("ix_decision_look_on", decision.c.look_on)

digest = Table(
    "digest",
    state,
    Column("digest_id", ID, primary_key=True),
    _needed("account_id", ID),  # whose it is: it tells what that person may see
    _needed("page", WORD),
    _needed("channel", WORD),  # a name in the administrator's file of channels
    _needed("language", WORD),
    _needed("weekday", Integer),  # 1 = Monday, 0 each day, -1 at once
    _needed("hour", Integer),  # of this server's clock
    _needed("created_at", DateTime),
    Column("slot", DateTime),  # when it was last due, on this server's clock
    _needed("tries", Integer),  # for that time; 0 once it is sent
    Column("next_try_at", DateTime),
    Column("sent_at", DateTime),
    Column("failure", WORD),
    Column("metric", WORD),  # sent only when this figure of the page has passed the threshold
    Column("threshold", Float),  # in the unit of the metric
    Column("falls", Boolean),  # whether below counts as passed, else above
    Column("passed", Boolean),  # at the last look
    Column("told", Text),  # keys of what it has told at once, a line each
    info={"grain": "one digest that somebody gets"},
)
Index("ix_digest_account_id", digest.c.account_id)

store_target = Table(
    "store_target",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("store_id", ID),
    _needed("month", Date),  # its first day
    Column("amount", Integer),  # in whole units of the chain's currency; null: the CRM's counts again
    info={"grain": "one time that somebody said what a store is to sell in a month; the newest counts"},
)
Index("ix_store_target_month", store_target.c.month)

platform_cost = Table(
    "platform_cost",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("month", Date),  # its first day
    _needed("kind", WORD),  # software | hardware | training | maintenance | storage
    Column("amount", Integer),  # in whole units of the chain's currency; null: not known any more
    info={"grain": "one time that somebody said what a kind of the platform's cost was in a month; the newest counts"},
)
Index("ix_platform_cost_month", platform_cost.c.month)

recognition = Table(
    "recognition",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("store_id", ID),  # where the person works
    _needed("staff_id", ID),
    _needed("given_on", Date),
    _needed("reason", NAME),
    Column("taken_back_at", DateTime),
    Column("taken_back_by", NAME),
    info={"grain": "one time that somebody of the staff was thanked by whoever leads them"},
)
Index("ix_recognition_staff_id", recognition.c.staff_id)

forecast_override = Table(
    "forecast_override",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("level", WORD),  # chain | region | store
    _needed("place_id", ID),
    Column("category", NAME),  # null: all; '': products without one
    _needed("first_day", Date),
    _needed("last_day", Date),
    _needed("said", Float),  # units, by the forecast of that moment
    Column("wished", Integer),  # units; null: the forecast counts again
    _needed("reason", WORD),
    info={"grain": "one time that somebody expected other sales than the forecast; the newest counts"},
)
Index("ix_forecast_override_place_id", forecast_override.c.place_id)

event_change = Table(
    "event_change",
    state,
    Column("number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    _needed("at", DateTime),
    _needed("actor", NAME),
    _needed("event", NAME),  # of the shipped table, or a name of people's own
    _needed("about", Date),  # the day that the table gives it, or the first one given to it
    Column("day", Date),  # null: it does not take place
    _needed("before", Integer),  # days that belong to it
    _needed("after", Integer),
    Column("region_id", ID),  # null: every region
    Column("kind", WORD),  # of stores; null: every kind
    info={"grain": "one time that somebody changed an event that forecasts know; the newest counts"},
)
