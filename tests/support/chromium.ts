import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

/** Debian's Chromium without anything of its own that talks to the network. */
const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env["CHROMIUM_BIN"] ?? "/usr/bin/chromium", args: ARGS });
}

/** What a page did that it should not have, collected while it is used. */
export interface Watched {
  page: Page;
  /** Console errors and warnings, uncaught exceptions, violations of the content security policy, dialogs. */
  faults: string[];
  /** URLs asked for, without the page's own file. */
  requests: string[];
}

/** Opens a page that is watched from its first byte. Close `page.context()` yourself. */
export async function openWatched(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ locale: "en-GB", timezoneId: "UTC", ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => requests.push(request.url()));
  await context.exposeFunction("reportViolation", (text: string) => faults.push(`policy: ${text}`));
  // As text: the types of the browser's own objects are not those of this program.
  await page.addInitScript({
    content: `document.addEventListener("securitypolicyviolation", (event) =>
      reportViolation(event.violatedDirective + " " + event.blockedURI));`,
  });
  return { page, faults, requests };
}
