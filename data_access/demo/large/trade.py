"""Customers, receipts, lines and returns of the big chain: one statement per table.

The temporary tables ``buyer``, ``receipt``, ``coupon_use`` and ``basket`` hold the draws with numbers for keys; the
statements below them turn them into the CRM's rows.
"""

from data_access.demo import names
from data_access.demo.large.ground import POSTS, REGIONS, SHOPS

_SHARE_WALK_IN = 0.2
MAX_ORDERS = 400
_EAGER = 6.22

# 40 % joined before the first day, the rest on busy days rather than quiet ones. One in twelve never buys. The others'
# number of orders is heavy-tailed (an exponential of an exponential mean) and grows with the time until they leave.
BUYER = f"""CREATE TEMP TABLE buyer AS
WITH drawn AS (
    SELECT n, greatest((n::DOUBLE / $customers - 0.4) / 0.6, 0) AS turn,
        CASE WHEN n <= 0.4 * $customers THEN -1 - ((0.4 - n::DOUBLE / $customers) * 3000)::INTEGER END AS before,
        -ln(1 - u(n, 11)) * 800 AS lifetime, u(n, 12) AS never,
        -ln(1 - u(n, 13)) * (0.5 - 0.5 * ln(1 - u(n, 14))) AS eager
    FROM range(1, $customers + 1) AS numbers(n)
)
SELECT n::INTEGER AS customer_no, coalesce(before, d.item)::INTEGER AS joined, h.item AS home,
    least(greatest(joined, 0) + 1 + lifetime::INTEGER, $days - 1)::INTEGER AS left_on,
    CASE WHEN never < 0.08 THEN 0
        ELSE least(1 + floor(eager * {_EAGER} * (left_on - greatest(joined, 0)) / $days), {MAX_ORDERS}) END::INTEGER
        AS orders
FROM drawn JOIN day_wheel d ON NOT d.online AND d.slot = slot(turn) JOIN home_wheel h ON h.slot = slot(u(n, 15))
ORDER BY customer_no"""

# Four visits in five go to the home store, one in ten to another shop of its region, one in ten to an online shop.
# Who joins within the two years buys first on that day; all other days are drawn by the weight of the calendar
# between the first and the last day of the customer. Walk-ins come on top. Receipts are numbered in order of time.
RECEIPT = f"""CREATE TEMP TABLE receipt AS
WITH visit AS (SELECT *, unnest(range(orders)) AS k, customer_no::BIGINT * {MAX_ORDERS} + k AS i FROM buyer),
placed AS MATERIALIZED (
    SELECT i, customer_no, joined >= 0 AND k = 0 AS joining, greatest(joined, 0) AS first_day, left_on, u(i, 21) AS way,
        CASE WHEN way < 0.8 THEN home
            WHEN way < 0.9 THEN region_no + 1 + {REGIONS} * floor(u(i, 22) * {SHOPS // REGIONS})::INTEGER
            ELSE {SHOPS + 1} + (u(i, 22) < 0.45)::INTEGER END AS store_no
    FROM visit JOIN place ON store_no = home
),
aimed AS MATERIALIZED (
    SELECT v.*, a.online, slot(a.before + (b.before - a.before) * u(i, 23)) AS slot
    FROM (SELECT *, store_no > {SHOPS} AS online FROM placed) v
    JOIN day a ON a.day = first_day AND a.online = v.online JOIN day b ON b.day = left_on AND b.online = v.online
),
known AS (
    SELECT i, customer_no, store_no, a.online, CASE WHEN joining THEN first_day ELSE greatest(first_day, w.item) END
        AS day
    FROM aimed a JOIN day_wheel w USING (online, slot)
),
walk_in AS (
    SELECT -i AS i, NULL::INTEGER AS customer_no, s.item AS store_no, false AS online, d.item AS day
    FROM range(1, (SELECT count(*) * {_SHARE_WALK_IN / (1 - _SHARE_WALK_IN)} FROM placed)::BIGINT) AS numbers(i)
    JOIN shop_wheel s ON s.slot = slot(u(-i, 21)) JOIN day_wheel d ON NOT d.online AND d.slot = slot(u(-i, 23))
),
visited AS MATERIALIZED (
    SELECT v.*, d.weekend, slot(u(i, 25)) AS slot
    FROM (FROM known UNION ALL FROM walk_in) v JOIN day d ON d.day = v.day AND d.online = v.online
),
timed AS (
    SELECT v.*, day * 86400 + h.item * 3600 + floor(u(i, 24) * 3600)::INTEGER AS clock
    FROM visited v JOIN hour_wheel h USING (online, weekend, slot)
)
SELECT row_number() OVER () AS order_no, customer_no, store_no::INTEGER AS store_no, day::INTEGER AS day, online,
    utc(0, clock) AS moment
FROM (FROM timed ORDER BY clock, i)"""

# A few receipts are tests, purchases of the staff, or cancelled; one in a hundred is corrected within five days.
SALE_ORDER = f"""INSERT INTO sale_order BY NAME
SELECT order_key(order_no) AS order_id, customer_key(customer_no) AS customer_id, store_key(store_no) AS store_id,
    CASE WHEN NOT online THEN staff_key((store_no - 1) * {POSTS} + 1 + floor(u(order_no, 31) * {POSTS})::INTEGER) END
        AS staff_id,
    CASE WHEN NOT online THEN 'store' WHEN store_no = {SHOPS + 1} THEN 'wechat_mini_program' ELSE 'tmall' END
        AS channel,
    CASE WHEN online THEN among(['ios', 'ios', 'android', 'android', 'pc'], u(order_no, 32)) ELSE 'pos' END AS device,
    CASE WHEN customer_no IS NOT NULL OR u(order_no, 33) < 0.96 THEN 'sale'
        WHEN u(order_no, 33) < 0.99 THEN 'staff_purchase' ELSE 'test' END AS kind,
    moment AS ordered_at,
    CASE WHEN u(order_no, 34) < 0.005 THEN least(moment + to_seconds(60 + floor(u(order_no, 35) * 86400)), $now)
        END AS cancelled_at,
    'CNY' AS currency, coalesce(cancelled_at, corrected(order_no, moment)) AS updated_at
FROM receipt"""

# One to twelve lines, 2.2 on average; a customer's coupon takes its face value off the first line. Every third line is
# reduced by 5 to 30 %.
BASKET = """CREATE TEMP TABLE basket AS
WITH line AS MATERIALIZED (
    SELECT order_no, moment, campaign_no, arm, face,
        unnest(range(1, 2 + least(floor(ln(1 - u(order_no, 41)) / ln(0.5506)), 11)::INTEGER)) AS line_no,
        order_no * 16 + line_no AS line_i, least(day * 12 // 365, 24) AS month, slot(u(line_i, 42)) AS slot,
        u(line_i, 43) AS many,
        CASE WHEN u(line_i, 44) < 0.33 THEN 0.05 + 0.25 * u(line_i, 45) ELSE 0 END AS reduced
    FROM receipt LEFT JOIN coupon_use USING (order_no)
),
priced AS (
    SELECT l.*, item_no, CASE WHEN many < 0.86 THEN 1 WHEN many < 0.97 THEN 2 ELSE 3 END AS quantity, price, cost,
        CASE WHEN line_no = 1 AND face > 0 THEN least(face, quantity * price * 0.5) END AS taken_off
    FROM line l JOIN item_wheel w USING (month, slot) JOIN item ON item_no = w.item
)
SELECT order_no, line_no::INTEGER AS line_no, item_no, quantity, price, quantity * cost AS cost,
    CASE WHEN taken_off IS NOT NULL THEN coupon_key(campaign_no, arm) END AS coupon,
    (floor(quantity * price * reduced / 100) * 100 + coalesce(taken_off, 0))::BIGINT AS discount,
    round((quantity * price - discount) / 1.13)::BIGINT AS net, corrected(order_no, moment) AS updated_at
FROM priced"""
SALE_LINE = """INSERT INTO sale_line BY NAME
SELECT order_key(order_no) AS order_id, line_no, product_key(item_no) AS product_id, quantity,
    money(price) AS list_price, money(discount) AS discount, money(net) AS net,
    money(quantity * price - discount - net) AS tax, money(cost) AS cost, coupon AS coupon_code, updated_at
FROM basket"""

# Four lines in a hundred come back within thirty days, one unit or all of them, to the store that sold them.
RETURN_LINE = f"""INSERT INTO return_line BY NAME
WITH back AS (
    SELECT *, order_no * 16 + line_no AS i, u(i, 52) AS wait, CASE WHEN u(i, 53) < 0.8 THEN b.quantity ELSE 1 END
        AS units,
        CASE WHEN online THEN moment + to_seconds(86400 + (wait * 2592000)::INTEGER)
            ELSE utc(day + 1 + (wait * 29)::INTEGER, 36000 + (u(i, 54) * 43000)::INTEGER) END AS back_at
    FROM basket b JOIN receipt USING (order_no) WHERE u(order_no * 16 + line_no, 51) < 0.041
)
SELECT 'R' || lpad((row_number() OVER (ORDER BY back_at, i))::VARCHAR, 7, '0') AS return_id, 1 AS line_no,
    order_key(order_no) AS order_id, line_no AS order_line_no, store_key(store_no) AS store_id,
    customer_key(customer_no) AS customer_id,
    CASE WHEN NOT online THEN staff_key((store_no - 1) * {POSTS} + 1 + floor(u(i, 55) * {POSTS})::INTEGER) END
        AS staff_id,
    product_key(item_no) AS product_id, back_at AS returned_at, units AS quantity,
    money(round(net * units / quantity)) AS refund,
    among(['changed_mind', 'changed_mind', 'wrong_shade', 'allergy', 'damaged', 'expired_soon'], u(i, 56)) AS reason,
    'CNY' AS currency, back_at AS updated_at
FROM back WHERE back_at <= $now ORDER BY return_id"""

# People of no real name, number or address: the prefix 154 is not given to subscribers.
CUSTOMER = f"""INSERT INTO customer BY NAME
SELECT customer_key(n) AS customer_id,
    letter('{"".join(names.SURNAMES)}', u(n, 61)) || letter('{"".join(names.GIVEN_FIRST)}', u(n, 62))
        || letter('{"".join(names.GIVEN_SECOND)}', u(n, 63)) AS name,
    '154' || lpad((n * 7919 % 100000000)::VARCHAR, 8, '0') AS phone,
    CASE WHEN u(n, 64) < 0.35 THEN 'm' || n || '@example.com' END AS email,
    CASE WHEN u(n, 65) < 0.91 THEN DATE '1958-01-01' + (18400 * (u(n, 66) + u(n, 67)) / 2)::INTEGER END AS birthday,
    among(['female', 'female', 'female', 'female', 'female', 'female', 'female', 'male', 'unknown'], u(n, 68))
        AS gender,
    city, store_key(home) AS home_store_id,
    CASE WHEN NOT online
        AND u(n, 69) < 0.67 THEN staff_key((home - 1) * {POSTS} + 1 + floor(u(n, 70) * {POSTS})::INTEGER)
        END AS owner_staff_id,
    $start + joined AS joined_on,
    CASE WHEN online THEN among(['wechat_mini_program', 'tmall', 'douyin'], u(n, 71))
        ELSE among(['store', 'store', 'store', 'store', 'wechat', 'referral'], u(n, 71)) END AS source,
    CASE WHEN source = 'referral' AND n > 10 THEN customer_key(1 + floor(u(n, 72) * (n - 1))::INTEGER) END
        AS referrer_customer_id,
    CASE WHEN u(n, 73) < 0.006 THEN 'wholesale' ELSE 'person' END AS account_type,
    CASE WHEN u(n, 74) < 0.78 THEN among(['dry', 'oily', 'combination', 'sensitive', 'normal'], u(n, 75)) END
        AS skin_type,
    CASE WHEN u(n, 74) < 0.78 THEN among(['dullness', 'ageing', 'acne', 'pores', 'redness', 'dryness'], u(n, 76)) END
        AS skin_concern,
    CASE WHEN u(n, 77) < 0.6 THEN among(['office', 'teacher', 'medical', 'student', 'homemaker', 'sales'], u(n, 78)) END
        AS occupation,
    CASE WHEN u(n, 79) < 0.45 THEN among(['under_5k', '5k_10k', '10k_20k', 'over_20k'], u(n, 80)) END AS income_band,
    CASE WHEN orders > 12 THEN 'vip' WHEN orders > 6 THEN 'key' ELSE 'normal' END AS importance,
    utc(joined, 54000) + to_seconds(floor(pow(u(n, 81), 3) * ($days - 1 - joined) * 86400)) AS profile_updated_at,
    among(['staff', 'customer'], u(n, 82)) AS profile_updated_by, profile_updated_at AS updated_at
FROM (SELECT *, customer_no::BIGINT AS n FROM buyer) JOIN place ON store_no = home"""

# A member moves up as soon as the net sales since the first day reach a threshold, and never down.
TIER_CHANGE = """INSERT INTO tier_change BY NAME
WITH spent AS (
    SELECT customer_no, moment, sum(net) OVER (PARTITION BY customer_no ORDER BY order_no ROWS UNBOUNDED PRECEDING)
        AS total
    FROM (SELECT order_no, sum(net) AS net FROM basket GROUP BY order_no) JOIN receipt USING (order_no)
    WHERE customer_no IS NOT NULL
),
reached AS (
    SELECT customer_no, min(moment) AS moment, rank FROM spent JOIN tier ON rank > 1 AND total >= threshold * 100
        GROUP BY ALL
    UNION ALL SELECT customer_no, utc(joined, 0), 1 FROM buyer
),
last AS (SELECT customer_no, moment, max(rank) AS rank FROM reached GROUP BY ALL)
SELECT customer_key(customer_no) AS customer_id, moment AS changed_at, t.tier_id, f.tier_id AS from_tier_id,
    CASE WHEN f.tier_id IS NULL THEN 'join' ELSE 'upgrade' END AS reason, moment AS updated_at
FROM (SELECT *, lag(rank) OVER (PARTITION BY customer_no ORDER BY moment) AS before FROM last)
JOIN tier t USING (rank) LEFT JOIN tier f ON f.rank = before ORDER BY customer_no, moment"""

# What a door counter saw: the receipts of the shop's day, spread over its hours, at 15 to 25 buyers among 100 visitors.
STORE_TRAFFIC = """INSERT INTO store_traffic BY NAME
SELECT store_key(store_no) AS store_id, utc(day, hour * 3600) AS hour_start,
    u(store_no * 1000 + day, 93) > 0.006 AS valid,
    CASE WHEN valid THEN round((receipts + 2) * weight / (0.15 + 0.1 * u(store_no, 91)) * (0.7 + 0.6 * u(i, 92))) ELSE 0
        END::INTEGER AS visitors,
    hour_start + INTERVAL 1 HOUR AS updated_at
FROM (
    SELECT store_no, d.day, hour, h.weight, count(*) AS receipts, (store_no * 1000 + d.day) * 24 + hour AS i
    FROM receipt r JOIN day d ON d.day = r.day AND NOT d.online
    JOIN hour_weight h ON NOT h.online AND h.weekend = d.weekend WHERE NOT r.online GROUP BY ALL
) ORDER BY store_no, hour_start"""

# Each month's target is what was sold, give or take 15 %.
SALES_TARGET = """INSERT INTO sales_target BY NAME
SELECT store_key(store_no) || '-' || strftime(month, '%Y%m') AS target_id, store_key(store_no) AS store_id, month,
    round(net / 100 * (0.85 + 0.3 * u(hash(target_id) % 1000000, 95)), -3) AS amount,
    utc((month - $start)::INTEGER - 5, 36000) AS updated_at
FROM (
    SELECT store_no, date_trunc('month', $start + day)::DATE AS month, sum(net) AS net
    FROM basket JOIN receipt USING (order_no) GROUP BY ALL
) ORDER BY ALL"""
