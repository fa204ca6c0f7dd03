"""Every mart, each after those it reads."""

from data_access.marts import (
    campaign_customer,
    campaign_step,
    campaign_use,
    customer_store_day,
    place_store,
    stock_position,
    store_day,
)
from data_access.marts._mart import Mart

MARTS: tuple[Mart, ...] = (
    place_store.MART,
    store_day.MART,
    customer_store_day.MART,
    campaign_use.MART,
    campaign_customer.MART,
    campaign_step.MART,
    stock_position.MART,
)
