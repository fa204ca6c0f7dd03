"""Who may come in: everything that happens before Streamlit sees a request."""
