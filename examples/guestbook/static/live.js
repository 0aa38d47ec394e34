"use strict";

// Shows new entries as they come. The browser reconnects by itself and gets what it missed.
const entries = document.getElementById("entries");
new EventSource(entries.dataset.live).onmessage = (event) => {
  const { entry, tally } = JSON.parse(event.data);
  const page = new DOMParser().parseFromString(entry, "text/html");
  const article = page.querySelector("article");
  if (document.getElementById(article.id)) return;
  document.getElementById("nobody")?.remove();
  document.getElementById("tally").textContent = tally;
  entries.prepend(article);
};
