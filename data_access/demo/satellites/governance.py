"""Incidents with data, as a data protection officer would record them."""

import numpy as np
import pandas as pd

from data_access.demo.satellites._ground import DAY, Ground, at_local
from data_access.demo.world import ids

# Days before the end, kind, description, share of the customers affected, hours to containment and to notification.
_INCIDENTS = (
    (
        640,
        "misdirected_message",
        "短信服务商故障，部分会员收到他人姓名的生日祝福短信；已停发并更换模板。",
        0.004,
        5,
        30,
    ),
    (300, "lost_device", "门店平板电脑遗失，已远程锁定并清除，未发现数据外泄。", 0.011, 3, 26),
    (45, "excess_export", "离职员工在离职前导出本店会员名单，已收回文件并撤销权限。", 0.02, 20, 52),
)


def data_incident(g: Ground, rng: np.random.Generator) -> pd.DataFrame:
    """One row per incident."""
    known = [row for row in _INCIDENTS if g.last_day - row[0] * DAY > g.first_day]
    before, kind, text, share, contained, notified = zip(*known, strict=True)
    noon = at_local(g.last_day - np.array(before) * DAY, 12 * 3600)
    detected = noon + rng.integers(0, 6 * 3600, len(known)).astype("timedelta64[s]")
    informed = detected + np.array(notified).astype("timedelta64[h]")
    return pd.DataFrame(
        {
            "incident_id": ids("DI", len(known), 3),
            "detected_at": detected,
            "contained_at": detected + np.array(contained).astype("timedelta64[h]"),
            "notified_at": informed,
            "kind": kind,
            "description": text,
            "records_affected": np.maximum(1, np.array(share) * len(g.customers)).astype(int),
            "updated_at": informed,
        }
    )
