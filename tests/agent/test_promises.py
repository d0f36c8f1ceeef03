"""What a reply says was done, and whether it was."""

import pytest

from f.agent.promises import claims_in, unkept


class Did:
    def __init__(self, *tools, acted=False):
        self._tools, self._acted = tools, acted

    def has_done(self, *tools):
        return bool(set(tools) & set(self._tools))

    def has_acted(self):
        return self._acted


@pytest.mark.parametrize(
    ("reply", "claim"),
    [
        ("I've passed this on to a colleague.", "handed_off"),
        ("I’ve forwarded your question to our team.", "handed_off"),
        ("I will transfer you to a human now.", "handed_off"),
        ("A colleague will contact you today.", "handed_off"),
        ("Someone from our team will get back to you.", "handed_off"),
        ("Encaminhei o seu pedido para um colega.", "handed_off"),
        ("Um colega vai responder em breve.", "handed_off"),
        ("He pasado tu consulta a un compañero.", "handed_off"),
        ("Ich habe Ihre Frage an einen Kollegen weitergeleitet.", "handed_off"),
        ("Ein Kollege wird sich melden.", "handed_off"),
        ("J'ai transmis votre demande à un collègue.", "handed_off"),
        ("I've noted your address.", "remembered"),
        ("I will remember that.", "remembered"),
        ("Ich habe das notiert.", "remembered"),
        ("I have cancelled your order.", "done"),
        ("I've refunded the 20 euros.", "done"),
        ("Sure! I just updated your address.", "done"),
        ("I'm sending you a new one.", "done"),
        ("We have booked your table.", "done"),
        ("Your subscription has been cancelled.", "done"),
        ("Your refund was processed.", "done"),
        ("Order 1065 is cancelled.", "done"),
        ("Your booking is now changed.", "done"),
        ("Cancelei a sua encomenda.", "done"),
        ("After checking your account, I have cancelled your order.", "done"),
        ("After a look at it, your order has been cancelled.", "done"),
        ("Depois de verificar, cancelei a sua encomenda.", "done"),
        ("Après vérification, j'ai annulé votre commande.", "done"),
        ("Nachdem ich es geprüft habe, habe ich Ihre Bestellung storniert.", "done"),
        ("Soeben habe ich Ihre Bestellung storniert.", "done"),
        ("He cancelado tu pedido.", "done"),
        ("Ich habe Ihre Bestellung storniert.", "done"),
        ("J'ai annulé votre commande.", "done"),
    ],
)
def test_a_claim_is_found_and_needs_a_row_of_this_turn(reply, claim):
    assert claim in claims_in(reply, "")
    assert unkept({claim}, Did(), False) == {claim}


@pytest.mark.parametrize(
    "reply",
    [
        "Refunds take five working days.",
        "You can cancel your order on the website.",
        "If we have sent the wrong item, tell us.",
        "After your order has been sent, you get an e-mail.",
        "After that, our team will answer within a day.",
        "Haben wir Ihnen etwas Falsches geschickt?",
        "Wann haben wir es Ihnen geschickt?",
        "Once your order has been sent, you get an e-mail.",
        "I can't change orders, refund money or see your data.",
        "Would you like me to pass this on to a colleague?",
        "A colleague can help you at help@example.com.",
        "You will get a link by e-mail.",
        "I'm sorry to hear that.",
        "Sobald Ihre Bestellung versendet wurde, erhalten Sie eine E-Mail.",
        "I am not sure about that.",
    ],
)
def test_what_is_no_claim_is_let_be(reply):
    assert claims_in(reply, "") == set()


def test_a_sentence_of_the_documents_is_the_organizations_own():
    said = "Our team will answer within a day."

    assert claims_in(said, "") == {"handed_off"}
    assert claims_in(said, f"Contact hours. {said} Or sooner.") == set()


@pytest.mark.parametrize(
    "own_text",
    [
        "Once your order has been cancelled, you get an e-mail.",
        "You get an e-mail when your order has been cancelled.",
        "Has your order been cancelled? Tell us if your order has been cancelled by mistake.",
    ],
)
def test_what_the_documents_say_of_a_case_does_not_bear_out_that_it_is_so(own_text):
    assert claims_in("Your order has been cancelled.", own_text) == {"done"}


@pytest.mark.parametrize(
    "own_text",
    [
        "Nights\n\nA colleague will contact\nyou today. Or tomorrow.",
        "Say at night: A colleague will contact you today.",
        "To complaints answer 'A colleague will contact you today.' and no more.",
        "- A colleague will contact you today\n- Refunds take five days",
    ],
)
def test_a_sentence_of_the_organizations_own_may_be_wrapped_or_quoted(own_text):
    assert claims_in("A colleague will contact you today.", own_text) == set()


def test_each_claim_is_kept_by_its_own_row_only():
    everything = {"handed_off", "remembered", "done"}

    assert unkept(everything, Did("hand_off"), False) == {"remembered", "done"}
    assert unkept(everything, Did("remember_fact"), False) == {"handed_off", "done"}
    assert unkept(everything, Did(acted=True), False) == {"handed_off"}
    assert unkept({"done"}, Did(), True) == set()
