"""Every route of the gate: what answers before Streamlit does."""

from pages._gate import account, setup, sign_in

ROUTES = [*sign_in.ROUTES, *setup.ROUTES, *account.ROUTES]
