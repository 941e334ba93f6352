"use strict";
(() => {
  const name = "draft:" + location.pathname;
  const days = 14;
  const form = document.querySelector("form");
  const fields = form ? [...form.elements].filter((one) => one.name && one.name !== "code") : [];
  const get = (one) => (one.type === "checkbox" ? one.checked : one.value);
  const put = (one, value) => {
    if (one.type === "checkbox") one.checked = value === true;
    else one.value = String(value);
  };
  try {
    if (!form) return localStorage.removeItem(name);
    const keep = () => {
      const typed = Object.fromEntries(fields.map((one) => [one.name, get(one)]));
      localStorage.setItem(name, JSON.stringify({ at: Date.now(), typed }));
    };
    const found = JSON.parse(localStorage.getItem(name) || "null");
    // what the server gave back with a refusal is newer than the draft
    const empty = fields.every((one) => !get(one));
    if (empty && found && Date.now() - found.at < days * 86400000) {
      for (const one of fields) if (one.name in found.typed) put(one, found.typed[one.name]);
    } else if (!empty) keep();
    form.addEventListener("input", keep);
    document.getElementById("draft").hidden = false;
  } catch {
    // a browser that keeps nothing: the page works without
  }
  const told = document.querySelector("[role=alert]");
  if (told) told.focus();
})();
