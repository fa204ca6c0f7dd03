"""The words of the demo chain: Chinese as a real chain writes them, each with its English translation."""

from dataclasses import dataclass

REGIONS = (("R1", "华东大区", "East China"), ("R2", "华南大区", "South China"), ("R3", "华北大区", "North China"),
           ("R4", "西南大区", "Southwest China"))  # fmt: skip


@dataclass(frozen=True)
class Place:
    """One store of the chain; ``region`` counts REGIONS, ``pull`` is its relative number of customers."""

    name: str
    name_en: str
    city: str
    city_en: str
    tier: str
    region: int
    latitude: float
    longitude: float
    area_m2: float
    pull: float


SHOPS = (
    Place("上海南京路旗舰店", "Shanghai Nanjing Road Flagship", "上海", "Shanghai", "1", 0, 31.236, 121.477, 320, 1.8),
    Place("广州天河城店", "Guangzhou Tianhe", "广州", "Guangzhou", "1", 1, 23.133, 113.326, 210, 1.3),
    Place("杭州湖滨店", "Hangzhou Lakeside", "杭州", "Hangzhou", "new_1", 0, 30.255, 120.163, 180, 1.1),
    Place("北京三里屯店", "Beijing Sanlitun", "北京", "Beijing", "1", 2, 39.934, 116.455, 260, 1.5),
    Place("成都太古里店", "Chengdu Taikoo Li", "成都", "Chengdu", "new_1", 3, 30.656, 104.083, 240, 1.4),
    Place("深圳万象城店", "Shenzhen MixC", "深圳", "Shenzhen", "1", 1, 22.541, 114.112, 220, 1.3),
    Place("天津和平路店", "Tianjin Heping Road", "天津", "Tianjin", "new_1", 2, 39.125, 117.197, 150, 0.9),
    Place("昆明顺城店", "Kunming Shuncheng", "昆明", "Kunming", "2", 3, 25.038, 102.709, 120, 0.7),
    Place("芜湖镜湖店", "Wuhu Jinghu", "芜湖", "Wuhu", "3", 0, 31.340, 118.378, 90, 0.5),
    Place("佛山岭南店", "Foshan Lingnan", "佛山", "Foshan", "2", 1, 23.031, 113.115, 110, 0.7),
    Place("石家庄中山路店", "Shijiazhuang Zhongshan Road", "石家庄", "Shijiazhuang", "2", 2, 38.043, 114.502, 110, 0.7),
    Place("重庆解放碑店", "Chongqing Jiefangbei", "重庆", "Chongqing", "new_1", 3, 29.558, 106.577, 200, 1.1),
    Place("南京新街口店", "Nanjing Xinjiekou", "南京", "Nanjing", "new_1", 0, 32.043, 118.784, 170, 1.0),
    Place("厦门中山路店", "Xiamen Zhongshan Road", "厦门", "Xiamen", "2", 1, 24.455, 118.077, 130, 0.8),
    Place("太原柳巷店", "Taiyuan Liuxiang", "太原", "Taiyuan", "2", 2, 37.870, 112.562, 100, 0.6),
    Place("遵义万里路店", "Zunyi Wanli Road", "遵义", "Zunyi", "3", 3, 27.706, 106.937, 80, 0.5),
    Place("苏州观前街店", "Suzhou Guanqian Street", "苏州", "Suzhou", "new_1", 0, 31.312, 120.626, 150, 0.9),
    Place("湛江鼎盛店", "Zhanjiang Dingsheng", "湛江", "Zhanjiang", "3", 1, 21.271, 110.359, 80, 0.5),
)
ONLINE = (
    Place("微信小程序商城", "WeChat Mini Program Shop", "深圳", "Shenzhen", "1", 1, 22.541, 114.058, 0, 1.0),
    Place("天猫官方旗舰店", "Tmall Official Flagship", "杭州", "Hangzhou", "new_1", 0, 30.274, 120.155, 0, 1.0),
)

BRANDS = (("花漾", "Huayang"), ("玉露", "Yulu"), ("棠色", "Tangse"), ("初雪", "Chuxue"), ("木兰辞", "Mulanci"),
          ("清和", "Qinghe"), ("云裳", "Yunshang"), ("沐研", "Muyan"))  # fmt: skip
SERIES = (("水漾", "Hydra"), ("焕亮", "Radiance"), ("紧致", "Firming"), ("舒缓", "Soothing"), ("清透", "Pure"),
          ("臻养", "Nourishing"), ("光采", "Glow"), ("星夜", "Night"), ("雪润", "Snow"), ("丝绒", "Velvet"),
          ("晨曦", "Dawn"), ("花语", "Bloom"))  # fmt: skip

CATEGORIES = (
    ("护肤", "Skin care"),
    ("彩妆", "Make-up"),
    ("香氛", "Fragrance"),
    ("美妆工具", "Tools"),
    ("护理服务", "Services"),
)


@dataclass(frozen=True)
class Kind:
    """One subcategory: ``low`` and ``high`` bound list prices in CNY, ``weight`` is its share of the range.

    ``summer`` multiplies demand at the height of summer (and divides it in winter).
    """

    category: int
    name: str
    name_en: str
    low: int
    high: int
    weight: float
    pack: str
    usage_days: int
    shelf_life_days: int
    summer: float = 1.0


KINDS = (
    Kind(0, "洁面乳", "Cleanser", 79, 199, 1.1, "120ml", 60, 1095),
    Kind(0, "爽肤水", "Toner", 119, 299, 1.0, "200ml", 75, 1095),
    Kind(0, "精华液", "Serum", 259, 699, 1.3, "30ml", 60, 1095),
    Kind(0, "乳液", "Lotion", 159, 359, 0.9, "100ml", 75, 1095),
    Kind(0, "面霜", "Face Cream", 199, 599, 1.2, "50g", 75, 1095, 0.75),
    Kind(0, "面膜", "Face Mask", 59, 199, 1.3, "5片", 20, 730),
    Kind(0, "眼霜", "Eye Cream", 239, 559, 0.8, "15g", 90, 1095),
    Kind(0, "防晒霜", "Sunscreen", 99, 259, 0.9, "50ml", 45, 730, 2.4),
    Kind(1, "口红", "Lipstick", 119, 299, 1.4, "3.5g", 150, 1095),
    Kind(1, "粉底液", "Foundation", 189, 429, 0.9, "30ml", 120, 1095),
    Kind(1, "眼影盘", "Eyeshadow Palette", 129, 299, 0.7, "9色", 240, 1095),
    Kind(1, "腮红", "Blush", 99, 229, 0.6, "4g", 240, 1095),
    Kind(1, "睫毛膏", "Mascara", 99, 219, 0.6, "8g", 90, 730),
    Kind(1, "眉笔", "Brow Pencil", 49, 129, 0.7, "0.3g", 120, 1095),
    Kind(1, "气垫霜", "Cushion", 169, 399, 0.8, "15g", 75, 1095),
    Kind(2, "女士香水", "Perfume For Her", 299, 799, 0.6, "50ml", 240, 1825),
    Kind(2, "男士香水", "Perfume For Him", 299, 699, 0.3, "50ml", 240, 1825),
    Kind(2, "香氛身体乳", "Scented Body Lotion", 99, 239, 0.6, "250ml", 60, 1095, 0.7),
    Kind(3, "化妆刷", "Make-up Brush", 39, 199, 0.5, "1支", 365, 3650),
    Kind(3, "美容仪", "Beauty Device", 399, 999, 0.2, "1台", 1095, 3650),
    Kind(3, "化妆棉", "Cotton Pads", 15, 39, 0.5, "100片", 30, 1825),
    Kind(3, "美妆蛋", "Make-up Sponge", 29, 69, 0.5, "2个", 60, 1825),
    Kind(4, "基础面部护理", "Basic Facial", 198, 398, 0.3, "60分钟", 30, 0),
    Kind(4, "深层焕肤护理", "Deep Facial", 398, 698, 0.2, "90分钟", 45, 0),
    Kind(4, "妆容造型", "Make-up Styling", 158, 298, 0.2, "45分钟", 60, 0),
)
SERVICE_CATEGORY = 4

SURNAMES = tuple("王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢")
GIVEN_FIRST = tuple("雨思欣佳梦诗雅静婉晓美丽慧琳嘉若子一语紫")
GIVEN_SECOND = tuple("涵怡琪婷妍萱彤瑶洁颖雯芳娜莹悦宁然轩宸月")

# What a campaign is called, in Chinese and English, with the type, objective and coupon that fit the name.
CAMPAIGN_THEMES = (("立减狂欢", "Money-off Days", "discount", "promote_sales", "立减券", "Money-off coupon"),
                   ("新品尝鲜", "New Arrivals Preview", "new_product", "new_product", "尝鲜券", "Trial coupon"),
                   ("沉睡唤醒", "Win-back", "win_back", "win_back", "回归礼券", "Welcome-back coupon"),
                   ("生日礼遇", "Birthday Treat", "birthday", "loyalty", "生日礼券", "Birthday coupon"),
                   ("美妆课堂", "Make-up Class", "event", "promote_sales", "课堂礼券", "Class coupon"),
                   ("积分加倍", "Double Points", "points", "loyalty", "积分加礼券", "Points and a coupon"))  # fmt: skip
