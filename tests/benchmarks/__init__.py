"""Speed, as whole tables of figures: ``make bench``. Never part of the tests: the machines are noisy."""
