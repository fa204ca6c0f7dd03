"""Campaigns of the big chain: who was assigned, what each one did, and which receipts used a coupon.

No campaign has an effect: who redeems a coupon would have bought anyway.
"""

CAMPAIGNS, PLANNED = 200, 6
# Times the number of customers: bigger than any of them and prime, so that its multiples meet everybody once.
_STRIDE = 15_485_863

# A campaign every four days, one to four weeks long; the last six are planned only. One in three has no control group.
CAMPAIGN_PLAN = f"""CREATE TEMP TABLE campaign_plan AS
SELECT n AS campaign_no, CASE WHEN n <= {CAMPAIGNS - PLANNED} THEN (n - 0.5) * ($days - 10) // {CAMPAIGNS - PLANNED}
        ELSE $days + 7 * (n - {CAMPAIGNS - PLANNED}) END::INTEGER AS first_day,
    among([7, 10, 14, 21, 28], u(n, 101)) AS length, n % 3 > 0 AS has_control, n % 4 = 0 AS has_two_arms,
    (floor(1 + u(n, 102) * 8) * 1000)::BIGINT AS face, 0.003 + 0.051 * pow(u(n, 103), 2) AS share,
    among(['sms', 'wechat', 'mini_program'], u(n, 104)) AS channel,
    greatest(0, least(first_day, $days - 6) - 14) AS known_on
FROM range(1, {CAMPAIGNS + 1}) AS numbers(n)"""

# Each campaign addresses a share of those who had joined before it. A member's arm is 'A', 'B' or 'control' (''),
# and ``depth`` is how far the member goes: 1 sent, 2 delivered, 3 opened, 4 clicked, 5 claimed.
MEMBER = f"""CREATE TEMP TABLE member AS
WITH joined AS (
    SELECT c.*, (SELECT count(*) FROM buyer WHERE joined < first_day) AS people FROM campaign_plan c
    WHERE first_day < $days
),
drawn AS (
    SELECT *, unnest(range((people * share)::BIGINT)) AS j,
        1 + ((u(campaign_no, 111) * people)::BIGINT + j * {_STRIDE}) % people AS customer_no,
        campaign_no::BIGINT * 10000000 + j AS i
    FROM joined
)
SELECT i, campaign_no, customer_no::INTEGER AS customer_no, channel, face, length,
    CASE WHEN has_control AND u(i, 112) < 0.2 THEN '' WHEN has_two_arms AND u(i, 113) < 0.5 THEN 'B' ELSE 'A' END
        AS arm,
    utc(first_day, 36000 + (u(i, 114) * 1800)::INTEGER) AS sent_at, u(i, 115) AS chance,
    CASE WHEN chance > 0.95 THEN 1 WHEN chance > 0.38 THEN 2 WHEN chance > 0.145 THEN 3 WHEN chance > 0.06 THEN 4 ELSE 5
        END AS depth
FROM drawn"""

# Four in ten of the treated who buy within the window use the coupon, on their first receipt of the window; a receipt
# takes one coupon only.
COUPON_USE = """CREATE TEMP TABLE coupon_use AS
SELECT r.order_no, arg_min(i, (campaign_no, i)) AS i, min(campaign_no) AS campaign_no,
    arg_min(arm, (campaign_no, i)) AS arm, arg_min(face, (campaign_no, i)) AS face, any_value(r.moment) AS used_at
FROM (
    SELECT m.i, min(r.order_no) AS order_no FROM member m JOIN receipt r USING (customer_no)
    WHERE arm <> '' AND moment > sent_at + INTERVAL 1 HOUR AND moment < sent_at + to_days(length::INTEGER)
        AND u(m.i, 121) < 0.4
    GROUP BY m.i
) JOIN member USING (i) JOIN receipt r USING (order_no) GROUP BY r.order_no"""

CAMPAIGN = """INSERT INTO campaign BY NAME
SELECT campaign_key(c.campaign_no) AS campaign_id, theme.name || ' ' || strftime($start + first_day, '%Y-%m') AS name,
    theme.type, channel, theme.objective, 'registered customers, drawn at random' AS audience_rule,
    theme.coupon || ' ' || face // 100 || ' 元' AS offer,
    'BM' || lpad(c.campaign_no::VARCHAR, 3, '0') AS promo_code, $start + first_day AS starts_on,
    starts_on + length - 1 AS ends_on, length AS window_days,
    round(coalesce(treated, 2000) * (0.2 + 0.6 * u(c.campaign_no, 133))) AS cost_media,
    coalesce(treated, 2000) * 0.06 AS cost_message, round(300 + 2000 * u(c.campaign_no, 134)) AS cost_other,
    round(6 + 54 * u(c.campaign_no, 135), 1) AS staff_hours, first_day >= $days AS is_planned,
    coalesce(round(used * (1.3 + u(c.campaign_no, 136))), 0) AS platform_conversions, utc(known_on, 36000) AS updated_at
FROM campaign_plan c JOIN theme
    ON theme.type = among(['discount', 'new_product', 'win_back', 'birthday', 'event', 'points'], u(c.campaign_no, 131))
LEFT JOIN (SELECT campaign_no, count(*) FILTER (arm <> '') AS treated FROM member GROUP BY ALL) USING (campaign_no)
LEFT JOIN (SELECT campaign_no, count(*) AS used FROM coupon_use GROUP BY ALL) USING (campaign_no)
ORDER BY campaign_id"""

CAMPAIGN_ARM = """INSERT INTO campaign_arm BY NAME
SELECT campaign_key(campaign_no) AS campaign_id, arm, arm = 'control' AS is_control,
    CASE WHEN is_control THEN 0.2 ELSE (CASE WHEN has_control THEN 0.8 ELSE 1 END) / (1 + has_two_arms::INTEGER) END
        AS planned_share,
    utc(known_on, 36000) AS updated_at
FROM campaign_plan, (VALUES ('A'), ('B'), ('control')) AS arms(arm)
WHERE arm = 'A' OR (arm = 'B' AND has_two_arms) OR (arm = 'control' AND has_control) ORDER BY ALL"""
CAMPAIGN_STORE = """INSERT INTO campaign_store BY NAME
SELECT campaign_key(campaign_no) AS campaign_id, store_key(store_no) AS store_id, utc(known_on, 36000) AS updated_at
FROM campaign_plan, place ORDER BY ALL"""
CAMPAIGN_PRODUCT = """INSERT INTO campaign_product BY NAME
SELECT campaign_key(campaign_no) AS campaign_id, product_key(item_no) AS product_id, utc(known_on, 36000) AS updated_at
FROM campaign_plan, item WHERE u(campaign_no * 10000 + item_no, 141) < 0.01 ORDER BY ALL"""
COUPON = """INSERT INTO coupon BY NAME
SELECT campaign_key(campaign_no) AS campaign_id, coupon_key(campaign_no, arm) AS coupon_code, 'amount_off' AS kind,
    money(face) AS face_value, $start + first_day AS valid_from, valid_from + length - 1 AS valid_to,
    utc(known_on, 36000) AS updated_at
FROM campaign_plan, (VALUES ('A'), ('B')) AS arms(arm) WHERE arm = 'A' OR has_two_arms ORDER BY ALL"""
COUPON_PRODUCT = """INSERT INTO coupon_product BY NAME
SELECT c.campaign_id, coupon_code, product_id, c.updated_at FROM coupon c JOIN campaign_product USING (campaign_id)
ORDER BY ALL"""
CAMPAIGN_MEMBER = """INSERT INTO campaign_member BY NAME
SELECT campaign_key(campaign_no) AS campaign_id, customer_key(customer_no) AS customer_id,
    CASE arm WHEN '' THEN 'control' ELSE arm END AS arm, date_trunc('day', sent_at) - INTERVAL 6 HOUR AS assigned_at,
    assigned_at AS updated_at
FROM member"""

# Steps of the treated: seconds after the message for most, spread over the time until the receipt for who redeems, who
# takes every step. Events are numbered in order of time.
EVENT = """CREATE TEMP TABLE event AS
WITH walked AS (
    SELECT m.*, c.order_no, used_at, CASE WHEN c.order_no IS NULL THEN depth ELSE 6 END AS steps,
        CASE WHEN c.order_no IS NULL THEN 1 ELSE epoch(used_at - sent_at) / 500000 END AS pace,
        2000 - 30000 * ln(1 - u(m.i, 151)) AS opening
    FROM member m LEFT JOIN coupon_use c USING (i) WHERE m.arm <> ''
),
step AS (
    SELECT *, unnest(range(1, steps + 1)) AS step,
        CASE WHEN step = 6 THEN used_at ELSE sent_at + to_seconds(floor(pace * least(
            CASE step WHEN 1 THEN 0 WHEN 2 THEN 60 WHEN 3 THEN opening WHEN 4 THEN opening + 300
                ELSE opening + 9000 END,
            490000 + step))) END AS moment
    FROM walked
)
SELECT row_number() OVER () AS event_no, campaign_no, customer_no, channel, arm, step, order_no, moment
FROM (
    SELECT campaign_no, customer_no, channel, arm, step, order_no, moment FROM step WHERE moment <= $now
    ORDER BY moment, i, step
)"""
CAMPAIGN_EVENT = """INSERT INTO campaign_event BY NAME
SELECT 'ME' || lpad(event_no::VARCHAR, 8, '0') AS event_id, campaign_key(campaign_no) AS campaign_id,
    customer_key(customer_no) AS customer_id,
    ['sent', 'delivered', 'opened', 'clicked', 'claimed', 'redeemed'][step] AS kind, moment AS occurred_at, channel,
    CASE arm WHEN 'A' THEN 'message_a' ELSE 'message_b' END AS message,
    CASE WHEN step >= 5 THEN coupon_key(campaign_no, arm) END AS coupon_code,
    CASE WHEN step = 6 THEN order_key(order_no) END AS order_id, moment AS updated_at
FROM event"""
