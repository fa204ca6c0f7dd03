"""Forecasts of any series that come in a long frame, one method per class of series.

``panel`` reads and checks the frame, ``classes`` says what kind each series is, ``policy`` names the methods of a kind,
``candidates``, ``boosting`` and ``prophets`` are the methods, ``engine`` averages them and looks back on how they did,
``intervals`` says how sure that is, ``accuracy`` measures it, ``reconcile`` makes levels add up. Nothing here knows a
database.

The packages behind it take seconds to import: they are imported where they are used.
"""
