"""One line on pages that show what a batch computes: how far it is, of when it is, or that there is nothing yet."""

from typing import NoReturn

import streamlit as st

from data_access.results.progress import Progress
from pages._ui import empty, load, session
from pages._ui import format as fmt
from pages._ui.i18n import t, word


def note(job: str, *, live: bool = False) -> None:
    """Says what a page of results must say: nothing while they are those of the facts the page shows.

    Else that they are being computed, and how far; as of when they are; that they failed; or that there are none.
    live: the page computes by itself what no batch has ready, so all there is to say is why it takes longer.
    """
    if said := _said(job, live=live):
        icon = "hourglass_top" if load.batch_progress() is not None else "schedule"
        st.markdown(f":gray[:material/{icon}:] :small[{said}]")


def nothing(job: str, title: str, text: str, icon: str) -> NoReturn:
    """In the place of a page that has no results to show: why; ``text`` where they are computed and hold nothing of
    this place. Ends the run."""
    found = load.batch_job(job, load.snapshot().generation)
    never = found is None or found.as_of is None
    empty.state(title, (never and _said(job)) or text, icon)
    st.stop()


def _said(job: str, *, live: bool = False) -> str:
    snapshot = load.snapshot()
    found = load.batch_job(job, snapshot.generation)
    if found is not None and found.generation == snapshot.info.generation:
        return ""
    as_of = None if found is None or found.as_of is None else fmt.instant(found.as_of)
    at_work = load.batch_progress()
    said = [t("batch.older", job=_name(job), as_of=as_of)] if as_of and not live else []
    if at_work is not None and job not in at_work.failed and job not in at_work.finished:
        said.append(_being_computed(job, at_work))
    elif not as_of and not live:
        said.append(t("batch.none_do" if _administrator() else "batch.none", job=_name(job)))
    if found is not None and found.detail and _administrator():
        said.append(t("batch.failed", why=found.detail))
    return " ".join(said)


def _being_computed(job: str, at_work: Progress) -> str:
    share = at_work.share if at_work.job == job else None
    if share is None:
        return t("batch.waiting", job=_name(job))
    return t("batch.at_work", job=_name(job), share=fmt.percent(share, 0))


def _name(job: str) -> str:
    return word("batch.job", job)


def _administrator() -> bool:
    return session.current_person().role == "administrator"
