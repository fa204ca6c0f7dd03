"""Every mart, each after those it reads."""

from data_access.marts import customer_store_day, place_store, store_day
from data_access.marts._mart import Mart

MARTS: tuple[Mart, ...] = (
    place_store.MART,
    store_day.MART,
    customer_store_day.MART,
)
