"""Privacy: who agreed to what and whether it was kept, requests of customers, incidents, how the data are protected."""

from models.reports import tables
from pages._ui import cards, export, head, load, privacy, session
from pages._ui import privacy_forms as forms
from pages._ui import privacy_views as views
from pages._ui.choices import tabs

page = head.begin("privacy", scope=session.system_scope(), choices="none")
report = load.privacy(page.scope, page.generation, *privacy.months())
recorded = privacy.records_consents(load.health(page.scope, page.generation).table_status)
cards.plain_row(privacy.figures(report, recorded))
forms.say_what_was_done()

consents, requests, incidents, protection = tabs("view", privacy.VIEWS, words="privacy.view")
if consents.open:
    with consents:
        views.contacts(report, recorded, page.currency)
        views.coverage(report, recorded, page.currency)
        views.stores(report, recorded, page.currency)
if requests.open:
    with requests:
        chosen = views.requests(page.currency)
        if chosen is not None:
            forms.one_request(chosen)
        forms.ask_erasure()
        forms.one_customers_data(page.cover())
        views.due(report, page.currency)
        forms.rules()
if incidents.open:
    with incidents:
        chosen = views.register(page.currency)
        if chosen is not None:
            forms.one_incident(chosen)
        forms.new_incident()
        views.of_crm(report, page.currency)
if protection.open:
    with protection:
        views.protection()

export.menu("privacy", page.cover(), tables(report))
