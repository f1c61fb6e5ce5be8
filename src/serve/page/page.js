// The page of `copydesk serve`: asks the server that it came from, and nobody else.

const KEY = "copydesk-key";
const SHOWN_VERDICTS = 50;
const SHOWN_DAYS = 30;
const SHOWN_WORDS = 5;
/** What the server explains at most, in bytes. */
const EXPLAINED_BYTES = 16 * 1024;

const byId = (id) => document.getElementById(id);

/** An element with properties, attributes and children; text is never read as markup. */
function element(name, { text, className, attributes = {} } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

const bytesOf = (text) => new TextEncoder().encode(text).length;
/** What asks for words, where the text is not too long for that. */
const explained = (text) => (bytesOf(text) <= EXPLAINED_BYTES ? { explain: SHOWN_WORDS } : {});

const percent = (share) => `${(share * 100).toFixed(share > 0.001 && share < 0.999 ? 1 : 2)}%`;
const many = (number, one, several) => `${number.toLocaleString()} ${number === 1 ? one : several}`;

// Asking the server

class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** What the server answers. Paths are relative, so that a proxy may put the server below a folder. */
async function ask(path, body) {
  const headers = { accept: "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.authorization = `Bearer ${key}`;
  const request = { headers, cache: "no-store" };
  if (body !== undefined) {
    headers["content-type"] = "application/json";
    request.method = "POST";
    request.body = JSON.stringify(body);
  }
  let response;
  try {
    response = await fetch(path, request);
  } catch {
    throw new Refused(0, "The server does not answer. Is it still running?");
  }
  if (response.status === 401) {
    askForKey(key !== null);
    throw new Refused(401, "Enter a key first.");
  }
  if (response.status === 429) throw new Refused(429, "The server has too much to do. Try again in a moment.");
  const text = await response.text();
  let answer;
  try {
    answer = text ? JSON.parse(text) : {};
  } catch {
    answer = { error: text };
  }
  if (!response.ok) {
    const said = typeof answer.error === "string" ? answer.error : answer.error?.message;
    throw new Refused(response.status, said || `The server answers with status ${response.status}.`);
  }
  return answer;
}

function askForKey(wrong) {
  byId("key").hidden = false;
  byId("key-wrong").textContent = wrong ? "The server does not know this key." : "";
  byId("key-field").focus();
}

byId("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem(KEY, byId("key-field").value.trim());
  byId("key-field").value = "";
  byId("key-wrong").textContent = "";
  byId("key").hidden = true;
  byId("comment-text").focus();
  refresh();
});

/** Runs a job once at a time. The button stays in reach of the keyboard meanwhile. */
async function once(button, job) {
  if (button.getAttribute("aria-disabled") === "true") return;
  button.setAttribute("aria-disabled", "true");
  try {
    await job();
  } finally {
    button.removeAttribute("aria-disabled");
  }
}

function onSubmit(form, job) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    once(form.querySelector("button[type=submit]"), job);
  });
  // As in most programs where Enter begins a new line.
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}

// A comment

onSubmit(byId("comment-form"), async () => {
  const comment = { text: byId("comment-text").value };
  const fields = { author: "comment-author", author_url: "comment-url", author_email: "comment-email", page_title: "comment-page" };
  for (const [field, id] of Object.entries(fields)) {
    const value = byId(id).value.trim();
    if (value) comment[field] = value;
  }
  const place = byId("comment-answer");
  try {
    const [verdict] = (await ask("v1/comments", { comments: [comment], ...explained(comment.text) })).results;
    if (verdict.error) throw new Refused(200, verdict.error.message ?? verdict.error);
    const facts = [`Score ${verdict.spam_score.toFixed(3)}`, verdict.reason, verdict.lang && `language ${verdict.lang}`];
    place.replaceChildren(
      element(
        "div",
        { className: `verdict ${verdict.spam ? "spam" : "genuine"}` },
        element("p", {}, element("strong", { text: verdict.spam ? "Spam" : "Not spam" })),
        element("p", { text: facts.filter(Boolean).join(" · ") }),
        ...(verdict.words?.length ? [marked(comment.text, verdict.words)] : []),
        ...weights(verdict.words, "The text’s spam score"),
      ),
    );
    await Promise.all([showVerdicts(), showCounts()]);
  } catch (error) {
    place.replaceChildren(element("div", { className: "failed" }, element("p", { text: error.message })));
  }
});

// A text

/** Gives slices of a text by the positions of its UTF-8 bytes. */
function slicer(text) {
  const bytes = new TextEncoder().encode(text);
  const decoder = new TextDecoder();
  return (start, end) => decoder.decode(bytes.subarray(start, end));
}

const name = (label) => label.replaceAll("_", " ");

/** The text with the words that mattered marked, where the server names them. */
function marked(text, words) {
  const shown = element("p");
  const cut = slicer(text);
  let done = 0;
  for (const word of [...(words ?? [])].sort((a, b) => a.start - b.start)) {
    if (word.start < done) continue;
    shown.append(cut(done, word.start), element("mark", { text: cut(word.start, word.end) }));
    done = word.end;
  }
  shown.append(cut(done));
  return shown;
}

/** The words that mattered with their weights, for everybody: marks alone are not read out. */
function weights(words, what) {
  if (!words) return [];
  const each = words.map(({ word, weight }) => `${word} ${weight < 0.001 ? "less than 0.1%" : percent(weight)}`);
  const text = each.length ? `${what} falls without: ${each.join(" · ")}` : `${what} rests on no word alone.`;
  return [element("p", { className: "faint weights", text })];
}

function paragraph({ label, confidence, scores, words }, text) {
  const known = /^[a-z_]+$/.test(label) ? label : "";
  const rows = Object.entries(scores ?? {})
    .sort((a, b) => b[1] - a[1])
    .map(([other, score]) =>
      element(
        "tr",
        {},
        element("th", { text: name(other), attributes: { scope: "row" } }),
        element("td", { text: percent(score), className: "number" }),
      ),
    );
  const head = element("tr", {});
  for (const title of ["Label", "Score"]) head.append(element("th", { text: title, attributes: { scope: "col" } }));
  return element(
    "li",
    { className: `paragraph ${known}` },
    element("span", { className: "tag", text: `${name(label)} ${percent(confidence)}` }),
    marked(text, words),
    ...weights(words, "The score"),
    element(
      "details",
      {},
      element("summary", { text: "All scores" }),
      element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows)),
    ),
  );
}

onSubmit(byId("text-form"), async () => {
  const text = byId("text-text").value;
  const [status, list] = [byId("text-status"), byId("text-answer")];
  try {
    const { paragraphs } = await ask("v1/label", { text, ...explained(text) });
    const cut = slicer(text);
    list.replaceChildren(...paragraphs.map((found) => paragraph(found, found.text ?? cut(found.start, found.end))));
    list.hidden = paragraphs.length === 0;
    const numbers = new Map();
    for (const { label } of paragraphs) numbers.set(label, (numbers.get(label) ?? 0) + 1);
    const each = [...numbers].map(([label, number]) => `${number} ${name(label)}`).join(", ");
    status.textContent = paragraphs.length ? `${many(paragraphs.length, "paragraph", "paragraphs")}: ${each}` : "There is no paragraph.";
  } catch (error) {
    list.hidden = true;
    status.textContent = error.message;
  }
});

// Recent verdicts

function when(time) {
  const date = new Date(typeof time === "number" ? time * 1000 : time);
  if (Number.isNaN(date.getTime())) return element("span", { text: String(time) });
  const text = date.toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" });
  return element("time", { text, attributes: { datetime: date.toISOString() } });
}

function cell(...children) {
  return element("td", { attributes: { role: "cell" } }, ...children);
}

function verdictRow(verdict) {
  const author = verdict.author || "no name";
  const buttons = [
    [true, "Spam"],
    [false, "Not spam"],
  ].map(([spam, text]) => {
    const pressed = { "aria-pressed": String(verdict.feedback === spam), type: "button" };
    const button = element("button", { attributes: pressed }, text, element("span", { className: "unseen", text: `: the comment by ${author}` }));
    button.addEventListener("click", () => once(button, () => mark(verdict, spam, buttons)));
    return button;
  });
  const score = element("span", { text: ` ${verdict.spam_score.toFixed(3)}`, className: "faint" });
  const tag = element("span", { className: `tag ${verdict.spam ? "spam" : "genuine"}`, text: verdict.spam ? "spam" : "not spam" });
  return element(
    "tr",
    { attributes: { role: "row" } },
    cell(when(verdict.time)),
    cell(element("p", { className: "faint", text: author }), element("p", { className: "comment-text", text: verdict.text })),
    cell(element("p", {}, tag, score), element("p", { text: verdict.reason })),
    cell(element("div", { className: "says" }, ...buttons)),
  );
}

async function mark(verdict, spam, buttons) {
  const status = byId("recent-status");
  try {
    await ask("v1/feedback", { id: verdict.id, spam });
    verdict.feedback = spam;
    buttons.forEach((button, index) => button.setAttribute("aria-pressed", String((index === 0) === spam)));
    status.textContent = `Marked as ${spam ? "spam" : "not spam"}. It counts from the next comment on.`;
    await showCounts();
  } catch (error) {
    status.textContent = error.message;
  }
}

let verdicts = [];

function showRows() {
  const which = byId("recent-which").value;
  const shown = verdicts.filter(({ spam }) => !which || spam === (which === "spam"));
  byId("recent-rows").replaceChildren(...shown.map(verdictRow));
  byId("recent-table").hidden = shown.length === 0;
  return shown.length;
}

async function showVerdicts() {
  const status = byId("recent-status");
  try {
    ({ verdicts } = await ask(`v1/verdicts?limit=${SHOWN_VERDICTS}`));
    status.textContent = showRows() ? "" : "There are none yet.";
  } catch (error) {
    byId("recent-table").hidden = true;
    status.textContent = error.status === 404 ? "This server keeps no verdicts." : error.message;
  }
}

byId("recent-which").addEventListener("change", () => {
  byId("recent-status").textContent = `${many(showRows(), "verdict", "verdicts")} shown`;
});
byId("recent-again").addEventListener("click", () =>
  once(byId("recent-again"), async () => {
    await showVerdicts();
    if (verdicts.length) byId("recent-status").textContent = `${many(verdicts.length, "verdict", "verdicts")}, the newest first`;
    await showCounts();
  }),
);

// Counts

function svg(name, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  made.append(...children);
  return made;
}

/** The least of 1, 2, 5, 10, 20, … that is not below a number. */
function roundUp(number) {
  const power = 10 ** Math.floor(Math.log10(Math.max(number, 1)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((round) => round >= number);
}

/** One column a day, spam with stripes above the rest. */
function chart(days, width) {
  const [height, left, bottom, top] = [200, 56, 24, 8];
  const most = roundUp(Math.max(...days.map(({ genuine, spam }) => genuine + spam)));
  const room = height - bottom - top;
  const scale = (number) => (number / most) * room;
  const step = (width - left) / Math.max(days.length, 7);
  const total = (field) => days.reduce((sum, day) => sum + day[field], 0);
  const label = `${many(total("genuine"), "comment", "comments")} not spam and ${total("spam").toLocaleString()} spam, ${days[0].day} to ${days.at(-1).day}`;
  const drawn = svg("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  drawn.append(
    svg(
      "defs",
      {},
      svg(
        "pattern",
        { id: "stripes", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
        svg("rect", { class: "spam", width: 6, height: 6 }),
        svg("line", { class: "stripe", x1: 0, y1: 0, x2: 0, y2: 6 }),
      ),
    ),
  );
  for (const part of [0, most / 2, most]) {
    if (!Number.isInteger(part)) continue;
    const y = height - bottom - scale(part);
    drawn.append(svg("line", { class: "axis", x1: left, x2: width, y1: y, y2: y, "stroke-opacity": part ? 0.4 : 1 }));
    drawn.append(svg("text", { x: left - 6, y: y + 4, "text-anchor": "end" }, part.toLocaleString()));
  }
  days.forEach(({ day, genuine, spam }, index) => {
    const x = left + index * step + step * 0.15;
    const column = { x, width: step * 0.7 };
    const base = height - bottom - scale(genuine);
    drawn.append(svg("rect", { ...column, class: "genuine", y: base, height: scale(genuine) }));
    // A fill in a style sheet would win over the pattern.
    drawn.append(svg("rect", { ...column, fill: "url(#stripes)", y: base - scale(spam), height: scale(spam) }));
    if (index === 0 || (index === days.length - 1 && index > 2)) {
      const anchor = index === 0 ? "start" : "end";
      drawn.append(svg("text", { x: index === 0 ? x : x + step * 0.7, y: height - 6, "text-anchor": anchor }, day));
    }
  });
  return drawn;
}

let counted = [];

/** As wide as there is room, so that its letters keep their size. */
function drawChart() {
  const place = byId("counts-chart");
  if (counted.length && place.clientWidth) place.replaceChildren(chart(counted, place.clientWidth));
}

new ResizeObserver(drawChart).observe(byId("counts-chart"));

async function showCounts() {
  const [status, figure, details] = [byId("counts-status"), byId("counts-figure"), byId("counts-details")];
  try {
    const days = (await ask("v1/counts")).days.slice(-SHOWN_DAYS);
    const any = days.length > 0;
    figure.hidden = details.hidden = !any;
    status.textContent = any ? "" : "Nothing was counted yet.";
    if (!any) return;
    counted = days;
    drawChart();
    const fields = ["genuine", "spam", "marked_spam", "marked_genuine"];
    const rows = [...days].reverse().map((day) => {
      const numbers = fields.map((field) => element("td", { className: "number", text: day[field].toLocaleString() }));
      return element("tr", {}, element("th", { text: day.day, attributes: { scope: "row" } }), ...numbers);
    });
    byId("counts-rows").replaceChildren(...rows);
  } catch (error) {
    figure.hidden = details.hidden = true;
    status.textContent = error.status === 404 ? "This server keeps no counts." : error.message;
  }
}

async function refresh() {
  // One after the other, so that a server that wants a key is asked once.
  await showVerdicts();
  await showCounts();
}

refresh();
