"""What a contact is told of what could not be read, in one sentence of their language.

A channel's settings may say it otherwise: {"notices": {"media_too_large": "..."}}.
"""

from f.channels.commands import spoken

NOTICES: dict[str, dict[str, str]] = {
    "en": {
        "media_too_large": "That file is too large for me: please send a smaller one.",
        "media_too_many": "I read ten files at a time: please send the others again.",
        "media_unsupported": "I can't open that kind of file: please send a PDF, picture or text.",
        "media_lost": "Your file did not reach me: please send it again.",
        "message_unseen": "I can't see that kind of message here: please write it in words.",
        "document_encrypted": "That file has a password: please send a copy without one.",
        "document_unreadable": "I could not read that file: please send it in another form.",
        "picture_not_seen": "I can't look at pictures here: please describe it in words.",
        "voice_not_heard": "I can't listen to voice messages here: please write to me.",
        "voice_not_understood": "I could not understand your voice message: please write to me.",
    },
    "de": {
        "media_too_large": "Diese Datei ist für mich zu groß: Bitte senden Sie eine kleinere.",
        "media_too_many": "Ich lese zehn Dateien auf einmal: Bitte senden Sie die übrigen erneut.",
        "media_unsupported": "Diese Art von Datei kann ich nicht öffnen: Bitte senden Sie ein"
        " Bild, ein PDF oder Text.",
        "media_lost": "Ihre Datei ist nicht angekommen: Bitte senden Sie sie noch einmal.",
        "message_unseen": "Diese Art von Nachricht kann ich hier nicht sehen: Bitte sagen Sie es in"
        " Worten.",
        "document_encrypted": "Diese Datei hat ein Passwort: Bitte senden Sie eine Kopie ohne.",
        "document_unreadable": "Ich konnte diese Datei nicht lesen: Bitte senden Sie sie in"
        " anderer Form.",
        "picture_not_seen": "Bilder kann ich hier nicht ansehen: Bitte sagen Sie es in Worten.",
        "voice_not_heard": "Sprachnachrichten kann ich hier nicht hören: Bitte schreiben Sie mir.",
        "voice_not_understood": "Ich habe Ihre Sprachnachricht nicht verstanden: Bitte schreiben"
        " Sie mir.",
    },
    "es": {
        "media_too_large": "Ese archivo es demasiado grande para mí: envíe uno más pequeño.",
        "media_too_many": "Leo diez archivos a la vez: envíe los demás otra vez.",
        "media_unsupported": "No puedo abrir ese tipo de archivo: envíe imagen, PDF o texto.",
        "media_lost": "Su archivo no me llegó: envíelo otra vez.",
        "message_unseen": "Aquí no puedo ver ese tipo de mensaje: dígalo con palabras.",
        "document_encrypted": "Ese archivo tiene contraseña: envíe una copia sin ella.",
        "document_unreadable": "No pude leer ese archivo: envíelo en otro formato.",
        "picture_not_seen": "Aquí no puedo ver imágenes: descríbala con palabras.",
        "voice_not_heard": "Aquí no puedo escuchar mensajes de voz: escríbame.",
        "voice_not_understood": "No entendí su mensaje de voz: escríbame.",
    },
    "pt": {
        "media_too_large": "Esse ficheiro é grande demais para mim: envie um mais pequeno.",
        "media_too_many": "Leio dez ficheiros de cada vez: envie os outros outra vez.",
        "media_unsupported": "Não consigo abrir esse tipo de ficheiro: envie uma imagem, um PDF ou"
        " texto.",
        "media_lost": "O seu ficheiro não me chegou: envie-o outra vez.",
        "message_unseen": "Aqui não consigo ver esse tipo de mensagem: diga-o por palavras.",
        "document_encrypted": "Esse ficheiro tem palavra-passe: envie uma cópia sem ela.",
        "document_unreadable": "Não consegui ler esse ficheiro: envie-o noutro formato.",
        "picture_not_seen": "Aqui não consigo ver imagens: descreva-a por palavras.",
        "voice_not_heard": "Aqui não consigo ouvir mensagens de voz: escreva-me.",
        "voice_not_understood": "Não percebi a sua mensagem de voz: escreva-me.",
    },
    "fr": {
        "media_too_large": "Ce fichier est trop grand pour moi : envoyez-en un plus petit.",
        "media_too_many": "Je lis dix fichiers à la fois : envoyez les autres à nouveau.",
        "media_unsupported": "Je ne peux pas ouvrir ce type de fichier : envoyez une image, un"
        " PDF ou du texte.",
        "media_lost": "Votre fichier ne m'est pas parvenu : envoyez-le à nouveau.",
        "message_unseen": "Je ne peux pas voir ce type de message ici : dites-le avec des mots.",
        "document_encrypted": "Ce fichier a un mot de passe : envoyez une copie sans.",
        "document_unreadable": "Je n'ai pas pu lire ce fichier : envoyez-le sous une autre forme.",
        "picture_not_seen": "Je ne peux pas regarder d'images ici : décrivez-la avec des mots.",
        "voice_not_heard": "Je ne peux pas écouter de messages vocaux ici : écrivez-moi.",
        "voice_not_understood": "Je n'ai pas compris votre message vocal : écrivez-moi.",
    },
}


def notice(code: str, language: str | None, settings: dict) -> str:
    """A refusal without a sentence of its own is a file that could not be read."""
    own = settings.get("notices", {}).get(code)
    words = NOTICES[spoken(language, settings)]
    return own or words.get(code, words["document_unreadable"])
