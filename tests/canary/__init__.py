"""A chain in which everything carries a mark of its own, and visitors who look for marks they must not see."""
