// Puts the view and the connection together, as the script tag says.
const LARGEST_FILE_BYTES = 10 * 1024 * 1024;

class Chat {
  constructor(settings) {
    const { server, key, target, language, direction, identity } = settings;
    const chosen = wordsFor(language, document.documentElement.lang, navigator.language);
    this.words = chosen.words;
    this.bubbles = new Map();
    this.connection = new Connection(server, key, { language: language || navigator.language, identity }, this);
    this.view = new View(this.words, {
      opened: () => this.connection.listen(),
      closed: () => {},
      say: (text) => this.say(text),
      file: (file) => this.sendFile(file),
      forget: () => this.forget(),
    }, { target, direction, language: chosen.code });
    this.begin(settings.isOpen);
  }

  async begin(isOpen) {
    try {
      this.facts = await this.connection.facts();
    } catch {
      // A website that is not allowed can't read why: for it this is a failed connection.
      this.view.present({ chatbot: { name: this.words.bot } });
      this.view.setUsable(false, navigator.onLine ? this.words.unavailable : this.words.offline);
      addEventListener("online", () => this.begin(isOpen), { once: true });
      return;
    }
    this.view.setUsable(true, "");
    this.view.present(this.facts);
    for (const message of this.connection.outbox) this.showOwn(message);
    if (isOpen && !this.view.isInline) this.view.open();
    this.connection.listen();
    this.connection.flush();
  }

  say(text) {
    const message = { message: text };
    this.showOwn({ ...message, client_message_id: this.connection.post(message) });
  }

  showOwn({ client_message_id: id, message, file_name: fileName }) {
    if (this.bubbles.has(id)) return;
    const item = this.view.say({ author: "contact", text: message || "", file_name: fileName });
    this.view.mark(item, this.words.sending);
    this.bubbles.set(id, item);
  }

  async sendFile(file) {
    const item = this.view.say({ author: "contact", text: "", file_name: file.name });
    if (file.size > LARGEST_FILE_BYTES) return this.view.mark(item, this.words.large, { isBad: true });
    this.view.mark(item, this.words.sending);
    try {
      const { attachment_id, file_name } = await this.connection.upload(file);
      item.remove();
      const message = { attachment_id, file_name };
      this.showOwn({ ...message, client_message_id: this.connection.post(message) });
    } catch (error) {
      const reason = error instanceof Refused ? error.message : this.words.offline;
      const retry = () => {
        item.remove();
        this.sendFile(file);
      };
      this.view.mark(item, filled(this.words.failed, { reason }), { isBad: true, retry });
    }
  }

  async forget() {
    try {
      await this.connection.forget();
    } catch {
      this.view.showBanner(this.words.offline);
      return;
    }
    this.bubbles.clear();
    this.view.clear();
    this.view.event(this.words.removed);
  }

  // What the connection tells.
  line(line) {
    const own = line.client_message_id && this.bubbles.get(line.client_message_id);
    if (own) return this.view.mark(own, "");
    const item = this.view.say(line);
    if (line.client_message_id) this.bubbles.set(line.client_message_id, item);
    else if (!this.view.isOpen) this.view.setUnread(this.view.unread + 1);
  }

  status({ session_status: mode, is_typing: isTyping }) {
    if (mode === "deleted") return this.deletedElsewhere();
    this.view.showMode(mode);
    this.view.showTyping(isTyping);
  }

  // In another tab, or by the organization: nothing of it stays to be read here.
  deletedElsewhere() {
    this.bubbles.clear();
    this.view.clear();
    for (const message of this.connection.outbox) this.showOwn(message);
    this.connection.ended();
  }

  sent(id, problem) {
    const item = this.bubbles.get(id);
    if (!item) return;
    this.view.mark(item, problem ? filled(this.words.failed, { reason: problem }) : "", { isBad: Boolean(problem) });
  }

  waiting(id) {
    const item = this.bubbles.get(id);
    if (item) this.view.mark(item, this.words.waiting);
  }

  online(isOnline) {
    this.view.showBanner(isOnline ? "" : this.words.offline);
  }

  restarted() {
    this.view.event(this.words.expired);
  }
}

function directionOf(language) {
  if (document.documentElement.dir) return document.documentElement.dir;
  return /^(ar|fa|he|ur|yi)\b/.test(language || "") ? "rtl" : getComputedStyle(document.documentElement).direction;
}

function identityOf(data) {
  if (data.identityToken) return { token: data.identityToken };
  if (data.identifier) return { identifier: data.identifier, identifier_hash: data.identifierHash };
  return undefined;
}

function startChat(script) {
  const data = script.dataset;
  const language = data.language || document.documentElement.lang;
  return new Chat({
    server: (data.server || new URL(script.src).origin).replace(/\/+$/, ""),
    key: data.embedKey,
    target: data.target && document.querySelector(data.target),
    language,
    direction: data.direction || directionOf(language),
    identity: identityOf(data),
    isOpen: data.open === "true",
  });
}

// A script that is loaded late or twice makes one chat.
const script = document.currentScript;
function whenReady() {
  if (window.Chatmill) return;
  const chat = startChat(script);
  window.Chatmill = { open: () => chat.view.open(), close: () => chat.view.close() };
}
if (document.readyState === "loading") addEventListener("DOMContentLoaded", whenReady);
else whenReady();
