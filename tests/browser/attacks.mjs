// Programs and pages that mean harm, in front of a real browser whose person is signed in.
import { createServer } from "node:http";
import { claim, done, shot, signedIn, told } from "./house.mjs";

// A program of the same machine: it listens on a port of its own and keeps what browsers send.
const asked = [];
let served = "<!doctype html><title>x</title><p>here</p>";
const stranger = createServer((request, response) => {
  asked.push({ host: request.headers.host, url: request.url, cookie: request.headers.cookie });
  response.setHeader("Content-Type", "text/html");
  response.end(served);
});
await new Promise((ready) => stranger.listen(0, "127.0.0.1", ready));
const port = stranger.address().port;

const { context, page, place, visit, expected } = await signedIn(`/approvals?focus=${told.planted}`);
const own = new URL(place);

// Cookies ignore ports. Ours goes to none of them: not under the names of this machine, and not
// under the page's own name, which anybody can ask for.
for (const host of ["127.0.0.1", "localhost", own.hostname]) {
  for (const path of ["/", "/approvals", "/at/", `/at/${"0".repeat(64)}/approvals`]) {
    const visitor = await context.newPage();
    await visitor.goto(`http://${host}:${port}${path}`);
    await visitor.close();
  }
}
claim(asked.length >= 12, `the stranger was asked ${asked.length} times`);
for (const { host, url, cookie } of asked) {
  claim(cookie === undefined, `${host}${url} was sent a cookie`);
}
// What would come, if a cookie were for all of a name: the stranger's own goes to another port.
const neighbour = createServer((request, response) => {
  asked.push({ cookie: request.headers.cookie });
  response.end();
});
await new Promise((ready) => neighbour.listen(0, "127.0.0.1", ready));
await context.addCookies([{ name: "strange", value: "1", domain: own.hostname, path: "/" }]);
const visitor = await context.newPage();
await visitor.goto(`http://${own.hostname}:${neighbour.address().port}/`);
await visitor.close();
claim(asked.at(-1).cookie === "strange=1", "this browser's cookies do not ignore ports");
neighbour.close();

// Words from outside are text: no dialog came (house.mjs), nothing was run, nothing was refused.
const card = page.locator(`[id="${told.planted}"]`);
await card.locator("summary").click();
const text = await card.textContent();
for (const shown of ["<script>alert(1)</script>", "<img src=x onerror=alert(2)>", "\\u{202e}"]) {
  claim(text.includes(shown), `the card does not show ${shown}`);
}
claim(!(await page.content()).includes("\u202e"), "a mark that reorders text is on the page");
for (const made of ["img", "script:not([src])", "b", "[onerror]", "a[href^=javascript]"]) {
  claim((await page.locator(made).count()) === 0, `${made} was made of words`);
}
await shot(page, "planted");
await card.locator("input[name=reason]").fill(told.evil);
await card.getByRole("button", { name: /^Deny/ }).click();
await page.getByText("no longer waits").waitFor();
for (const where of ["", "approvals", `runs/${told.planted}`, `runs/${told.result}`, "audit"]) {
  await visit(where);
  claim((await page.locator("img, script:not([src])").count()) === 0, `${where}: words made markup`);
}
await visit(`runs/${told.result}`);
claim((await page.textContent("main")).includes("<script>alert(1)</script>"), "no result is shown");

// Framed by another site's page: the browser shows nothing of ours there.
const framer = await context.newPage();
served = `<!doctype html><title>x</title><iframe src="/inside"></iframe>`;
await framer.goto(`http://127.0.0.1:${port}/frame`);
claim((await framer.frames()[1].content()).includes("iframe"), "frames cannot be looked into");
for (const address of [`${place}approvals`, new URL("/sign-in", place).href]) {
  served = `<!doctype html><title>x</title><iframe src="${address}"></iframe>`;
  await framer.goto(`http://127.0.0.1:${port}/frame`);
  await framer.waitForTimeout(500);
  const frames = framer.frames().slice(1);
  for (const frame of frames) {
    const inside = await frame.content().catch(() => "");
    claim(!inside.includes("Aileron"), `${address} is shown in a frame`);
  }
  claim(frames.length === 1, "there was no frame to look into");
}

// A form and a script of another site, with everything but our token and our name.
const decide = `${place}approvals/${told.waiting}/decide`;
served = `<!doctype html><title>x</title><form method="post" action="${decide}">
  <input name="decision" value="approve"><input name="digest" value="${told.digest}"></form>`;
for (const host of ["127.0.0.1", own.hostname]) {
  await framer.goto(`http://${host}:${port}/form`);
  const [answer] = await Promise.all([
    framer.waitForResponse((response) => response.url() === decide),
    framer.waitForURL(decide),
    framer.evaluate(() => document.forms[0].submit()),
  ]);
  claim([303, 403].includes(answer.status()), `a form of ${host} got ${answer.status()}`);
  await framer.goto(`http://${host}:${port}/script`);
  const read = await framer.evaluate(async (address) => {
    try {
      const answer = await fetch(address, { credentials: "include" });
      return await answer.text();
    } catch {
      return null;
    }
  }, `${place}approvals`);
  claim(read === null, `a script of ${host} reads the page`);
}
await visit(`approvals?focus=${told.waiting}`);
claim((await page.locator(`[id="${told.waiting}"]`).count()) === 1, "somebody else decided");

// A name of another site that leads here (DNS rebinding) gets no page.
const rebound = await context.request.get(`http://127.0.0.1:${own.port}/approvals`, {
  headers: { host: `evil.example:${own.port}` }, maxRedirects: 0,
});
claim(rebound.status() === 403, `another name got ${rebound.status()}`);
expected.length = 0;
stranger.close();
await done();
