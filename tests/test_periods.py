"""The days people ask for: festivals of the year before, which the moon moves."""

from datetime import date

from data_access.scope import Period
from models.calc.periods import festival_of, festivals, like_its_festival

FIRST, LAST = date(2024, 1, 1), date(2026, 11, 20)


def test_spring_festival_meets_spring_festival_and_not_its_date() -> None:
    # New Year's Day: 29 January 2025, 17 February 2026; the festival begins on its eve
    spring = festivals(FIRST, LAST, "CNY")["spring_festival"]
    assert spring == Period(date(2026, 2, 16), date(2026, 2, 22), year_back=384)
    assert spring.last_year() == Period(date(2025, 1, 28), date(2025, 2, 3))


def test_a_sale_of_the_calendar_meets_its_own_days() -> None:
    sale = festivals(FIRST, LAST, "CNY")["618"]
    assert (sale.first, sale.last) == (date(2026, 6, 8), date(2026, 6, 18))
    assert sale.last_year() == Period(date(2025, 6, 8), date(2025, 6, 18))


def test_days_around_a_festival_keep_their_distance_from_it() -> None:
    february = Period(date(2026, 2, 1), date(2026, 2, 28))
    like = like_its_festival(february, "CNY")
    assert like is not None
    assert like.last_year() == Period(date(2025, 1, 13), date(2025, 2, 9))  # 384 days before
    assert like_its_festival(Period(date(2026, 7, 1), date(2026, 7, 20)), "CNY") is None
    assert like_its_festival(february, "GBP") is None


def test_of_two_festivals_the_one_with_most_of_its_days_names_the_period() -> None:
    # all four days of Valentine's, the first of the seven of Spring Festival
    event = festival_of(Period(date(2026, 2, 10), date(2026, 2, 16)), "CNY")
    assert event is not None
    assert event.key == "valentines"


def test_only_festivals_that_the_data_cover_in_full() -> None:
    assert set(festivals(date(2026, 11, 2), LAST, "CNY")) == set()
    assert set(festivals(date(2026, 11, 1), LAST, "CNY")) == {"double_11"}
