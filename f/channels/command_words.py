"""The words of the commands and what they are answered with, language by language.

A channel's settings may change both: {"commands": {"help": {"words": ["info"], "reply": "..."}}},
and say which languages count: {"command_languages": ["pt", "en"]}.
In replies, {name} is the chatbot's name, {asked}, {answered} and {since} are of the contact.
"""

COMMANDS = ("help", "clear", "stats", "feedback", "human", "stop", "start")

# The first of each is what `/help` offers. A slash before any of them is always understood.
WORDS: dict[str, dict[str, tuple[str, ...]]] = {
    "en": {
        "help": ("help", "commands"),
        "clear": ("clear", "forget", "reset"),
        "stats": ("stats",),
        "feedback": ("feedback",),
        "human": ("human", "agent", "talk to a person", "speak to a human"),
        "stop": ("stop", "unsubscribe", "stop all"),
        "start": ("start", "unstop", "resubscribe"),
    },
    "de": {
        "help": ("hilfe", "befehle"),
        "clear": ("vergessen", "löschen"),
        "stats": ("statistik",),
        "feedback": ("rückmeldung",),
        "human": ("mensch", "mitarbeiter", "mit einem menschen sprechen"),
        "stop": ("stopp", "abmelden", "abbestellen"),
        "start": ("anmelden",),
    },
    "es": {
        "help": ("ayuda", "comandos"),
        "clear": ("olvidar", "borrar"),
        "stats": ("estadísticas",),
        "feedback": ("opinión",),
        "human": ("humano", "hablar con una persona", "asesor"),
        "stop": ("parar", "baja", "cancelar suscripción"),
        "start": ("alta",),
    },
    "pt": {
        "help": ("ajuda", "comandos"),
        "clear": ("esquecer", "apagar"),
        "stats": ("estatísticas",),
        "feedback": ("opinião",),
        "human": ("humano", "atendente", "falar com uma pessoa"),
        "stop": ("parar", "sair", "cancelar inscrição"),
        "start": ("voltar",),
    },
    "fr": {
        "help": ("aide", "commandes"),
        "clear": ("oublier", "effacer"),
        "stats": ("statistiques",),
        "feedback": ("avis",),
        "human": ("humain", "conseiller", "parler à quelqu'un"),
        "stop": ("arrêter", "désabonner"),
        "start": ("reprendre",),
    },
}

REPLIES: dict[str, dict[str, str]] = {
    "en": {
        "help": "I am {name}, an automatic assistant. Ask me anything, or write one of these:",
        "clear": "Done: I no longer use what we wrote before, so tell me again what I need to"
        " know. The messages themselves stay with the company.",
        "stats": "Since {since} you wrote {asked} messages, and I answered {answered} times.",
        "feedback": "Thank you, your feedback was passed on.",
        "feedback_empty": "Write /feedback and what you think, in one message.",
        "human": "A person will take over here as soon as possible. I am silent until then.",
        "stop": "You will get no more messages from me. Write START to talk to me again.",
        "start": "Good to have you here. I am {name}, an automatic assistant: how can I help?",
    },
    "de": {
        "help": "Ich bin {name}, ein automatischer Assistent. Fragen Sie einfach, oder schreiben"
        " Sie eines davon:",
        "clear": "Erledigt: Ich verwende nicht mehr, was wir bisher geschrieben haben; sagen Sie"
        " mir also noch einmal, was ich wissen muss. Die Nachrichten selbst bleiben beim"
        " Unternehmen.",
        "stats": "Seit {since} haben Sie {asked} Nachrichten geschrieben und ich habe"
        " {answered}-mal geantwortet.",
        "feedback": "Danke, Ihre Rückmeldung wurde weitergegeben.",
        "feedback_empty": "Schreiben Sie /rückmeldung und Ihre Meinung in einer Nachricht.",
        "human": "Ein Mensch übernimmt hier so bald wie möglich. Bis dahin schweige ich.",
        "stop": "Sie erhalten keine Nachrichten mehr von mir. Mit START geht es wieder los.",
        "start": "Schön, dass Sie da sind. Ich bin {name}, ein automatischer Assistent: Wie kann"
        " ich helfen?",
    },
    "es": {
        "help": "Soy {name}, un asistente automático. Pregunte lo que quiera, o escriba una de"
        " estas palabras:",
        "clear": "Hecho: ya no uso lo que escribimos antes, así que dígame de nuevo lo que deba"
        " saber. Los mensajes los conserva la empresa.",
        "stats": "Desde {since} escribió {asked} mensajes y respondí {answered} veces.",
        "feedback": "Gracias, hemos transmitido su opinión.",
        "feedback_empty": "Escriba /opinión y lo que piensa, en un solo mensaje.",
        "human": "Una persona continuará aquí lo antes posible. Hasta entonces no respondo.",
        "stop": "No recibirá más mensajes míos. Escriba START para volver a hablar conmigo.",
        "start": "Me alegra verle. Soy {name}, un asistente automático: ¿en qué puedo ayudar?",
    },
    "pt": {
        "help": "Sou {name}, um assistente automático. Pergunte o que quiser, ou escreva uma"
        " destas palavras:",
        "clear": "Feito: já não uso o que escrevemos antes, por isso diga-me de novo o que preciso"
        " de saber. As mensagens ficam com a empresa.",
        "stats": "Desde {since} escreveu {asked} mensagens e eu respondi {answered} vezes.",
        "feedback": "Obrigado, a sua opinião foi transmitida.",
        "feedback_empty": "Escreva /opinião e o que pensa, numa só mensagem.",
        "human": "Uma pessoa continua aqui assim que possível. Até lá fico em silêncio.",
        "stop": "Não recebe mais mensagens minhas. Escreva START para falar de novo comigo.",
        "start": "Que bom que está aqui. Sou {name}, um assistente automático: como posso ajudar?",
    },
    "fr": {
        "help": "Je suis {name}, un assistant automatique. Posez votre question, ou écrivez l'un"
        " de ces mots :",
        "clear": "C'est fait : je n'utilise plus ce que nous avons écrit, redites-moi donc ce que"
        " je dois savoir. Les messages restent chez l'entreprise.",
        "stats": "Depuis le {since}, vous avez écrit {asked} messages et j'ai répondu {answered}"
        " fois.",
        "feedback": "Merci, votre avis a été transmis.",
        "feedback_empty": "Écrivez /avis et ce que vous pensez, en un seul message.",
        "human": "Une personne prend le relais dès que possible. D'ici là, je me tais.",
        "stop": "Vous ne recevrez plus de messages de moi. Écrivez START pour me reparler.",
        "start": "Bienvenue. Je suis {name}, un assistant automatique : comment puis-je aider ?",
    },
}
