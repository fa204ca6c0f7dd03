"""The steps of an import: mapping (what the file means), reading (strictly), staging (checks), loading, report."""
