// Keeps an open page up to date, and tells times in the reader's own zone. Everything works
// without it, by reloading.
"use strict";
(() => {
  const told = (root) => {
    for (const time of root.querySelectorAll("time[datetime]")) {
      const at = new Date(time.dateTime);
      if (Number.isNaN(at.getTime())) continue;
      time.title = time.dateTime;
      time.textContent = time.dataset.clock === undefined
        ? at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" })
        : at.toLocaleTimeString();
    }
  };

  // Text that was typed and focus that was placed stay: a card is replaced only by another one.
  const keyed = (now, fresh) => {
    const wanted = new Map([...fresh.children].map((child) => [child.dataset.key, child]));
    for (const child of [...now.children]) {
      if (!wanted.has(child.dataset.key)) child.remove();
    }
    let place = now.firstElementChild;
    for (const [key, child] of wanted) {
      if (place && place.dataset.key === key) {
        place = place.nextElementSibling;
        continue;
      }
      const kept = [...now.children].find((own) => own.dataset.key === key);
      if (kept) continue;
      child.removeAttribute("autofocus");
      told(child);
      now.insertBefore(child, place);
    }
  };

  const merge = (page) => {
    for (const now of document.querySelectorAll("[data-live]")) {
      const fresh = page.getElementById(now.id);
      if (!fresh) continue;
      if (now.dataset.live === "keyed") {
        keyed(now, fresh);
        continue;
      }
      if (now.contains(document.activeElement) && document.activeElement !== document.body) continue;
      told(fresh);
      if (now.innerHTML !== fresh.innerHTML) {
        now.className = fresh.className;
        now.replaceChildren(...fresh.childNodes);
      }
    }
  };

  let asking = false;
  let again = false;
  const refresh = async () => {
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      const answer = await fetch(location.href, { redirect: "error", cache: "no-store" });
      if (!answer.ok) throw new Error(answer.statusText);
      merge(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } catch {
      // Signed out, or the runtime is gone: a reload says which.
      location.reload();
      return;
    } finally {
      asking = false;
    }
    if (again) {
      again = false;
      refresh();
    }
  };

  // Where this browser is signed in, only this browser knows: a link from elsewhere leads to the
  // sign-in, and from there to that place.
  const signedIn = () => {
    const { at, to, over } = document.body.dataset;
    try {
      if (at) localStorage.setItem("at", at);
      if (over !== undefined) localStorage.removeItem("at");
      const known = localStorage.getItem("at");
      if (to && /^\/at\/[0-9a-f]{64}\/$/.test(known)) location.replace(known + to.slice(1));
    } catch {
      // No memory: the person signs in again.
    }
  };

  signedIn();
  told(document);
  const watched = document.body.dataset.watches;
  if (watched) {
    let wait = 0;
    const stream = new EventSource(watched);
    // Refused, and not to be asked again: the person should know that this page stands still.
    stream.onerror = () => {
      const stale = document.getElementById("stale");
      if (stale && stream.readyState === EventSource.CLOSED) stale.hidden = false;
    };
    stream.onmessage = () => {
      clearTimeout(wait);
      wait = setTimeout(refresh, 50);
    };
  }
})();
