"""Every route of the gate: what answers before Streamlit does."""

from pages._gate import account, ahead, begin, exports, oidc, setup, sign_in

ROUTES = [*sign_in.ROUTES, *oidc.ROUTES, *setup.ROUTES, *begin.ROUTES, *ahead.ROUTES, *account.ROUTES, *exports.ROUTES]
