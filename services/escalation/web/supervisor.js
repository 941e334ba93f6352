"use strict";
const $ = (id) => document.getElementById(id);
const element = (name, text, kind) => {
  const made = document.createElement(name);
  made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const time = (at) => new Date(at).toLocaleTimeString([], { hourCycle: "h23", hour: "2-digit", minute: "2-digit", second: "2-digit" });
const moment = (at) => new Date(at).toLocaleString([], { dateStyle: "short", timeStyle: "short" });
const words = (name) => name.replaceAll("_", " ").replace(".", ": ");

function list(id, items, line) {
  const lines = items.map((one) => {
    const row = document.createElement("li");
    row.append(...line(one));
    return row;
  });
  $(id).replaceChildren(...(lines.length ? lines : [element("li", "none", "none")]));
}

async function read(path) {
  const answer = await fetch(path, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(String(answer.status));
  return (await answer.json()).items;
}

// counted over everything that is open, so not at every item of the feed
let counted = { at: 0, owners: [] };
async function owners() {
  if (Date.now() - counted.at > 30_000) counted = { at: Date.now(), owners: await read("/v1/owners?over=true&limit=12") };
  return counted.owners;
}

async function refresh() {
  const [escalations, unreachable, unowned, overdue, promises, undecided, laden, visits, withdrawn, none] = await Promise.all([
    read("/v1/escalations?status=waiting&limit=12"),
    read("/v1/unreachable"),
    read("/v1/complaints?status=open&unowned=true&limit=12"),
    read("/v1/complaints?status=open&overdue=true&limit=12"),
    read("/v1/promises?status=broken&limit=12"),
    read("/v1/complaints?succession_asked=true&limit=12"),
    owners(),
    read("/v1/complaints?status=closed&overdue=true&limit=12"),
    read("/v1/complaints?basis=withdrawn&limit=6"),
    read("/v1/complaints?basis=not_a_complaint&limit=6"),
  ]);
  list("escalations", escalations, (e) => [
    element("b", e.reference || e.complaint_id),
    element("span", ` level ${e.level}, ${e.addressee.name || e.addressee.id}, by `),
    element("span", moment(e.due_at), e.standing_unanswered ? "late" : ""),
    element("span", `: ${e.reasons.map(words).join(", ")}`),
  ]);
  list("unreachable", unreachable, (u) => [
    element("b", u.executive.name || u.executive_id),
    element("span", ` ${u.detail}, since `),
    element("span", moment(u.since), "late"),
    element("span", u.trusted_from ? `; a mail was taken, trusted from ${moment(u.trusted_from)}` : `; tried again from ${moment(u.tried_from)}`),
  ]);
  list("unowned", unowned, (c) => [element("b", c.reference), element("span", ` ${c.cause || ""} since ${moment(c.opened_at)}`)]);
  list("overdue", overdue, (c) => {
    const missed = c.clocks.filter((clock) => clock.breached_at && !clock.met_at).map((clock) => words(clock.kind));
    return [element("b", c.reference), element("span", ` ${c.owner ? c.owner.name || c.owner.id : "nobody"}: `), element("span", missed.join(", "), "late")];
  });
  list("undecided", undecided, (c) => {
    const next = c.succession_asked.to ? ` waits for ${c.succession_asked.to.name || c.succession_asked.to.id}` : " to be named";
    return [element("b", c.reference), element("span", ` after ${c.owner.name || c.owner.id}:${next}`)];
  });
  list("laden", laden, (o) => [
    element("b", o.owner.name || o.owner.id),
    element("span", ` ${o.open} open, of ${o.limit} at most`),
    element("span", o.overdue ? `, ${o.overdue} overdue` : "", "late"),
  ]);
  list("visits", visits, (c) => {
    const visitor = c.follow_up?.agent;
    const until = c.clocks.find((clock) => clock.kind === "follow_up" && clock.breached_at && !clock.met_at)?.due_at;
    return [element("b", c.reference), element("span", ` ${visitor ? visitor.name || visitor.id : "nobody named"}, until `), element("span", until ? moment(until) : "?", "late")];
  });
  const decided = [...withdrawn, ...none].sort((a, b) => b.closed_at.localeCompare(a.closed_at));
  list("decided", decided, (c) => [
    element("b", c.reference),
    element("span", ` ${words(c.basis)}, by ${c.closing?.by || "?"}: ${c.closing?.why || "no reason kept"}`),
  ]);
  list("promises", promises, (p) => [element("b", p.reference), element("span", ` ${p.cause}, by ${p.made_by}`)]);
}

let wanted = null;
function soon() {
  wanted ??= setTimeout(() => {
    wanted = null;
    refresh().catch((problem) => { $("state").textContent = `not read: ${problem.message}`; });
  }, 400);
}

function show(item) {
  const row = document.createElement("li");
  const told = [item.level ? `level ${item.level}` : null, item.data.basis ? words(item.data.basis) : null, item.data.nothing_changes ? "nothing changes" : null];
  const about = [item.reference, item.owner_id, item.region, ...told].filter(Boolean);
  row.append(element("span", time(item.at)), element("b", words(item.type)), element("span", about.join(" · ")));
  $("feed").prepend(row);
  while ($("feed").childElementCount > 300) $("feed").lastElementChild.remove();
  soon();
}

async function start() {
  await refresh();
  const stream = new EventSource(`/v1/feed/stream?after=${document.body.dataset.after}`);
  stream.onopen = () => { $("state").textContent = "live"; };
  stream.onerror = () => { $("state").textContent = "connecting again …"; };
  const known = new Set();
  const listen = (type) => {
    if (known.has(type)) return;
    known.add(type);
    stream.addEventListener(type, (event) => show(JSON.parse(event.data)));
  };
  TYPES.forEach(listen);
}
start().catch((problem) => { $("state").textContent = `not read: ${problem.message}`; });
