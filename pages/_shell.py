"""The script Streamlit runs: who is here, in which language, what may they open, and the page itself."""

import streamlit as st

from pages._gate.look import LANGUAGE_COOKIE
from pages._ui import access, device, format, keys, load, params, saved_views, session
from pages._ui.i18n import LANGUAGES, language, preferred, t, text, use_language
from pages._ui.literal import literal
from pages._ui.mark import mark, wordmark

session.look_again()
kept = st.sidebar.container(key="views", gap="xxsmall")
account = st.sidebar.container(key="account", border=session.identity() is not None)
with st.sidebar:
    params.mount()
    device.listen_for_themes()
    keys.listen()
wish = params.get("lang")
if wish not in LANGUAGES:
    cookie = st.context.cookies.get(LANGUAGE_COOKIE)
    wish = cookie if cookie in LANGUAGES else preferred(st.context.locale)
use_language(wish)

st.set_page_config(page_title=t("app.name"), page_icon=mark(), layout="wide")
st.logo(wordmark(language()), icon_image=mark(), size="large")

# What Streamlit's own frame says in English only: our words are drawn over it.
framed = {
    '"stSkipToContent"': "skip",
    '"stMainMenuItem-theme-System"': "theme_system",
    '"stMainMenuItem-theme-Light"': "theme_light",
    '"stMainMenuItem-theme-Dark"': "theme_dark",
    '"stMainMenuItem-print"] [data-testid="stMainMenuItemLabel"': "print",
    '"stStatusWidget"] [data-testid="stBaseButton-header"': "stop",
}
rules = "".join(f'[data-testid={at}]::after{{content:"{t(f"shell.{word}")}"}}' for at, word in framed.items())
st.html(f"<style>{rules}</style>")

person = session.current_person()


def choose_language() -> None:
    params.put(lang=st.session_state["language_switch"])


def page(entry: access.Page, *, default: bool) -> st.Page:
    return st.Page(
        f"{entry.key}.py",
        title=t(f"page.{entry.key}"),
        icon=entry.icon,
        url_path=entry.key,
        default=default,
        visibility="visible" if entry.listed else "hidden",
    )


begun = load.has_data()
first = access.first_page(person.role) if begun else "start"
sections: dict[str, list[st.Page]] = {}
for entry in access.PAGES:
    if person.role in entry.detail and (begun or entry.key == first):
        sections.setdefault(t(f"nav.{entry.section}"), []).append(page(entry, default=entry.key == first))
chosen = st.navigation(sections, position="sidebar", expanded=True)

st.session_state["language_switch"] = language()
with account:
    role, place = t(f"role.{person.role}"), session.in_words(person)
    if person.name:
        st.markdown(f"**{literal(person.name)}**  \n{role} · {place}")
    else:
        st.markdown(f"**{role}**  \n{place}")
    if begun:
        st.caption(t("shell.as_of", instant=format.instant(load.snapshot().info.as_of)))
    st.segmented_control(
        t("language.label"),
        LANGUAGES,
        key="language_switch",
        format_func=lambda name: text(name, "language.name"),
        label_visibility="collapsed",
        required=True,
        width="stretch",
        on_change=choose_language,
    )
    own = f'<a href="/account" target="_self">{t("shell.account")}</a>' if person.name else ""
    st.html(f'<form method="post" action="/sign-out">{own}<button>{t("shell.sign_out")}</button></form>')
if begun:
    with kept:
        saved_views.menu(chosen.url_path or first)

chosen.run()
