"""The one error a person sees as a sentence instead of a traceback."""


class Problem(Exception):
    """Something the person can mend: says what is wrong, where, and what to do, in one sentence."""
