addEventListener("load", () => {
  if (!navigator.connection?.saveData) (window.requestIdleCallback ?? setTimeout)(rehearse);
});

function rehearse() {
  const realFetch = window.fetch.bind(window), RealSocket = window.WebSocket;
  const held = [];  // style sheets of the front end: until somebody is in, this is the sign-in page
  let released, over = false, ready = false;
  const release = new Promise((go) => { released = go; });

  // What Streamlit asks before it connects: answered here for the rehearsal, by the server once somebody is in.
  window.fetch = async (wanted, options) => {
    if (!over)
      return `${wanted}`.endsWith("host-config")
        ? Response.json({ allowedOrigins: [], useExternalAuthToken: false }) : new Response("ok");
    ready = true;
    document.documentElement.dataset.ahead = "done";
    await release;
    return realFetch(wanted, { ...options, signal: null });
  };
  window.WebSocket = class extends EventTarget {
    readyState = WebSocket.OPEN;
    constructor() {
      super();
      setTimeout(() => this.dispatchEvent(new Event("open")));
    }
    send() { this.played ??= this.play(); }
    close() {}
    async play() {
      const frames = new DataView(await (await realFetch("SAMPLE")).arrayBuffer());
      for (let at = 0; at < frames.byteLength;) {
        const size = frames.getUint32(at);
        const data = frames.buffer.slice(at + 4, at += 4 + size);
        if (size) this.dispatchEvent(new MessageEvent("message", { data }));
        else await drawn();
      }
      await idle();
      [over, window.WebSocket] = [true, RealSocket];
      this.readyState = WebSocket.CLOSED;
      this.dispatchEvent(new CloseEvent("close", { code: 1000, wasClean: true }));
    }
  };
  window.WebSocket.OPEN = RealSocket.OPEN;
  window.WebSocket.CLOSED = RealSocket.CLOSED;

  const hold = (sheet) => {
    if (!sheet.matches?.("style, link[rel=stylesheet]")) return;
    sheet.media = "not all";
    held.push(sheet);
  };
  const watch = new MutationObserver((changes) => {
    for (const change of changes) change.addedNodes.forEach(hold);
  });
  const own = document.querySelector("style");
  const root = document.createElement("div");
  Object.assign(root, { id: "root", inert: true });
  // The colours it will have: a change would run the first page twice.
  const scheme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  root.style = `position: fixed; inset: 0; overflow: hidden; visibility: hidden; color-scheme: ${scheme}`;
  watch.observe(document.head, { childList: true });
  document.body.append(root);
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href: "STYLES" }));
  document.head.append(Object.assign(document.createElement("script"), { type: "module", src: "MODULE" }));

  addEventListener("submit", async (event) => {
    const form = event.target;
    if (!ready || new URL(form.action).pathname !== "/sign-in") return;
    event.preventDefault();
    if (form.ariaBusy) return;
    form.ariaBusy = "true";
    const said = new URLSearchParams(new FormData(form));
    let answer;
    try {
      answer = await realFetch(form.action, { method: "POST", body: said, headers: { "STAY": "1" }, redirect: "manual" });
    } catch {
      return form.submit();
    }
    if (answer.type === "opaqueredirect") return location.assign(said.get("next") ?? "/");
    if (answer.status !== 204) return again(await answer.text());
    watch.disconnect();
    for (const sheet of held) sheet.media = "all";
    for (const part of [own, ...document.querySelectorAll("body > header, body > main")]) part.remove();
    root.removeAttribute("style");
    root.inert = false;
    history.replaceState(null, "", "/");
    window.fetch = realFetch;
    released();
  });
}

// The sign-in page as it is after a refusal, without losing what has been rehearsed.
function again(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  document.querySelector("body > main").replaceWith(page.querySelector("main"));
  document.head.append(Object.assign(document.createElement("script"), { src: "/form.js" }));
  document.querySelector("main [autofocus]")?.focus();
}

const idle = () => new Promise((go) => (window.requestIdleCallback ?? setTimeout)(go));

async function drawn() {
  const waits = () => document.querySelector("[data-testid=stPlotlyChart]:not(:has(.main-svg)), [data-testid=stSkeleton]");
  await import("CHUNKS");
  for (let tries = 0; tries < 100 && (tries < 3 || waits()); tries++) await new Promise((go) => setTimeout(go, 100));
  await idle();
}
