"""What a contact, the model and the chatbot say where somebody signs in."""

import re

from tests.scripted_model import calls

ASK = calls("shop__status", number="7")
EVE = "15559999"


def link_in(text):
    return re.search(r"https://\S+", text)[0]


def code_in(text):
    return re.search(r"[A-Z2-9]{5}-[A-Z2-9]{5}", text)[0]
