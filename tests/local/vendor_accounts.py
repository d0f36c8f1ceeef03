"""An account of each kind, and its vendor's stand-in that knows it."""

from local.graph_api import GraphApi
from local.messenger_api import MessengerApi
from local.telegram_api import TelegramApi
from local.twilio_api import TwilioApi

PUBLIC = "https://bot.example.com"
SECRETS = {
    "telegram": {"bot_token": "4242:AAtoken"},
    "whatsapp": {
        **{"account_id": "100", "waba_id": "300"},
        **{"app_secret": "AAsecret", "access_token": "EAAtoken"},
    },
    "messenger": {
        **{"account_id": "1", "app_id": "77"},
        **{"app_secret": "AAsecret", "access_token": "EAAtoken"},
    },
    "twilio": {"account_id": "+14155238886", "account_sid": "AC1", "auth_token": "AAtoken"},
}
STAND_INS = {
    "telegram": lambda: TelegramApi("4242:AAtoken", "acme_bot"),
    "whatsapp": lambda: GraphApi("EAAtoken", ["100"]),
    "messenger": lambda: MessengerApi("EAAtoken", "AAsecret", ["1"]),
    "twilio": lambda: TwilioApi("AC1", "AAtoken", "14155238886"),
}
