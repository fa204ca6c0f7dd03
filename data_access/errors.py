"""The one error a person sees as a sentence instead of a traceback."""


class Problem(Exception):
    """Something the person can mend: says what is wrong, where, and what to do, in one sentence.

    key, named: what it is called where pages have a sentence of their own for it, and what that names.
    """

    def __init__(self, sentence: str, key: str = "", **named: object) -> None:
        super().__init__(sentence)
        self.key, self.named = key, named
