// Markdown as elements, never as HTML: whatever a text holds, it can only become these.
const OPTION = /^[ \t]*(?:[-*+•][ \t]+|\d{1,2}[.)][ \t]+)?\[([^[\]\n]{1,200})\]\(reply:\)[ \t]*$/;
const INLINE = new RegExp(
  [
    "(?<code>`+)(?<coded>[^]*?[^`])\\k<code>(?!`)",
    "!?\\[(?<label>[^\\[\\]\\n]{0,500})\\]\\((?<target>[^()\\s]{1,2000}(?:\\([^()\\s]*\\))?)\\)",
    "\\*\\*(?<strong>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*\\*",
    "(?<![\\w*])\\*(?<em>[^\\s*](?:[^*\\n]*[^\\s*])?)\\*(?![\\w*])",
    "(?<![\\w_])_(?<em2>[^\\s_](?:[^_\\n]*[^\\s_])?)_(?![\\w_])",
    "~~(?<gone>[^\\s~](?:[^~\\n]*[^\\s~])?)~~",
    "\\bhttps?:\\/\\/[^\\s<>\"'`]+[^\\s<>\"'`.,;:!?)\\]}]",
  ].join("|"),
  "g",
);
const ITEM = /^\s{0,3}(?:[-*+•]|(\d{1,9})[.)])\s+(.*)$/;
const SAFE = new Set(["http:", "https:", "mailto:"]);

// Options stand at the end, one in a line (f/channels/options.py).
function withoutOptions(text) {
  const lines = text.replace(/\s+$/, "").split("\n");
  const options = [];
  while (lines.length && OPTION.test(lines.at(-1))) options.unshift(lines.pop().match(OPTION)[1]);
  return { text: lines.join("\n"), options: options.slice(0, 10) };
}

function made(tag, ...children) {
  const element = document.createElement(tag);
  element.append(...children);
  return element;
}

function renderMarkdown(text) {
  const found = document.createDocumentFragment();
  const lines = text.split("\n");
  while (lines.length) found.append(...nextBlock(lines));
  return found;
}

function nextBlock(lines) {
  const line = lines.shift();
  if (/^\s*$/.test(line)) return [];
  const fence = line.match(/^\s*(`{3,}|~{3,})/);
  if (fence) {
    const code = [];
    while (lines.length && !lines[0].trim().startsWith(fence[1])) code.push(lines.shift());
    lines.shift();
    return [made("pre", made("code", code.join("\n")))];
  }
  const heading = line.match(/^#{1,6}\s+(.*)$/);
  if (heading) return [made("p", made("strong", ...inline(heading[1])))];
  if (/^\s*(?:[-*_]\s*){3,}$/.test(line)) return [made("hr")];
  if (ITEM.test(line)) return [list(line, lines)];
  if (/^\s*>/.test(line)) return [made("blockquote", ...inline(line.replace(/^\s*>\s?/, "")))];
  if (/^\s*\|.*\|\s*$/.test(line)) return [table(line, lines)];
  const paragraph = [line];
  while (lines.length && !startsBlock(lines[0])) paragraph.push(lines.shift());
  return [made("p", ...inline(paragraph.join("\n")))];
}

function startsBlock(line) {
  return /^\s*$|^\s*(`{3,}|~{3,})|^#{1,6}\s|^\s*>|^\s*\|.*\|\s*$/.test(line) || ITEM.test(line);
}

function list(first, lines) {
  const start = first.match(ITEM)[1];
  const element = document.createElement(start ? "ol" : "ul");
  if (start) element.start = Number(start);
  let line = first;
  for (;;) {
    element.append(made("li", ...inline(line.match(ITEM)[2])));
    if (!lines.length || !ITEM.test(lines[0]) || Boolean(lines[0].match(ITEM)[1]) !== Boolean(start)) break;
    line = lines.shift();
  }
  return element;
}

function table(first, lines) {
  const rows = [first];
  while (lines.length && /^\s*\|.*\|\s*$/.test(lines[0])) rows.push(lines.shift());
  const cells = rows.filter((row) => !/^[\s|:-]+$/.test(row)).map((row) => row.trim().slice(1, -1).split("|"));
  const body = cells.map((row, at) =>
    made("tr", ...row.map((cell) => made(at ? "td" : "th", ...inline(cell.trim())))));
  return made("div", made("table", made("tbody", ...body)));
}

function inline(text) {
  const found = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    found.push(...lineBreaks(text.slice(end, match.index)), styled(match));
    end = match.index + match[0].length;
  }
  return [...found, ...lineBreaks(text.slice(end))];
}

function styled(match) {
  const { coded, label, target, strong, em, em2, gone } = match.groups;
  if (coded !== undefined) return made("code", coded);
  if (target !== undefined) return link(target, label || target, match[0]);
  if (strong !== undefined) return made("strong", ...inline(strong));
  if (em ?? em2) return made("em", ...inline(em ?? em2));
  if (gone !== undefined) return made("s", ...inline(gone));
  return link(match[0], match[0], match[0]);
}

// A picture would tell its server what the text around it says: it becomes a link too.
function link(target, label, written) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return document.createTextNode(written);
  }
  if (!SAFE.has(url.protocol)) return document.createTextNode(written);
  const element = made("a", label);
  element.href = url.href;
  element.target = "_blank";
  element.rel = "noopener nofollow noreferrer";
  return element;
}

function lineBreaks(text) {
  return text.split("\n").flatMap((line, at) => (at ? [document.createElement("br"), line] : [line]));
}
