"use strict";

const form = document.getElementById("speak");
const inbox = document.getElementById("inbox");
const state = document.getElementById("state");
const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
let cursor = 0; // the id of the last message shown; 0: everything that was kept

function show(id, message) {
  if (id) cursor = id;
  const item = document.createElement("li");
  const name = document.createElement("b");
  name.textContent = message.from;
  item.append(name, " ", message.body);
  inbox.append(item);
  item.scrollIntoView();
}

function post(path, fields) {
  const body = new URLSearchParams({ _xsrf: form.elements._xsrf.value, ...fields });
  return fetch(path, { method: "POST", body });
}

async function sayByForm(message) {
  const answer = await post(form.action, message);
  if (!answer.ok) throw new Error(answer.statusText);
}

const ways = {
  async poll() {
    state.textContent = "connected";
    for (let delay = 500; ; ) {
      try {
        const answer = await post("/a/message/updates", { cursor });
        if (!answer.ok) throw new Error(answer.statusText);
        for (const message of (await answer.json()).messages) show(message.id, message.data);
        state.textContent = "connected";
        delay = 500;
      } catch (error) {
        state.textContent = "waiting for the server";
        await later((delay = Math.min(delay * 2, 30000)));
      }
    }
  },

  ws() {
    let delay = 500;
    const connect = () => {
      const socket = new WebSocket(`ws${location.protocol.slice(4)}//${location.host}/socket?after=0`);
      socket.onopen = () => {
        inbox.replaceChildren(); // what was kept comes again
        state.textContent = "connected";
        delay = 500;
      };
      socket.onmessage = (event) => show(null, JSON.parse(event.data));
      socket.onclose = async () => {
        state.textContent = "waiting for the server";
        await later((delay = Math.min(delay * 2, 30000)));
        connect();
      };
      say = async (message) => socket.send(JSON.stringify(message));
    };
    connect();
  },

  sse() {
    // It reconnects by itself, and says which message it got last.
    const events = new EventSource("/events?after=0");
    events.onopen = () => (state.textContent = "connected");
    events.onerror = () => (state.textContent = "waiting for the server");
    events.onmessage = (event) => show(event.lastEventId, JSON.parse(event.data));
  },
};

let say = sayByForm;

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { from, body } = form.elements;
  try {
    await say({ from: from.value, body: body.value });
    body.value = "";
  } catch (error) {
    state.textContent = "not sent";
  }
});

ways[document.body.dataset.way]();
