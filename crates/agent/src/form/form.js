// Shows what has changed without losing what was typed: news replace the part that is read out, and the form goes only
// when nothing can come of it any more.
"use strict";
const look = async () => {
  try {
    const live = document.getElementById("live");
    const version = await (await fetch(location.pathname + "/version")).text();
    if (version === live.dataset.version) return;
    const answer = await fetch(location.pathname);
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const news = page.getElementById("live");
    document.title = page.title;
    document.querySelector("h1").textContent = page.querySelector("h1").textContent;
    // Whoever is answering a question goes on answering it.
    if (live.contains(document.activeElement) && news.querySelector("#answer")) return;
    live.replaceChildren(...news.childNodes);
    live.dataset.version = news.dataset.version;
    const form = document.getElementById("case");
    const fresh = page.getElementById("case");
    if (form && fresh) form.elements.recipient.value = fresh.elements.recipient.value;
    else if (form) form.remove();
  } catch {
    // The agent restarts: the next look finds it.
  }
};
setInterval(look, 2000);
