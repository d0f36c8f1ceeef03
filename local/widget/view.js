// The widget as people see, hear and operate it. It knows no server.
const ICONS = {
  chat: "M21 12a8.5 8.5 0 0 1-12.4 7.6L3 21l1.4-5.1A8.5 8.5 0 1 1 21 12z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M4 12l16-8-5 16-3.5-6.5zM11.500 13.500L20 4",
  clip: "M20 11.5l-8.200 8.200a5 5 0 0 1-7.100-7.100l8.600-8.600a3.300 3.300 0 0 1 4.700 4.700l-8.500 8.500a1.700 1.700 0 0 1-2.400-2.400l7.800-7.800",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
};
const ACCEPTED = ".png,.jpg,.jpeg,.gif,.webp,.mp3,.m4a,.ogg,.wav,.flac,.webm,.pdf,.docx,.xlsx,.csv,.md,.txt";
const NEAR_END_PX = 80;

function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

function part(tag, className, attributes = {}, ...children) {
  const element = made(tag, ...children);
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function iconButton(name, label, className = "icon") {
  return part("button", className, { type: "button", "aria-label": label, title: label }, icon(name));
}

// Black or white, whichever is easier to read on the colour (WCAG's relative luminance).
function readableOn(color) {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.18 ? "#000000" : "#ffffff";
}

class View {
  // `asked`: opened(), closed(), say(text), file(file), forget().
  constructor(words, asked, { target, direction, language }) {
    Object.assign(this, { words, asked, isInline: Boolean(target), unread: 0, mode: "bot" });
    this.host = part("chatmill-chat", "", { "data-chatmill": "", ...(target && { "data-inline": "" }) });
    this.root = this.host.attachShadow({ mode: "open" });
    this.addStyle();
    this.build(direction, language);
    (target || document.body).append(this.host);
  }

  // A style sheet that is made by script needs no leave of the page's content security policy.
  addStyle() {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    this.root.adoptedStyleSheets = [sheet];
  }

  build(direction, language) {
    const { words } = this;
    this.frame = part("div", "frame", { dir: direction, lang: language });
    this.launcher = iconButton("chat", words.open, "launcher");
    this.launcher.setAttribute("aria-expanded", "false");
    this.badge = part("span", "badge", { hidden: "", "aria-hidden": "true" });
    this.launcher.append(this.badge);
    this.launcher.addEventListener("click", () => (this.isOpen ? this.close() : this.open()));
    this.panel = part("section", `panel ${this.isInline ? "inline" : "floating"}`, { "aria-labelledby": "title" });
    this.panel.append(this.header(), this.conversation(), this.below(), this.composer());
    if (!this.isInline) {
      this.panel.setAttribute("role", "dialog");
      this.panel.setAttribute("aria-modal", "true");
      this.panel.hidden = true;
      this.frame.append(this.launcher);
    }
    this.panel.addEventListener("keydown", (event) => this.pressed(event));
    this.frame.append(this.panel);
    this.root.append(this.frame);
  }

  header() {
    this.title = part("h2", "", { id: "title" }, this.words.bot);
    this.subtitle = part("p", "", {}, this.words.status_bot);
    this.face = part("span", "face", { "aria-hidden": "true" });
    const bin = iconButton("bin", this.words.remove);
    bin.addEventListener("click", () => this.askToForget());
    this.closer = iconButton("close", this.words.close);
    this.closer.hidden = this.isInline;
    this.closer.addEventListener("click", () => this.close());
    return made("header", this.face, part("div", "who", {}, this.title, this.subtitle), bin, this.closer);
  }

  conversation() {
    this.log = part("ul", "log", { role: "log", "aria-live": "polite", "aria-label": this.words.log, tabindex: "0" });
    this.notice = part("li", "notice");
    this.log.append(this.notice);
    return this.log;
  }

  below() {
    const dots = part("span", "dots", { "aria-hidden": "true" }, made("i"), made("i"), made("i"));
    this.typingWords = made("span");
    this.typing = part("div", "typing", { role: "status" });
    this.typingParts = [dots, this.typingWords];
    this.banner = part("div", "banner", { role: "status", hidden: "" });
    this.choice = part("div", "choice", { role: "alertdialog", "aria-label": this.words.remove, hidden: "" });
    return part("div", "", {}, this.typing, this.banner, this.choice);
  }

  composer() {
    const { words } = this;
    this.input = part("textarea", "", { rows: "1", maxlength: "4000", placeholder: words.placeholder,
      "aria-label": words.message, dir: "auto", enterkeyhint: "send" });
    this.input.addEventListener("input", () => this.grow());
    this.picker = part("input", "", { type: "file", accept: ACCEPTED, hidden: "", "aria-label": words.attach, tabindex: "-1" });
    this.picker.addEventListener("change", () => {
      if (this.picker.files[0]) this.asked.file(this.picker.files[0]);
      this.picker.value = "";
    });
    const attach = iconButton("clip", words.attach);
    attach.addEventListener("click", () => this.picker.click());
    const send = iconButton("send", words.send, "icon send");
    send.type = "submit";
    const form = part("form", "composer", {}, attach, this.picker, this.input, send);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    return form;
  }

  submit() {
    const text = this.input.value.trim();
    if (!text) return this.input.focus();
    this.input.value = "";
    this.grow();
    this.asked.say(text);
  }

  grow() {
    this.input.style.height = "auto";
    this.input.style.height = `${this.input.scrollHeight + 2}px`;
  }

  pressed(event) {
    if (event.key === "Enter" && event.target === this.input && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      this.submit();
    } else if (event.key === "Escape") {
      if (!this.choice.hidden) this.keep();
      else if (!this.isInline) this.close();
    } else if (event.key === "Tab" && !this.isInline) this.stayInside(event);
  }

  stayInside(event) {
    const reachable = [...this.panel.querySelectorAll("button, textarea, a[href], [tabindex='0']")]
      .filter((each) => each.offsetParent !== null);
    const at = reachable.indexOf(this.root.activeElement);
    const leaves = event.shiftKey ? at <= 0 : at === reachable.length - 1;
    if (!leaves) return;
    event.preventDefault();
    reachable.at(event.shiftKey ? -1 : 0).focus();
  }

  get isOpen() {
    return !this.panel.hidden;
  }

  open() {
    this.panel.hidden = false;
    this.launcher.setAttribute("aria-expanded", "true");
    this.setUnread(0);
    this.toEnd();
    this.input.focus();
    this.asked.opened();
  }

  close() {
    this.panel.hidden = true;
    this.launcher.setAttribute("aria-expanded", "false");
    this.launcher.focus();
    this.asked.closed();
  }

  setUnread(count) {
    this.unread = count;
    this.badge.hidden = !count;
    this.badge.textContent = count;
    const told = count ? `${this.words.open}: ${filled(this.words.unread, { count })}` : this.words.open;
    this.launcher.setAttribute("aria-label", told);
  }

  present({ chatbot, title, greeting, privacy_url, accent }) {
    this.chatbot = chatbot.name;
    this.title.textContent = title || chatbot.name;
    this.face.textContent = [...chatbot.name][0].toUpperCase();
    this.notice.replaceChildren(this.words.notice);
    if (privacy_url) {
      const privacy = link(privacy_url, this.words.privacy, "");
      this.notice.append(" ", privacy);
    }
    if (/^#[0-9a-f]{6}$/i.test(accent || "")) {
      this.host.style.setProperty("--accent", accent);
      this.host.style.setProperty("--on-accent", readableOn(accent));
    }
    if (greeting) this.say({ author: "chatbot", text: greeting });
  }

  // A bubble; what was there is replaced when `element` is given.
  say({ author, text, file_name: fileName }, element = null) {
    const isMine = author === "contact";
    const item = part("li", isMine ? "mine" : `theirs ${author}`);
    const name = { contact: this.words.you, chatbot: this.chatbot, teammate: this.words.team }[author];
    const bubble = part("div", "bubble", { dir: "auto" });
    item.append(part("span", isMine ? "unseen" : "name", {}, `${name}${isMine ? ": " : ""}`), bubble);
    if (fileName) bubble.append(part("span", "file", {}, icon("clip"), fileName));
    const taken = isMine ? { text, options: [] } : withoutOptions(text);
    const isOnlyFile = fileName && /^\[\w+\]$/.test(text);
    if (taken.text && !isOnlyFile) bubble.append(...(fileName ? [document.createElement("br")] : []),
      isMine ? taken.text : renderMarkdown(taken.text));
    bubble.hidden = !bubble.hasChildNodes();
    this.dropOptions();
    if (taken.options.length) item.append(this.offered(taken.options));
    const wasAtEnd = this.isAtEnd();
    if (element) element.replaceWith(item);
    else this.log.append(item);
    if (isMine) this.toEnd();
    else if (wasAtEnd) this.toStartOf(item);
    return item;
  }

  offered(options) {
    const group = part("div", "options", { role: "group", "aria-label": this.words.options });
    for (const option of options) {
      const button = part("button", "", { type: "button", dir: "auto" }, option);
      button.addEventListener("click", () => {
        this.input.focus();
        this.asked.say(option);
      });
      group.append(button);
    }
    return group;
  }

  dropOptions() {
    this.log.querySelectorAll(".options").forEach((each) => each.remove());
  }

  event(text) {
    this.log.append(part("li", "event", {}, text));
    this.toEnd();
  }

  mark(item, text, { isBad = false, retry } = {}) {
    item.querySelector(".state")?.remove();
    if (!text) return;
    item.append(part("span", `state${isBad ? " bad" : ""}`, {}, text));
    if (retry) {
      const button = part("button", "state", { type: "button" }, this.words.retry);
      button.addEventListener("click", retry);
      item.lastChild.append(" ", button);
    }
  }

  isAtEnd() {
    return this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END_PX;
  }

  // A long answer is read from its beginning.
  toStartOf(item) {
    this.toEnd();
    const above = this.log.getBoundingClientRect().top - item.getBoundingClientRect().top;
    if (above > 0) this.log.scrollTop -= above + 8;
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  showTyping(isTyping) {
    if (isTyping === Boolean(this.typing.firstChild)) return;
    this.typingWords.textContent = filled(this.words.typing, { name: this.chatbot });
    const wasAtEnd = this.isAtEnd();
    this.typing.replaceChildren(...(isTyping ? this.typingParts : []));
    if (isTyping && wasAtEnd) this.toEnd();
  }

  showMode(mode) {
    if (mode === this.mode || !this.words[`status_${mode}`]) return;
    this.subtitle.textContent = this.words[`status_${mode}`];
    if (mode === "human") this.event(this.words.human);
    if (mode === "bot") this.event(this.words.released);
    this.mode = mode;
  }

  showBanner(text) {
    this.banner.hidden = !text;
    if (this.banner.textContent !== text) this.banner.textContent = text;
  }

  setUsable(isUsable, banner) {
    this.input.disabled = !isUsable;
    this.showBanner(banner);
  }

  clear() {
    for (const item of [...this.log.children]) if (item !== this.notice) item.remove();
    this.mode = "bot";
    this.subtitle.textContent = this.words.status_bot;
    this.showTyping(false);
  }

  askToForget() {
    const yes = part("button", "danger", { type: "button" }, this.words.yes);
    const no = part("button", "", { type: "button" }, this.words.no);
    yes.addEventListener("click", () => {
      this.keep();
      this.asked.forget();
    });
    no.addEventListener("click", () => this.keep());
    this.choice.replaceChildren(made("p", this.words.sure), yes, no);
    this.choice.hidden = false;
    no.focus();
  }

  keep() {
    this.choice.hidden = true;
    this.input.focus();
  }
}
