// Talks to the server: one session, a stream or long polls, and messages that are sent until they
// are taken, always under the same id.
const LONGEST_PAUSE_MS = 30000;

// `token`: of the session that asked; another may have taken its place by now.
class Refused extends Error {
  constructor(status, code, message, retryAfter, token) {
    super(message);
    Object.assign(this, { status, code, retryAfter, token });
  }
  get isForGood() {
    return this.status >= 400 && this.status < 500 && this.status !== 429 && this.status !== 408;
  }
  get isOfSession() {
    return this.code === "session_token_invalid" || this.code === "session_expired";
  }
}

// Where the browser keeps nothing for us, the chat lasts as long as the page.
class Store {
  constructor(key) {
    this.key = `chatmill:${key}`;
    this.value = this.kept() || {};
  }
  kept() {
    try {
      return JSON.parse(localStorage.getItem(this.key));
    } catch {
      return null;
    }
  }
  // A chat that the same visitor began in another tab meanwhile is this one's, too: every tab keeps
  // the one it begins at once, so what is kept is the newest.
  refresh(owner) {
    const kept = this.kept();
    if (kept?.session && (kept.owner ?? "") === owner) this.value = { ...this.value, session: kept.session };
  }
  set(changes) {
    this.value = { ...this.value, ...changes };
    try {
      localStorage.setItem(this.key, JSON.stringify(this.value));
    } catch {
      this.drop(); // private browsing, or no room: nothing older may stand for the newest
    }
  }
  clear() {
    this.value = {};
    this.drop();
  }
  drop() {
    try {
      localStorage.removeItem(this.key);
    } catch { /* nothing was kept */ }
  }
}

// crypto.randomUUID is missing on plain http outside of localhost.
function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

const paused = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Only to tell one visitor from another; who they are, the server checks.
function ownerOf(identity) {
  if (!identity?.token) return identity?.identifier ?? "";
  try {
    const claims = identity.token.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    return String(JSON.parse(atob(claims)).sub);
  } catch {
    return identity.token;
  }
}

class Connection {
  // `heard` is told of lines, states and sends: line(line), status(state), sent(id, problem),
  // online(isOnline), restarted().
  constructor(server, key, options, heard) {
    this.base = `${server}/api/web/${encodeURIComponent(key)}`;
    Object.assign(this, { options, heard, store: new Store(key), seen: 0, sleepers: new Set() });
    // Who logs in, logs out or shares the computer must not find somebody else's chat.
    const owner = ownerOf(options.identity);
    if ((this.store.value.owner ?? "") !== owner) this.store.clear();
    this.owner = owner;
    this.outbox = this.store.value.outbox || [];
    addEventListener("online", () => this.wake());
    // Browsers give a server six connections, whatever number of tabs is open.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.stop() : this.listen()));
  }

  get session() {
    return this.store.value.session;
  }

  async call(method, path, { body, headers = {}, signal } = {}) {
    const token = this.session?.token;
    if (token) headers["X-Session-Token"] = token;
    const answer = await fetch(this.base + path, { method, body, headers, signal, credentials: "omit" });
    if (answer.ok) return answer;
    const told = await answer.json().catch(() => ({}));
    const { code = "", message = String(answer.status) } = told.error || {};
    throw new Refused(answer.status, code, message, Number(answer.headers.get("Retry-After")) || 0, token);
  }

  async facts() {
    return (await this.call("GET", "")).json();
  }

  // Once, also where a file and a message are the first.
  async start() {
    if (this.session) return;
    this.starting ??= this.begin().finally(() => (this.starting = undefined));
    await this.starting;
  }

  async begin() {
    this.store.refresh(this.owner);
    if (this.session) return;
    const { language, identity } = this.options;
    const body = JSON.stringify({ language, ...(identity && { identity }) });
    const found = await (await this.call("POST", "/sessions", { body })).json();
    this.store.set({ session: { id: found.session_id, token: found.session_token }, owner: this.owner });
  }

  path(rest) {
    return `/sessions/${this.session.id}/${rest}`;
  }

  post(message) {
    const waiting = { client_message_id: newId(), ...message };
    this.outbox.push(waiting);
    this.keepOutbox();
    this.flush();
    return waiting.client_message_id;
  }

  // Never with a session over it that another tab has left behind.
  keepOutbox() {
    const before = this.session?.token;
    this.store.refresh(this.owner);
    if (before && this.session.token !== before) this.follow();
    this.store.set({ outbox: this.outbox, owner: this.owner });
  }

  // One at a time, in the order in which they were written.
  async flush() {
    if (this.isFlushing) return;
    this.isFlushing = true;
    for (let tries = 0; this.outbox.length; ) {
      const message = this.outbox[0];
      try {
        await this.start();
        this.listen();
        await this.call("POST", this.path("messages"), { body: JSON.stringify(message) });
        tries = 0;
        this.settled(message, null);
      } catch (error) {
        if (error.isOfSession) this.restart(error.token);
        else if (error.isForGood) this.settled(message, error.message);
        else await this.pause(tries++, error, message);
      }
    }
    this.isFlushing = false;
  }

  settled(message, problem) {
    this.outbox = this.outbox.filter((each) => each !== message);
    this.keepOutbox();
    this.heard.sent(message.client_message_id, problem);
  }

  // After the session of that token, which the server does not know any more.
  restart(token) {
    if (this.session?.token !== token) return; // another has followed it
    this.store.refresh(this.owner);
    if (this.session?.token === token) this.store.set({ session: undefined });
    this.follow();
  }

  // What was heard was of the session before.
  follow() {
    this.stop();
    this.seen = 0;
    this.heard.restarted();
    this.listen();
  }

  async pause(tries, error, message) {
    const isAway = !(error instanceof Refused);
    this.heard.online(!isAway);
    if (message) this.heard.waiting(message.client_message_id);
    const ms = error.retryAfter ? error.retryAfter * 1000 : Math.min(1000 * 2 ** tries, LONGEST_PAUSE_MS);
    let wake;
    const woken = new Promise((resolve) => this.sleepers.add((wake = resolve)));
    await Promise.race([paused(ms * (0.8 + Math.random() * 0.4)), woken]);
    this.sleepers.delete(wake);
  }

  wake() {
    this.sleepers.forEach((wake) => wake());
    this.sleepers.clear();
  }

  async upload(file) {
    await this.start();
    const headers = { "X-File-Name": encodeURIComponent(file.name), "Content-Type": "application/octet-stream" };
    return (await this.call("POST", this.path("uploads"), { body: file, headers })).json();
  }

  async forget() {
    this.stop();
    if (this.session) {
      await this.call("DELETE", `/sessions/${this.session.id}`).catch((error) => {
        if (!error.isOfSession) throw error;
      });
    }
    this.outbox = [];
    this.seen = 0;
    this.store.clear();
  }

  stop() {
    this.run?.abort.abort();
    this.run = undefined;
    this.wake();
  }

  // Reads for as long as the page is there: a stream, or long polls where a proxy holds it back.
  // What failed is followed by the other. Who was stopped while it slept finds another at work.
  async listen() {
    if (this.run || !this.session || document.hidden) return;
    const run = (this.run = {});
    for (let tries = 0, streams = true; this.run === run && this.session; ) {
      run.abort = new AbortController();
      try {
        if (streams) await this.stream(run.abort);
        else await this.poll(run.abort);
        tries = 0;
      } catch (error) {
        if (this.run !== run) return;
        if (error.isOfSession) {
          this.run = undefined;
          return this.ended(error.token);
        }
        streams = !streams;
        await this.pause(tries++, error);
      }
    }
    if (this.run === run) this.run = undefined;
  }

  ended(token = this.session?.token) {
    this.restart(token);
    this.listen();
  }

  async stream(abort) {
    const headers = { "Last-Event-ID": String(this.seen), Accept: "text/event-stream" };
    const answer = await this.call("GET", this.path("events"), { headers, signal: abort.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    // The server begins at once and says something every fifteen seconds.
    for (let patience = 6000; ; patience = 45000) {
      const { value, done } = await this.within(patience, reader.read(), abort);
      if (done) return paused(500 + Math.random() * 1000);
      this.heard.online(true);
      const events = (rest + value).split("\n\n");
      rest = events.pop();
      events.forEach((event) => this.happened(event));
    }
  }

  async within(ms, promise, abort) {
    const timer = setTimeout(() => abort.abort(), ms);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
    }
  }

  happened(event) {
    const fields = Object.fromEntries(event.split("\n").map((line) => line.split(/: (.*)/s, 2)));
    if (!fields.data) return;
    const content = JSON.parse(fields.data);
    if (fields.event === "message") this.line(content);
    else this.heard.status(content);
  }

  async poll(abort) {
    const path = this.path(`messages?wait=25&since=${this.seen}`);
    const answer = await this.call("GET", path, { signal: abort.signal });
    const found = await answer.json();
    this.heard.online(true);
    const speaker = found.session_status === "human" ? "teammate" : "chatbot";
    const at = found.messages.findIndex((line) => line.author === speaker);
    const before = at < 0 ? found.messages.length : at;
    found.messages.slice(0, before).forEach((line) => this.line(line));
    this.heard.status(found);
    found.messages.slice(before).forEach((line) => this.line(line));
  }

  line(line) {
    if (line.number <= this.seen) return;
    this.seen = line.number;
    this.heard.line(line);
  }
}
