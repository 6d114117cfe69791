/* What HTML and htmx do not do by themselves: one dialog, row menus, messages. Everything works without it, as pages. */
"use strict";

const modal = document.getElementById("modal");
let opener = null; // id of what opened the dialog

/* The dialog is open exactly while it has content. */
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target !== modal || modal.contains(event.detail.elt)) return;
  const menu = event.detail.elt.closest(".row-menu");
  opener = (menu ? menu.querySelector("summary") : event.detail.elt).id;
  if (!menu) return;
  menu.querySelector("summary").focus(); // what had the focus disappears
  menu.open = false;
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target !== modal) return;
  modal.classList.toggle("dialog-wide", modal.querySelector("[data-wide]") !== null);
  if (!modal.firstElementChild) modal.close();
  else if (!modal.open) modal.showModal();
  const wrong = modal.querySelector("[aria-invalid=true], [role=alert]");
  if (wrong && modal.open) wrong.closest("fieldset, .dialog-alert, div")?.querySelector("input:not([type=hidden]), .alert")?.focus?.();
});
const empty = () => modal.open && modal.close();
modal?.addEventListener("close", () => {
  modal.replaceChildren();
  giveFocusBack();
});
modal?.addEventListener("click", (event) => {
  // The second click of a double one was meant for what opened the dialog.
  if (event.detail > 1 && (event.target === modal || event.target.closest(".dialog-foot"))) return event.preventDefault();
  if (event.target === modal) empty(); // the backdrop
  if (event.target.closest("[aria-current]")) event.preventDefault(); // it is shown already
  const close = event.target.closest("[data-close]");
  if (close) {
    event.preventDefault();
    empty();
  }
});

/* Focus returns to what opened the dialog, also when the page was read anew meanwhile; else to the page. */
function giveFocusBack() {
  const target = opener && document.getElementById(opener);
  if (!target?.offsetParent) return document.getElementById("main")?.focus();
  target.focus();
  target.scrollIntoView({ block: "nearest" }); // not below the message that came meanwhile
}
/* Of a picker's answers only the one to what was ticked and typed last is shown: an earlier one does not know of it. */
let asked = null;
for (const change of ["input", "change"])
  document.addEventListener(change, (event) => {
    if (event.target.closest("#choices, #pick-q")) asked = null;
  }, true);
document.addEventListener("htmx:beforeRequest", (event) => {
  if (event.detail.target.id === "choices") asked = event.detail.xhr;
});
document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target.id === "choices" && event.detail.xhr !== asked) event.detail.shouldSwap = false;
});

/* What had the focus may not be there any more after a swap. */
let isFocusAtStake = false;
document.addEventListener("htmx:beforeSwap", (event) => {
  isFocusAtStake ||= event.detail.target.contains(document.activeElement);
});
document.addEventListener("htmx:afterSettle", () => {
  if (isFocusAtStake && (document.activeElement ?? document.body) === document.body) {
    if (modal.open) (modal.querySelector("input[type=search]") ?? modal).focus();
    else giveFocusBack();
  }
  isFocusAtStake = false;
});

/* Row menus and the organization switch close on a click outside, on Esc, and when the focus leaves them. */
const menus = "details.row-menu[open], details.org[open]";
for (const left of ["click", "focusin"])
  document.addEventListener(left, (event) => {
    for (const menu of document.querySelectorAll(menus)) if (!menu.contains(event.target)) menu.open = false;
  });
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector(menus);
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

/* What narrows a list and is empty does not stand in its address. */
document.addEventListener("htmx:configRequest", (event) => {
  if (!event.target.matches(".tools")) return;
  for (const [name, value] of [...event.detail.formData]) if (!value) event.detail.formData.delete(name);
});

/* How many rows of a list are ticked. */
document.addEventListener("change", (event) => {
  const rows = event.target.name === "things" && event.target.closest("[data-rows]");
  if (rows) rows.querySelector("[data-ticked]").textContent = `${rows.querySelectorAll("[name=things]:checked").length} selected`;
});

/* Messages leave after a while, but not from under a pointer or the focus. */
const messages = document.getElementById("messages");
function leaveLater(note) {
  setTimeout(() => (note.matches(":hover, :focus-within") ? leaveLater(note) : note.remove()), 8000);
}
if (messages) {
  messages.querySelectorAll(".toast-note").forEach(leaveLater);
  new MutationObserver((changes) => {
    for (const change of changes) change.addedNodes.forEach((node) => node.nodeType === 1 && leaveLater(node));
  }).observe(messages, { childList: true });
  messages.addEventListener("click", (event) => {
    event.target.closest("[data-dismiss]")?.parentElement.remove();
    if (document.activeElement === document.body) giveFocusBack();
  });
}

/* What the server refused says so; silence would look like a dead button. */
const refusals = {
  0: "The portal cannot be reached. Check your connection and try again.",
  403: "You may not do this any more. Reload the page to see what you may.",
  404: "This is not here any more. Reload the page.",
};
const refusal = document.getElementById("refusal");
function refuse(event) {
  const sentence = refusals[event.detail.xhr?.status ?? 0] ?? "Something went wrong on our side. Nothing was changed. Try again.";
  const [alert, note] = refusal.content.cloneNode(true).children;
  const shown = modal.open ? alert : note; // what lies behind an open dialog can be neither seen well nor closed
  shown.querySelector("[data-sentence]").textContent = sentence;
  if (!modal.open) return messages.append(shown);
  modal.querySelector(".dialog-alert")?.remove();
  modal.querySelector(".dialog-head").after(shown);
}
document.addEventListener("htmx:responseError", refuse);
document.addEventListener("htmx:sendError", refuse);

/* Find: Ctrl-K or Cmd-K opens it, arrows go from the field through what was found, Enter opens the first of it. */
let isAwaited = false; // Enter came before the answer to what was typed
document.addEventListener("keydown", (event) => {
  const link = document.getElementById("find");
  if (link && event.key?.toLowerCase() === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    const field = document.getElementById("find-q");
    const before = document.activeElement.id;
    if (field?.offsetParent) field.focus(); // not what a dialog that is just closing still contains
    else if (!modal.open) {
      link.click();
      opener = before || opener;
    }
  }
  const finder = event.target.closest?.("[data-find]");
  if (!finder) return;
  const stops = [...finder.querySelectorAll("[type=search], [data-q] a")];
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  isAwaited = event.key === "Enter" && event.target === stops[0] && !event.isComposing;
  if (step) stops[Math.max(stops.indexOf(event.target) + step, 0)]?.focus();
  else if (!isAwaited || !openFirst(finder)) return;
  event.preventDefault();
});
document.addEventListener("htmx:afterSettle", (event) => {
  const finder = isAwaited && event.detail.elt.closest("[data-find]");
  if (finder) openFirst(finder);
});
function openFirst(finder) {
  const [field, first] = finder.querySelectorAll("[type=search], [data-q] a");
  if (field.value.trim() !== finder.querySelector("[data-q]").dataset.q) return false;
  isAwaited = false;
  first?.click();
  return true;
}

/* A page that the browser kept for the back button does not know what was done since. */
addEventListener("pageshow", (event) => event.persisted && htmx.trigger(document.body, "portal-changed"));
