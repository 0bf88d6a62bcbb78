// What the pages do beyond HTML: live lists, and handing in a file with progress. Texts come from the page.
"use strict";

const numbers = new Intl.NumberFormat(document.documentElement.lang);
const tenths = new Intl.NumberFormat(document.documentElement.lang, { maximumFractionDigits: 1 });
const csrf = document.querySelector("meta[name=csrf-token]")?.content ?? "";

/** Puts values into the {places} of a text. */
function fill(text, values) {
  return text.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

/** So many seconds in words, of many of them in minutes. */
function lasting(seconds, round) {
  const unit = seconds < 90 ? "second" : "minute";
  const time = new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" });
  return time.format(unit === "second" ? seconds : round(seconds / 60));
}

// ---- Live lists --------------------------------------------------------------------------------------------------

/** Follows events and fetches a list anew, never more than about once a second, without moving the reader. */
class LiveList {
  constructor(region) {
    this.region = region;
    this.interrupted = document.querySelector("[data-interrupted]");
    this.note = document.querySelector("[data-note]");
    this.arrived = 0;
    this.ended = false;
    this.missed = false;
    this.delay = 1000;
    // A hidden page holds no connection: browsers allow few of them at a time.
    document.addEventListener("visibilitychange", () => (document.hidden ? this.close() : this.open(true)));
    window.addEventListener("pagehide", () => this.close());
    if (!document.hidden) this.open(false);
  }

  open(missed) {
    if (this.source || this.ended) return;
    clearTimeout(this.retry);
    this.missed ||= missed;
    // The first stream begins where the page stands; after a later one stands, the list is fetched anew.
    const [live, since] = this.region.dataset.live.split("?");
    const isFirst = since && !this.missed;
    const source = new EventSource(isFirst ? `${live}?${since}` : live);
    this.source = source;
    source.onopen = () => {
      this.delay = 1000;
      this.interrupted?.setAttribute("hidden", "");
      if (this.missed) this.wanted();
      this.missed = false;
    };
    source.onerror = () => {
      if (this.ended || this.source !== source) return;
      this.missed = true;
      this.interrupted?.removeAttribute("hidden");
      if (isFirst || source.readyState === EventSource.CLOSED) {
        // The browser has given up (signed out, or the platform is away): it is asked again, more and more slowly. By itself
        // it would resume the first stream from where the page stood, however long ago that is.
        this.close();
        this.retry = setTimeout(() => this.open(true), this.delay);
        this.delay = Math.min(this.delay * 2, 30000);
        this.wanted();
      }
    };
    for (const name of this.region.dataset.events.split(" ")) {
      source.addEventListener(name, (event) => this.told(JSON.parse(event.data)));
    }
  }

  close() {
    this.source?.close();
    this.source = undefined;
  }

  told(data) {
    this.arrived += data.arrived ?? 0;
    if (data.state && data.state !== "running") {
      this.ended = true;
      this.close();
    }
    this.wanted();
  }

  wanted() {
    if (this.busy || this.timer) {
      this.again = true;
      return;
    }
    const since = Date.now() - (this.fetched ?? 0);
    this.timer = setTimeout(() => this.fetch(), Math.max(50, 900 - since));
  }

  async fetch() {
    this.timer = undefined;
    this.busy = true;
    this.again = false;
    this.region.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(location.href, { headers: { "X-Fragment": "list" }, cache: "no-store" });
      if (answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      this.replace(await answer.text());
      if (this.source?.readyState === EventSource.OPEN || this.ended) this.interrupted?.setAttribute("hidden", "");
    } catch (error) {
      this.interrupted?.removeAttribute("hidden");
      this.ended = false;
      this.missed = true;
      if (!this.source && !document.hidden) this.retry = setTimeout(() => this.open(true), this.delay);
    } finally {
      this.fetched = Date.now();
      this.busy = false;
      this.region.removeAttribute("aria-busy");
      if (this.again) this.wanted();
    }
  }

  replace(html) {
    const keys = () => [...this.region.querySelectorAll("[data-key]")];
    const known = new Set(keys().map((row) => row.dataset.key));
    const focused = this.region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    const scroll = window.scrollY;
    const ticked = new Set([...this.region.querySelectorAll("input[name=serials]:checked")].map((box) => box.value));
    const parsed = new DOMParser().parseFromString(html, "text/html");
    this.region.replaceChildren(...parsed.body.childNodes);
    for (const box of this.region.querySelectorAll("input[name=serials]")) box.checked = ticked.has(box.value);
    window.scrollTo({ top: scroll, behavior: "instant" });
    if (focused) this.region.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
    if (this.arrived > 0 && this.note) {
      const text = this.arrived === 1 ? this.region.dataset.one : this.region.dataset.other;
      this.note.textContent = fill(text, { count: numbers.format(this.arrived) });
      this.note.hidden = false;
      for (const row of keys()) if (!known.has(row.dataset.key)) row.classList.add("fresh");
    }
  }
}

for (const region of document.querySelectorAll("[data-live]")) new LiveList(region);

// ---- Small helps -------------------------------------------------------------------------------------------------

// A box in a table's head ticks all boxes of its table.
document.addEventListener("change", (event) => {
  const all = event.target.closest?.("[data-all]");
  if (!all) return;
  for (const box of all.closest("table").querySelectorAll(`input[name=${all.dataset.all}]`)) box.checked = all.checked;
});

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent.trim());
    button.textContent = button.dataset.copied;
  });
}

// What is done in one step has no progress to show: how long it has taken by the platform's clock is counted on here.
function count() {
  for (const place of document.querySelectorAll("[data-elapsed]")) {
    place.seen ??= performance.now();
    const seconds = Number(place.dataset.elapsed) + Math.floor((performance.now() - place.seen) / 1000);
    place.textContent = fill(place.dataset.counted, { time: lasting(seconds, Math.floor) });
  }
}
count();
setInterval(count, 1000);

// A chosen file is read into a text field, where it can be looked at before it is sent.
for (const input of document.querySelectorAll("[data-into]")) {
  input.addEventListener("change", async () => {
    if (input.files[0]) document.getElementById(input.dataset.into).value = await input.files[0].text();
  });
}

// A file that is dropped beside a field for files is let go: the browser would leave the page and open it.
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    if (!event.dataTransfer?.types.includes("Files") || event.target.closest?.(".drop, input[type=file]")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "none";
  });
}

/** The menu of customers at the top left: found by the platform while one types. */
class CustomerMenu {
  constructor(menu) {
    this.menu = menu;
    this.input = menu.querySelector("input");
    this.list = menu.querySelector("ul");
    menu.addEventListener("toggle", () => menu.open && this.look());
    this.input.addEventListener("input", () => {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.look(), 200);
    });
  }

  async look() {
    this.input.focus();
    const asked = this.input.value;
    // Without an answer, as on a page that is being left, the list stays as it is.
    const items = await fetch(`/api/v1/customers?limit=20&q=${encodeURIComponent(asked)}`)
      .then(async (answer) => (answer.ok ? (await answer.json()).items : undefined))
      .catch(() => undefined);
    if (!items || asked !== this.input.value) return;
    const rows = items.map((customer) => {
      const link = document.createElement("a");
      link.href = `/customers/${customer.id}`;
      link.textContent = customer.name;
      return link;
    });
    if (!rows.length) {
      const none = document.createElement("span");
      none.className = "quiet";
      none.textContent = this.menu.dataset.customers;
      rows.push(none);
    }
    this.list.replaceChildren(...rows.map((row) => {
      const item = document.createElement("li");
      item.append(row);
      return item;
    }));
  }
}

for (const menu of document.querySelectorAll("[data-customers]")) new CustomerMenu(menu);

// ---- Handing in a file -------------------------------------------------------------------------------------------

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

class Upload {
  constructor(form) {
    this.form = form;
    this.input = form.querySelector("input[type=file]");
    this.chosen = form.querySelector("[data-chosen]");
    this.button = form.querySelector("button");
    this.running = form.querySelector("[data-running]");
    this.step = form.querySelector("[data-step]");
    this.bar = form.querySelector("progress");
    this.refused = form.querySelector("[data-refused]");
    const drop = form.querySelector(".drop");
    this.input.addEventListener("change", () => this.choose(this.input.files[0]));
    for (const name of ["dragenter", "dragover"]) {
      drop.addEventListener(name, (event) => {
        event.preventDefault();
        drop.classList.add("over");
      });
    }
    for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
    drop.addEventListener("drop", (event) => {
      event.preventDefault();
      if (!this.input.disabled) this.choose(event.dataTransfer.files[0]);
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.file) this.send();
    });
    this.choose(this.input.files[0]);
  }

  choose(file) {
    if (file) this.file = file;
    if (!this.file) return;
    const units = [[1e6, "MB"], [1e3, "kB"], [1, "B"]];
    const [unit, name] = units.find(([bytes]) => this.file.size >= bytes) ?? [1, "B"];
    const size = `${tenths.format(this.file.size / unit)} ${name}`;
    this.chosen.textContent = `${this.file.name} · ${size}`;
    this.button.disabled = false;
    this.refused.hidden = true;
  }

  /** The type of a message by its beginning, since what it is called says little; of a workbook by its name. */
  async kind() {
    if (/\.xlsx$/i.test(this.file.name)) return XLSX;
    const head = (await this.file.slice(0, 64).text()).trimStart();
    if (/^ISA[^A-Za-z0-9]/.test(head)) return "application/edi-x12";
    return /^UN(A[^A-Za-z0-9]|B[+\x1d])/.test(head) ? "application/edifact" : "text/csv";
  }

  async send() {
    const query = new URLSearchParams({ lang: document.documentElement.lang });
    const reporter = this.form.querySelector("#reporter")?.value;
    if (reporter) query.set("reporter", reporter);
    if (this.form.querySelector("#validate-only").checked) query.set("validate_only", "true");
    this.lock(true);
    this.refused.hidden = true;
    this.running.hidden = false;
    this.show(fill(this.form.dataset.sending, { percent: "0 %" }), 0, 1);

    const kind = await this.kind().catch(() => "text/csv");
    const request = new XMLHttpRequest();
    request.open("POST", `/api/v1/sell-through-reports?${query}`);
    request.setRequestHeader("Content-Type", kind);
    request.setRequestHeader("X-File-Name", encodeURIComponent(this.file.name));
    request.setRequestHeader("X-CSRF-Token", csrf);
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return;
      const percent = `${Math.floor((100 * event.loaded) / event.total)} %`;
      this.show(fill(this.form.dataset.sending, { percent }), event.loaded, event.total);
      this.pace(event.loaded, event.total, (rate) => `${tenths.format(rate / 1e6)} MB`);
    };
    request.upload.onload = () => this.show(this.form.dataset.keeping);
    request.onload = () => this.answered(request);
    request.onerror = request.onabort = () => this.refuse(this.form.dataset.broken, this.form.dataset.brokenAdvice);
    request.send(this.file);
  }

  /** How fast it goes and how long it will take, from what came in the last seconds. */
  pace(value, max, format) {
    const now = performance.now();
    if (!this.marks || value < this.marks.at(-1).value) this.marks = [];
    this.marks.push({ now, value });
    while (this.marks.length > 2 && now - this.marks[0].now > 5000) this.marks.shift();
    const [first] = this.marks;
    const rate = ((value - first.value) / (now - first.now)) * 1000;
    if (!(rate > 0) || now - first.now < 500) return;
    const seconds = Math.ceil((max - value) / rate);
    const left = lasting(seconds, Math.ceil);
    this.form.querySelector("[data-pace]").textContent = fill(this.form.dataset.rate, { rate: format(rate), time: left });
  }

  answered(request) {
    let body;
    try {
      body = JSON.parse(request.responseText);
    } catch {
      return this.refuse(this.form.dataset.broken, this.form.dataset.brokenAdvice);
    }
    if (request.status === 401) return location.reload();
    if (request.status !== 202) return this.refuse(body.title, body.detail, body.headers);
    this.show(this.form.dataset.waiting);
    this.follow(body.operation.id, `/reports/${body.report.id}`);
  }

  /** Shows how far the lines are judged, then the report. */
  follow(operation, report) {
    const source = new EventSource(`/api/v1/operations/${operation}/events`);
    source.addEventListener("progress", (event) => {
      const { state, done, total } = JSON.parse(event.data);
      const values = { done: numbers.format(done), total: numbers.format(total) };
      if (done > 0) this.show(fill(this.form.dataset.judging, values), done, total);
      this.pace(done, total, (rate) => numbers.format(Math.round(rate)));
      if (state !== "running") {
        source.close();
        location.assign(report);
      }
    });
    // The report's own page goes on where this one cannot.
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) location.assign(report);
    };
  }

  show(text, value, max) {
    // Said aloud only when the step changes, not with each number.
    if (this.step.textContent !== text) this.step.textContent = text;
    if (value === undefined) {
      this.bar.removeAttribute("value");
    } else {
      this.bar.max = max;
      this.bar.value = value;
    }
  }

  refuse(title, detail, headers) {
    this.lock(false);
    // A file whose columns are not known: they can be named once.
    const columns = this.refused.querySelector("[data-columns]");
    columns.hidden = !headers;
    const query = new URLSearchParams((headers ?? []).filter((header) => header.trim()).map((header) => ["h", header]));
    const reporter = this.form.querySelector("#reporter")?.value;
    if (reporter) query.set("reporter", reporter);
    columns.querySelector("a").href = `/reports/columns?${query}`;
    this.running.hidden = true;
    this.refused.querySelector("[data-title]").textContent = title ?? "";
    this.refused.querySelector("[data-detail]").textContent = detail ?? "";
    this.refused.hidden = false;
    // The same file may be chosen again once it was mended.
    this.input.value = "";
  }

  lock(on) {
    for (const control of this.form.elements) control.disabled = on;
  }
}

const upload = document.getElementById("upload");
if (upload) new Upload(upload);

// A file chosen beside a text area is read into it.
for (const field of document.querySelectorAll("[data-file-into]")) {
  field.hidden = false;
  const target = document.getElementById(field.dataset.fileInto);
  field.querySelector("input").addEventListener("change", async (event) => {
    const file = event.target.files[0];
    if (file) target.value = await file.text();
  });
}

// How much waits in the notification area.
const notices = document.querySelector("[data-notices]");
if (notices) {
  fetch(notices.getAttribute("href"), { headers: { "X-Fragment": "list" }, cache: "no-store" })
    .then((answer) => (answer.ok && !answer.redirected ? answer.text() : "0"))
    .then((count) => {
      if (!(Number(count) > 0)) return;
      const badge = document.createElement("b");
      badge.className = "bubble";
      badge.textContent = numbers.format(Number(count));
      badge.title = fill(notices.dataset.notices, { count: badge.textContent });
      notices.append(badge);
    })
    .catch(() => {});
}

// An open menu closes on Escape and on a click beside it.
for (const menu of document.querySelectorAll("details.menu")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// ---- A file into a text field ------------------------------------------------------------------------------------

for (const chooser of document.querySelectorAll("[data-reads]")) {
  const target = document.getElementById(chooser.dataset.reads);
  chooser.hidden = false;
  chooser.querySelector("input").addEventListener("change", async (event) => {
    const [file] = event.target.files;
    if (file) target.value = await file.text();
  });
}
