// What the widget says, in the languages that commands have (f/channels/command_words.py).
const WORDS = {
  en: {
    open: "Open the chat", close: "Close the chat", send: "Send", attach: "Attach a file",
    message: "Your message", placeholder: "Write a message …", log: "Conversation",
    notice: "You are talking to an AI assistant. It can make mistakes.", privacy: "Privacy",
    you: "You", bot: "Assistant", team: "Team", typing: "{name} is writing …",
    human: "A person from the team answers from here on.", released: "The assistant answers again.",
    status_bot: "AI assistant", status_human: "A person answers", status_muted: "Nobody answers here now",
    offline: "No connection. Messages are sent as soon as there is one.", sending: "Sending …",
    waiting: "Not sent yet", failed: "Not sent: {reason}", retry: "Try again",
    unread: "{count} new messages", remove: "Delete this chat", sure: "Delete everything you wrote here, for good?",
    yes: "Delete", no: "Keep", removed: "This chat was deleted.", expired: "A new chat begins here.",
    large: "Files may have 10 MB.", unavailable: "The chat is not available here.", options: "Suggested answers",
  },
  de: {
    open: "Chat öffnen", close: "Chat schließen", send: "Senden", attach: "Datei anhängen",
    message: "Ihre Nachricht", placeholder: "Nachricht schreiben …", log: "Gespräch",
    notice: "Sie sprechen mit einem KI-Assistenten. Er kann sich irren.", privacy: "Datenschutz",
    you: "Sie", bot: "Assistent", team: "Team", typing: "{name} schreibt …",
    human: "Ab hier antwortet ein Mensch aus dem Team.", released: "Der Assistent antwortet wieder.",
    status_bot: "KI-Assistent", status_human: "Ein Mensch antwortet", status_muted: "Hier antwortet gerade niemand",
    offline: "Keine Verbindung. Nachrichten werden gesendet, sobald es wieder eine gibt.", sending: "Wird gesendet …",
    waiting: "Noch nicht gesendet", failed: "Nicht gesendet: {reason}", retry: "Noch einmal",
    unread: "{count} neue Nachrichten", remove: "Diesen Chat löschen", sure: "Alles, was Sie hier geschrieben haben, endgültig löschen?",
    yes: "Löschen", no: "Behalten", removed: "Dieser Chat wurde gelöscht.", expired: "Hier beginnt ein neuer Chat.",
    large: "Dateien dürfen 10 MB haben.", unavailable: "Der Chat ist hier nicht verfügbar.", options: "Vorgeschlagene Antworten",
  },
  es: {
    open: "Abrir el chat", close: "Cerrar el chat", send: "Enviar", attach: "Adjuntar un archivo",
    message: "Su mensaje", placeholder: "Escriba un mensaje …", log: "Conversación",
    notice: "Está hablando con un asistente de IA. Puede equivocarse.", privacy: "Privacidad",
    you: "Usted", bot: "Asistente", team: "Equipo", typing: "{name} está escribiendo …",
    human: "A partir de aquí responde una persona del equipo.", released: "El asistente responde de nuevo.",
    status_bot: "Asistente de IA", status_human: "Responde una persona", status_muted: "Ahora nadie responde aquí",
    offline: "Sin conexión. Los mensajes se enviarán en cuanto la haya.", sending: "Enviando …",
    waiting: "Aún no enviado", failed: "No enviado: {reason}", retry: "Reintentar",
    unread: "{count} mensajes nuevos", remove: "Borrar este chat", sure: "¿Borrar para siempre todo lo que escribió aquí?",
    yes: "Borrar", no: "Conservar", removed: "Este chat se ha borrado.", expired: "Aquí empieza un chat nuevo.",
    large: "Los archivos pueden tener 10 MB.", unavailable: "El chat no está disponible aquí.", options: "Respuestas sugeridas",
  },
  pt: {
    open: "Abrir o chat", close: "Fechar o chat", send: "Enviar", attach: "Anexar um ficheiro",
    message: "A sua mensagem", placeholder: "Escreva uma mensagem …", log: "Conversa",
    notice: "Está a falar com um assistente de IA. Ele pode enganar-se.", privacy: "Privacidade",
    you: "Você", bot: "Assistente", team: "Equipa", typing: "{name} está a escrever …",
    human: "A partir daqui responde uma pessoa da equipa.", released: "O assistente responde de novo.",
    status_bot: "Assistente de IA", status_human: "Responde uma pessoa", status_muted: "Agora ninguém responde aqui",
    offline: "Sem ligação. As mensagens serão enviadas logo que haja.", sending: "A enviar …",
    waiting: "Ainda não enviada", failed: "Não enviada: {reason}", retry: "Tentar de novo",
    unread: "{count} mensagens novas", remove: "Apagar este chat", sure: "Apagar para sempre tudo o que escreveu aqui?",
    yes: "Apagar", no: "Manter", removed: "Este chat foi apagado.", expired: "Aqui começa um chat novo.",
    large: "Os ficheiros podem ter 10 MB.", unavailable: "O chat não está disponível aqui.", options: "Respostas sugeridas",
  },
  fr: {
    open: "Ouvrir le chat", close: "Fermer le chat", send: "Envoyer", attach: "Joindre un fichier",
    message: "Votre message", placeholder: "Écrivez un message …", log: "Conversation",
    notice: "Vous parlez avec un assistant IA. Il peut se tromper.", privacy: "Confidentialité",
    you: "Vous", bot: "Assistant", team: "Équipe", typing: "{name} écrit …",
    human: "À partir d'ici, une personne de l'équipe répond.", released: "L'assistant répond de nouveau.",
    status_bot: "Assistant IA", status_human: "Une personne répond", status_muted: "Personne ne répond ici pour le moment",
    offline: "Pas de connexion. Les messages partiront dès son retour.", sending: "Envoi …",
    waiting: "Pas encore envoyé", failed: "Non envoyé : {reason}", retry: "Réessayer",
    unread: "{count} nouveaux messages", remove: "Supprimer ce chat", sure: "Supprimer définitivement tout ce que vous avez écrit ici ?",
    yes: "Supprimer", no: "Garder", removed: "Ce chat a été supprimé.", expired: "Un nouveau chat commence ici.",
    large: "Les fichiers peuvent faire 10 Mo.", unavailable: "Le chat n'est pas disponible ici.", options: "Réponses proposées",
  },
};

function wordsFor(...languages) {
  for (const language of languages) {
    const code = String(language || "").toLowerCase().split("-")[0];
    if (WORDS[code]) return { code, words: WORDS[code] };
  }
  return { code: "en", words: WORDS.en };
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
