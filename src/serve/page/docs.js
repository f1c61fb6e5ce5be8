// Shows the server's OpenAPI description: what can be asked, with what, and what comes back.

/** An element with a class, text and children; text is never read as markup. */
function element(name, { text, className, attributes = {} } = {}, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

/** What a reference stands for. */
function resolve(document, schema) {
  const path = schema?.$ref?.split("/").slice(1);
  return path ? path.reduce((part, name) => part?.[name], document) : schema;
}

/** A schema in a few words. */
function kind(document, schema) {
  const found = resolve(document, schema) ?? {};
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (found.const !== undefined) return JSON.stringify(found.const);
  const several = found.oneOf ?? found.anyOf;
  if (several) return several.map((one) => kind(document, one)).join(" or ");
  if (found.type === "array") return `list of ${kind(document, found.items)}`;
  return [found.type ?? "anything"].flat().join(" or ");
}

/** A table of the fields of a schema, with those of the objects in it. */
function fields(document, schema, title, before = "") {
  const rows = [];
  const add = (object, path) => {
    for (const [name, field] of Object.entries(object.properties ?? {})) {
      const found = resolve(document, field) ?? {};
      const inner = found.type === "array" ? resolve(document, found.items) ?? {} : found;
      const needed = object.required?.includes(name) ? "needed" : "";
      const about = field.description ?? found.description ?? "";
      rows.push([path + name, kind(document, field), needed, about]);
      // Two levels are all there are.
      if (inner.properties && path.length < 60) add(inner, `${path}${name}${found.type === "array" ? "[]" : ""}.`);
    }
  };
  const root = resolve(document, schema) ?? {};
  const inner = root.type === "array" ? resolve(document, root.items) ?? {} : root;
  add(inner, before);
  if (rows.length === 0) return element("p", { text: `${title}: ${kind(document, schema)}` });
  return table(title, ["Field", "Kind", "", "Means"], rows);
}

function table(title, heads, rows) {
  const head = element("tr", {}, ...heads.map((text) => element(text ? "th" : "td", { text, attributes: text ? { scope: "col" } : {} })));
  const body = rows.map((cells) =>
    element("tr", {}, ...cells.map((text, at) => (at === 0 ? element("th", { attributes: { scope: "row" } }, element("code", { text })) : element("td", { text })))),
  );
  const made = element("table", {}, element("caption", { text: title }), element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { className: "scroll", attributes: { role: "region", "aria-label": title, tabindex: "0" } }, made);
}

function route(document, path, method, operation) {
  const id = `${method}${path.replaceAll(/[^a-z0-9]+/gi, "-")}`;
  const name = `${method.toUpperCase()} ${path}`;
  const section = element(
    "section",
    { attributes: { "aria-labelledby": id } },
    element("h2", { attributes: { id } }, element("code", { text: name })),
    element("p", { text: `${operation.summary}.` }),
  );
  if (operation.parameters?.length) {
    const rows = operation.parameters.map((given) => {
      const found = resolve(document, given);
      return [found.name, kind(document, found.schema), found.required ? "needed" : "", found.description ?? ""];
    });
    section.append(table(`Parameters of ${name}`, ["Name", "Kind", "", "Means"], rows));
  }
  for (const [type, { schema }] of Object.entries(operation.requestBody?.content ?? {})) {
    section.append(fields(document, schema, `Body of ${name}, ${type}`));
  }
  const answers = Object.entries(operation.responses);
  for (const [status, answer] of answers.filter(([status]) => status.startsWith("2"))) {
    for (const [type, { schema }] of Object.entries(answer.content ?? {})) {
      section.append(fields(document, schema, `Answer of ${name} with status ${status}, ${type}`));
    }
  }
  const rows = answers.map(([status, { description }]) => [status, description]);
  const details = element("details", {}, element("summary", { text: `Statuses of ${name}` }), table(`Statuses of ${name}`, ["Status", "Means"], rows));
  section.append(details);
  return section;
}

async function show() {
  const status = window.document.getElementById("status");
  try {
    const response = await fetch("openapi.json", { headers: { accept: "application/json" } });
    const description = await response.json();
    window.document.getElementById("about").textContent = `${description.info.title} ${description.info.version}. ${description.info.description}`;
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => route(description, path, method, operation)),
    );
    window.document.getElementById("routes").replaceChildren(...operations);
    status.textContent = `${operations.length} ways to ask.`;
  } catch {
    status.textContent = "The description cannot be loaded. Is the server still running?";
  }
}

show();
