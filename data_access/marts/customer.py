"""One row per registered customer without anything that identifies a person, and the tags on customers.

From the birthday only the age band, whether the customer is an adult (18) and the month and day remain, as of the
newest day of the data. A birthday before 1920 or in the future is unknown; unknown age is not adult. What somebody
said of their skin is kept while they agree to it (``skin_profile``), and only then.
"""

# What is kept of the rows as they were read: the birthday goes here and nowhere else. {day}: the newest day, as SQL.
WITHOUT_BIRTHDAY = """
WITH people AS (
    SELECT *, {day} AS today,
        CASE WHEN birthday >= DATE '1920-01-01' AND birthday <= today THEN birthday END AS born
    FROM incoming.customer
), aged AS (
    SELECT *, year(today) - year(born) - CAST(strftime(born, '%m-%d') > strftime(today, '%m-%d') AS INTEGER) AS age
    FROM people
)
SELECT
    * EXCLUDE (birthday, born, today, age),
    CASE
        WHEN age < 18 THEN 'under 18' WHEN age < 25 THEN '18-24' WHEN age < 35 THEN '25-34' WHEN age < 45 THEN '35-44'
        WHEN age < 55 THEN '45-54' WHEN age < 65 THEN '55-64' WHEN age >= 65 THEN '65+'
    END AS age_band,
    coalesce(age >= 18, false) AS is_adult,
    strftime(born, '%m-%d') AS birth_month_day,
    birthday IS NOT NULL AS has_birthday,
    birthday IS NOT NULL AND born IS NULL AS birthday_implausible
FROM aged
"""

SQL = """
WITH tiers AS (
    SELECT c.customer_id, coalesce(t.name, c.tier_id) AS tier
    FROM clean.tier_change c LEFT JOIN clean.tier t USING (tier_id)
    QUALIFY row_number() OVER (PARTITION BY c.customer_id ORDER BY c.changed_at DESC, c.tier_id) = 1
), agreed AS (
    SELECT DISTINCT customer_id, true AS skin FROM clean.consent
    WHERE purpose = 'skin_profile' AND granted_at IS NOT NULL AND withdrawn_at IS NULL
)
SELECT
    k.customer_no, c.home_store_id, c.owner_staff_id, c.gender, c.age_band, c.is_adult, c.birth_month_day, c.city,
    c.joined_on, c.source, c.account_type, c.occupation, c.income_band, c.importance, t.tier,
    CAST(c.profile_updated_at AS DATE) AS profile_updated_on,
    c.profile_updated_by = 'customer' AS profile_updated_by_customer,
    CASE WHEN a.skin THEN c.skin_type END AS skin_type,
    CASE WHEN a.skin THEN c.skin_concern END AS skin_concern,
    c.has_name, c.has_phone, c.has_email, c.has_birthday, c.birthday_implausible
FROM clean.customer c
JOIN clean.customer_number k USING (customer_id)
LEFT JOIN tiers t USING (customer_id)
LEFT JOIN agreed a USING (customer_id)
ORDER BY k.customer_no
"""

TAG = """
SELECT k.customer_no, g.tag, CAST(g.tagged_at AS DATE) AS tagged_on
FROM clean.customer_tag g JOIN clean.customer_number k USING (customer_id)
ORDER BY k.customer_no, g.tag
"""
