"""Texts that break things: what models and people write, glued together at random."""

import random

SCRIPTS = (
    *("word", "a", "Größe", "naïve", "e\u0301\u0302\u0303", "क्षि", "น้ำ", "각", "مرحبا بالعالم"),
    *("שלום", "\u202b", "日本語の文章です。", "中文，没有空格的长句子", "snake_case", "2*3*4"),
    *("😀", "👨‍👩‍👧‍👦", "👍🏽", "🇩🇪", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"),
)
MARKS = (
    *("**bold**", "*italic*", "__b__", "_i_", "~~gone~~", "***both***", "`code`", "`a*b`"),
    *("**", "*", "_", "~~", "`", "\\*", "\\", "&lt;", "<b>", "<!channel>", "{}", "%s", "$var:x"),
)
LINKS = (
    *("[a link](https://a.example/x_y_z?q=1)", "[**b**](https://b.example/(1))", "](x)"),
    *("https://c.example/p_q*r", "![p](https://d.example/i.png)", "[broken]("),
    "<https://e.example>",
)
BLOCKS = (
    *("\n# Heading *x*\n", "\n- item\n", "\n  - nested **b**\n", "\n1. one\n", "\n> quote\n"),
    *("\n| a | **b** |\n|---|---|\n| 1 | 2 |\n", "\n```\n", "\n~~~\ncode\n~~~\n", "\n---\n"),
    "\n```python\nx = 1 * 2  # **no**\n```\n",
)
SPACES = (". ", "! ", "? ", "。", " ", "  ", "\n", "\n\n", "\r\n", "\t", "\u00a0")
PARTS = [*SCRIPTS, *MARKS, *LINKS, *BLOCKS, *SPACES]


def texts(count: int, seed: int = 7):
    """Short, long and very long ones; the same for the same seed."""
    chance = random.Random(seed)
    for number in range(count):
        length = chance.choice((1, 3, 10, 40, 150, 600) if number % 50 else (3000,))
        yield "".join(chance.choice(PARTS) for _ in range(length))
