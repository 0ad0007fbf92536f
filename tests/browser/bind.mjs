// Credentials bound from the page: a key that is typed, and an account at a provider that nobody
// here wrote, with the script and without it.
import { barriers, claim, done, shot, signedIn, told } from "./house.mjs";

// What the provider asks: who it is, and whether it may.
const consents = async (page) => {
  await page.waitForURL((url) => url.host === told.provider);
  await page.fill("input[name=login]", "person");
  await page.fill("input[name=password]", "any");
  await page.click("button[type=submit]");
  await page.getByText(/authorize/i).first().waitFor();
  await page.click("button[type=submit]");
};

const own = await signedIn("/bindings", { viewport: { width: 1280, height: 800 } });
const { page, place, visit } = own;
await shot(page, "bindings-before");

// A key, typed.
await page.locator(".line", { hasText: told.keyed }).getByRole("link").click();
await page.waitForURL(/bindings\/setup/);
const typed = page.locator("input[name=value]");
claim((await typed.getAttribute("type")) === "password", "the key is shown while it is typed");
await shot(page, "binding-a-key");
await page.fill("#identity", "work");
await typed.fill(told.key);
await page.keyboard.press("Enter");
await page.getByText("is bound.").waitFor();
claim(!page.url().includes(told.key), "the key stands in an address");
claim(!(await page.content()).includes(told.key), "the key is shown");
await shot(page, "bound-a-key");

// A provider, with the script.
await page.locator(".line", { hasText: told.signed }).getByRole("link").click();
await page.waitForURL(/bindings\/setup/);
await shot(page, "binding-at-a-provider");
await page.getByRole("button", { name: /^Go to/ }).click();
await consents(page);
await page.getByText("is bound.").waitFor();
claim(page.url().startsWith(place), `not back in its place: ${page.url()}`);
await shot(page, "bound-at-a-provider");

// Again without scripts, by a new sign-in at the provider.
const plain = await signedIn("/bindings", { javaScriptEnabled: false });
await plain.page.locator("article", { hasText: "oauth2/" }).getByRole("link").click();
await plain.page.getByRole("button", { name: /^Go to/ }).click();
await consents(plain.page);
await plain.page.getByText("is bound.").waitFor();
claim(plain.page.url().startsWith(plain.place), "not back in its place without scripts");

// Refused at the provider: said, and a way back.
await visit("bindings");
await page.locator("article", { hasText: "oauth2/" }).getByRole("link").click();
await page.getByRole("button", { name: /^Go to/ }).click();
await page.waitForURL((url) => url.host === told.provider);
own.expected.push("400");
await page.getByText(/cancel/i).first().click();
await page.getByText("access_denied").first().waitFor();
await shot(page, "refused-at-the-provider");
await page.getByText("Back to the bindings").click();
await page.waitForURL(`${place}bindings`);
await done();
