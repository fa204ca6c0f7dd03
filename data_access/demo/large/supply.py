"""The small tables of the big chain: places, people, range, stock and purchases."""

from data_access.demo.large.ground import POSTS, SHOPS

REGION = """INSERT INTO region BY NAME
SELECT DISTINCT region_id, region AS name, TIMESTAMP '2019-01-01 02:00:00' AS updated_at FROM place ORDER BY ALL"""
STORE = """INSERT INTO store BY NAME
SELECT store_key(store_no) AS store_id, name, region_id, city, city_tier, CASE WHEN online THEN 'online' ELSE 'shop' END
    AS kind, area_m2, $start - (300 + 2000 * u(store_no, 201))::INTEGER AS opened_on, latitude, longitude,
    'Asia/Shanghai' AS time_zone, 'CNY' AS currency, opened_on::TIMESTAMP AS updated_at
FROM place ORDER BY store_id"""
STAFF = f"""INSERT INTO staff BY NAME
SELECT staff_key(n) AS staff_id, store_key(1 + (n - 1) // {POSTS}) AS home_store_id, '员工' || n AS name,
    CASE (n - 1) % {POSTS} WHEN 0 THEN 'manager' WHEN 1 THEN 'beautician' WHEN 2 THEN 'associate' ELSE 'adviser' END
        AS role,
    $start - (30 + 1500 * u(n, 202))::INTEGER AS hired_on, hired_on::TIMESTAMP AS updated_at
FROM range(1, {SHOPS * POSTS + 1}) AS numbers(n)"""
PRODUCT = """INSERT INTO product BY NAME
SELECT product_key(item_no) AS product_id, 'SKU' || lpad(item_no::VARCHAR, 5, '0') AS sku, name, brand,
    CASE WHEN service THEN 'service' ELSE 'goods' END AS kind, category, subcategory,
    format('{{"benefits": ["{}"], "skin_types": ["{}"], "natural": {}, "exclusive": {}, "handling": "normal"}}',
        among(['moisturising', 'brightening', 'firming', 'soothing', 'repairing', 'long_wear'], u(item_no, 203)),
        among(['dry', 'oily', 'combination', 'sensitive', 'normal'], u(item_no, 204)),
        (u(item_no, 205) < 0.33)::VARCHAR, (u(item_no, 206) < 0.12)::VARCHAR) AS attributes,
    pack AS pack_size, money(price) AS list_price, money(cost) AS cost, $start + launched AS launched_on,
    nullif(shelf_life_days, 0) AS shelf_life_days, usage_days, utc(launched - 30, 36000) AS updated_at
FROM item ORDER BY product_id"""
TIER = """INSERT INTO tier BY NAME
SELECT *, 'net_sales' AS basis, 24 AS window_months, TIMESTAMP '2019-01-01 02:00:00' AS updated_at
FROM (VALUES ('basic', '普通会员', 1, 0), ('silver', '银卡会员', 2, 1500), ('gold', '金卡会员', 3, 5000),
    ('diamond', '钻石会员', 4, 12000)) AS tiers(tier_id, name, rank, threshold)"""
HOLIDAY = """INSERT INTO holiday BY NAME
SELECT unnest(range(first, last + 1, INTERVAL 1 DAY))::DATE AS day, key AS event, 'all' AS region, name,
    TIMESTAMP '2019-01-01 02:00:00' AS updated_at
FROM festival ORDER BY ALL"""
SUPPLIER = """INSERT INTO supplier BY NAME
SELECT 'V' || lpad(n::VARCHAR, 2, '0') AS supplier_id, '供应商' || n AS name,
    TIMESTAMP '2019-01-01 02:00:00' AS updated_at
FROM range(1, 13) AS numbers(n)"""
SUPPLY_TERM = """INSERT INTO supply_term BY NAME
SELECT 'V' || lpad((1 + item_no % 12)::VARCHAR, 2, '0') AS supplier_id, product_key(item_no) AS product_id,
    5 + item_no % 12 * 2 AS lead_time_days, 6 AS order_multiple, 12 AS minimum_quantity,
    utc(launched - 30, 36000) AS updated_at
FROM item WHERE NOT service ORDER BY product_id"""

# Every store orders fortnightly from one supplier after the other; what was promised for a past day has arrived,
# nine times in ten within three days of the promise.
PURCHASE_ORDER = """INSERT INTO purchase_order BY NAME
SELECT 'PO' || lpad((store_no * 100 + turn)::VARCHAR, 6, '0') AS purchase_order_id,
    'V' || lpad((1 + (store_no + turn) % 12)::VARCHAR, 2, '0') AS supplier_id, store_key(store_no) AS store_id,
    utc(turn * 14 + store_no % 14, 36000) AS ordered_at,
    CASE WHEN turn * 14 + store_no % 14 + 5 + (store_no + turn) % 12 * 2 + 3 < $days THEN 'received' ELSE 'open' END
        AS status,
    CASE status WHEN 'received' THEN ordered_at + to_days((8 + (store_no + turn) % 12 * 2)::INTEGER) ELSE ordered_at END
        AS updated_at
FROM place, range($days // 14) AS turns(turn) ORDER BY purchase_order_id"""
PURCHASE_ORDER_LINE = """INSERT INTO purchase_order_line BY NAME
SELECT purchase_order_id, row_number() OVER (PARTITION BY purchase_order_id ORDER BY product_id) AS line_no, product_id,
    (12 + 6 * floor(u(i, 212) * 8))::INTEGER AS quantity, cost AS unit_cost,
    (ordered_at::DATE + lead_time_days)::DATE AS promised_on, ordered_at AS updated_at
FROM (
    SELECT *, substr(purchase_order_id, 3)::BIGINT * 10000 + substr(product_id, 2)::BIGINT AS i
    FROM purchase_order JOIN supply_term USING (supplier_id)
) JOIN product USING (product_id) WHERE u(i, 211) < 0.06 ORDER BY ALL"""
GOODS_RECEIPT = """INSERT INTO goods_receipt BY NAME
SELECT 'G' || lpad((row_number() OVER (ORDER BY purchase_order_id, line_no))::VARCHAR, 7, '0') AS receipt_id,
    purchase_order_id, line_no, promised_on - 1 + floor(pow(u(i, 213), 4) * 5)::INTEGER AS received_on, quantity,
    CASE WHEN u(i, 214) < 0.03 THEN 1 ELSE 0 END AS rejected, received_on::TIMESTAMP + INTERVAL 2 HOUR AS updated_at
FROM (
    SELECT l.*, substr(purchase_order_id, 3)::BIGINT * 1000 + line_no AS i
    FROM purchase_order_line l JOIN purchase_order o USING (purchase_order_id) WHERE status = 'received'
)"""

# The shelf of every product in every store: 10 to 60 days of what it sold in the last 90, one in thirty empty.
STOCK_LEVEL = """INSERT INTO stock_level BY NAME
SELECT store_key(store_no) AS store_id, product_key(item_no) AS product_id,
    CASE WHEN u(i, 221) < 0.033 THEN 0 ELSE 2 + (coalesce(sold, 0) / 90.0 * (10 + 50 * u(i, 222)))::INTEGER END
        AS on_hand,
    CASE WHEN u(i, 223) < 0.1 THEN least(on_hand, 2) ELSE 0 END AS reserved, utc($days - 1, 81000) AS counted_at,
    counted_at AS updated_at
FROM (SELECT store_no, item_no, store_no * 10000 + item_no AS i FROM place, item WHERE NOT service)
LEFT JOIN (
    SELECT store_no, item_no, sum(quantity) AS sold FROM basket JOIN receipt USING (order_no) WHERE day >= $days - 90
    GROUP BY ALL
) USING (store_no, item_no) ORDER BY ALL"""

TRANSLATION = """INSERT INTO translation BY NAME
SELECT DISTINCT *, 'en' AS language, TIMESTAMP '2019-01-01 02:00:00' AS updated_at FROM (
    SELECT 'region.name' AS field, region AS source_text, region_en AS text FROM place
    UNION ALL SELECT 'store.name', name, name_en FROM place UNION ALL SELECT 'store.city', city, city_en FROM place
    UNION ALL SELECT 'product.name', name, name_en FROM item UNION ALL SELECT 'product.brand', brand, brand_en FROM item
    UNION ALL SELECT 'product.category', category, category_en FROM item
    UNION ALL SELECT 'product.subcategory', subcategory, subcategory_en FROM item
    UNION ALL SELECT 'campaign.name', campaign.name, theme.name_en || right(campaign.name, 8)
        FROM campaign JOIN theme ON starts_with(campaign.name, theme.name)
    UNION ALL SELECT 'campaign.offer', offer, theme.coupon_en || ', ' || regexp_extract(offer, '[0-9]+') || ' yuan off'
        FROM campaign JOIN theme USING (type)
    UNION ALL SELECT 'holiday.name', name, name_en FROM festival
) ORDER BY ALL"""
DATA_SOURCE = """INSERT INTO data_source BY NAME
SELECT 'demo' AS source_id, 'demo' AS kind, $scale AS name, $now AS loaded_at, $rows AS rows_loaded,
    (SELECT sum(net) FROM sale_line) AS amount_loaded, 'CNY' AS currency, $details AS details, $now AS updated_at"""
