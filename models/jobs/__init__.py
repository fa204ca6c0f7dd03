"""The jobs of a batch, one module per topic: ``models.batch`` runs them, ``docs/batch.md`` says how to add one."""
