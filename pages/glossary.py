"""Glossary: every figure of the product: what it means, how it is worked out, which way is good."""

import streamlit as st

from models.metrics import METRICS
from pages._ui import cards, empty, head, session
from pages._ui.i18n import t

session.detail("glossary")
st.title(t("page.glossary"), anchor=False)
st.caption(t("glossary.line", count=len(METRICS)))

asked = st.text_input(
    t("glossary.search"),
    key="glossary_search",
    bind="query-params",
    placeholder=t("glossary.search"),
    label_visibility="collapsed",
    icon=":material/search:",
    width=360,
)
found = cards.metrics_matching(asked)
if not found:
    empty.state(t("glossary.none", word=asked), t("glossary.none_do"), ":material/search_off:")
    st.stop()

grid = st.grid(3, min_column_width=300, border=True, gap="small")
for metric in found:
    grid.markdown(cards.definition(metric))

with st.container(border=True):
    head.block(t("glossary.rules"))
    st.markdown(t("glossary.rules_text"))
