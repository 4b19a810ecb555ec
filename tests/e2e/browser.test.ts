import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import * as http from "node:http";
import * as os from "node:os";
import * as path from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startBrowser } from "../../src/browser/serve.ts";
import { LAYOUT } from "../../src/evidence/layout.ts";
import { axeViolations } from "../support/axe.ts";
import { makeCapture } from "../support/capture-factory.ts";
import { launchChromium, openWatched } from "../support/chromium.ts";
import { goTo } from "../support/viewer.ts";

const PROJECT = path.resolve(import.meta.dirname, "../..");
const LEGACY = path.join(PROJECT, "tests/fixtures/legacy-captures");
const NAME = "20261122T162000Z-fix_math_utils";
const OLD = "20261122T161530Z-fix_math_utils";

let chromium: Browser;
let root: string;
let server: Awaited<ReturnType<typeof startBrowser>>;

beforeAll(async () => {
  chromium = await launchChromium();
});

afterAll(() => chromium.close());

beforeEach(async () => {
  root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "browse-")));
  makeCapture(root, NAME);
  fs.cpSync(path.join(LEGACY, OLD), path.join(root, OLD), { recursive: true });
  server = await startBrowser({ host: "127.0.0.1", port: 0, captureRoot: root });
});

afterEach(async () => {
  await server.close();
  fs.rmSync(root, { recursive: true, force: true });
});

/** Path and hash of every file of the old capture but those that are made. */
function evidence(): string[] {
  const dir = path.join(root, OLD);
  return fs
    .readdirSync(dir, { recursive: true, encoding: "utf8" })
    .filter((file) => !/^(derived|report)(\/|$)/.test(file) && fs.statSync(path.join(dir, file)).isFile())
    .toSorted((a, b) => (a < b ? -1 : 1))
    .map(
      (file) =>
        `${file} ${createHash("sha256")
          .update(fs.readFileSync(path.join(dir, file)))
          .digest("hex")}`,
    );
}

describe("the page", () => {
  it("lists the captures, switches between them, and goes back", async () => {
    const { page, faults, requests } = await openWatched(chromium);
    await page.goto(server.url);
    await page.waitForSelector(".entry");
    await expect.poll(() => page.locator(".entry-name").allTextContents()).toEqual([NAME, OLD]);
    const switcher = page.getByRole("combobox");
    await switcher.selectOption(OLD);
    await page.waitForSelector("text=made by the earlier program");
    await switcher.selectOption(NAME);
    await page.waitForSelector("text=The agent ended by itself.");
    await page.goBack();
    await page.waitForSelector("text=made by the earlier program");
    await switcher.selectOption("");
    await page.waitForSelector(".entry");
    expect(requests.filter((one) => !one.startsWith(`${server.url}/`))).toEqual([]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("shows a new capture after a rescan, on the list and in the drop-down", async () => {
    const { page, faults } = await openWatched(chromium);
    await page.goto(server.url);
    await page.waitForSelector(".entry");
    makeCapture(root, "20261122T180000Z-new_one");
    await page.getByRole("button", { name: "Rescan" }).click();
    await page.locator(".entry-name", { hasText: "20261122T180000Z-new_one" }).waitFor();
    await expect
      .poll(() => page.locator("option").allTextContents())
      .toEqual(["All captures", "20261122T180000Z-new_one", NAME, OLD]);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("filters the list, and says when nothing fits", async () => {
    const { page } = await openWatched(chromium);
    await page.goto(server.url);
    await page.getByRole("searchbox").fill("scripted");
    await expect.poll(() => page.locator(".entry").count()).toBe(1);
    await page.getByRole("searchbox").fill("nothing like it");
    await page.waitForSelector("text=No capture matches the filter.");
    await page.context().close();
  });

  it("gives raw files as downloads and more of a long log", async () => {
    fs.writeFileSync(path.join(root, NAME, LAYOUT.stdoutLog), `${"line of output 风险\n".repeat(40_000)}the end`);
    const { page, faults } = await openWatched(chromium);
    await page.goto(`${server.url}/#/c/${NAME}/evidence`);
    await page.waitForSelector("nav.tabs");
    const download = page.waitForEvent("download");
    await page.getByRole("link", { name: "meta/run.json" }).click();
    expect((await download).suggestedFilename()).toBe(`${NAME}-meta-run.json`);
    await goTo(page, NAME, "logs");
    const more = page.getByRole("button", { name: "Load the next part" });
    const before = (await page.locator("pre.block").first().innerText()).length;
    await more.click();
    await expect.poll(async () => (await page.locator("pre.block").first().innerText()).length).toBeGreaterThan(before);
    expect(await page.locator("pre.block").first().innerText()).not.toContain("\ufffd");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it.each(["light", "dark"] as const)("is accessible (%s), in both languages", async (colorScheme) => {
    const { page } = await openWatched(chromium, { colorScheme });
    for (const address of [`${server.url}/`, `${server.url}/?lang=zh`]) {
      await page.goto(address);
      await page.waitForSelector(".entry");
      expect(await axeViolations(page)).toEqual([]);
      await page.locator(".entry").first().click();
      await page.waitForSelector("nav.tabs");
      expect(await axeViolations(page)).toEqual([]);
    }
    await page.context().close();
  });

  it("can be used with the keyboard alone", async () => {
    const { page } = await openWatched(chromium);
    await page.goto(server.url);
    await page.waitForSelector(".entry");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    expect(await page.evaluate("document.activeElement.id")).toBe("content");
    for (let n = 0; n < 3; n++) await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForSelector("nav.tabs");
    await page.context().close();
  });

  it("fits 320 pixels", async () => {
    const { page } = await openWatched(chromium, { viewport: { width: 320, height: 640 } });
    await page.goto(server.url);
    await page.waitForSelector(".entry");
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(320);
    await page.context().close();
  });

  it("says what went wrong when the server is gone, and goes on when it is back", async () => {
    const { page } = await openWatched(chromium);
    await page.goto(server.url);
    await page.waitForSelector(".entry");
    await server.close();
    await page.getByRole("button", { name: "Rescan" }).click();
    await page.waitForSelector("text=This could not be loaded");
    server = await startBrowser({ host: "127.0.0.1", port: server.port, captureRoot: root });
    await page.getByRole("button", { name: "Try again" }).click();
    await page.waitForSelector("text=This could not be loaded", { state: "detached" });
    await page.context().close();
  });

  it("tells how to make the first capture", async () => {
    const empty = await startBrowser({ host: "127.0.0.1", port: 0, captureRoot: path.join(root, "none") });
    const { page } = await openWatched(chromium);
    await page.goto(empty.url);
    await page.waitForSelector("text=./scripts/run_opencode_capture.sh --issue fix_math_utils");
    await page.context().close();
    await empty.close();
  });
});

describe("old captures", () => {
  it("get a summary and a report, and their evidence stays byte for byte", async () => {
    await server.scanned;
    await server.close();
    fs.rmSync(path.join(root, OLD), { recursive: true });
    fs.cpSync(path.join(LEGACY, OLD), path.join(root, OLD), { recursive: true });
    const before = evidence();
    server = await startBrowser({ host: "127.0.0.1", port: 0, captureRoot: root });
    await server.scanned;
    expect(evidence()).toEqual(before);
    expect(fs.readdirSync(path.join(root, OLD, "derived"))).toEqual(["summary.json"]);
    expect(fs.readdirSync(path.join(root, OLD, "report"))).toEqual(["index.html"]);
  });
});

/** A request with any Host, which fetch would not send. */
function statusFor(port: number, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: "127.0.0.1", port, path: "/api/captures", headers: { host } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    request.on("error", reject);
  });
}

describe("the server", () => {
  it("answers to its own names only", async () => {
    expect(await statusFor(server.port, `localhost:${server.port}`)).toBe(200);
    expect(await statusFor(server.port, `evil.test:${server.port}`)).toBe(403);
  });

  it("is out of reach for a page of another origin", async () => {
    const other = http.createServer((_request, response) => response.end("<!doctype html><title>other</title>"));
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const address = other.address();
    const { page } = await openWatched(chromium);
    await page.goto(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`);
    const read = `fetch("${server.url}/api/captures").then((r) => r.text(), () => "refused")`;
    expect(await page.evaluate(read)).toBe("refused");
    const blind = `fetch("${server.url}/api/rescan", { method: "POST", mode: "no-cors" }).then((r) => r.type, () => "refused")`;
    expect(["opaque", "refused"]).toContain(await page.evaluate(blind));
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement("iframe"), { src: "${server.url}/" }))`,
    );
    await expect.poll(() => page.frames().at(-1)?.url()).toMatch(/^chrome-error:/);
    await page.context().close();
    other.close();
  });

  it("tells of another port when its own is taken", async () => {
    const again = startBrowser({ host: "127.0.0.1", port: server.port, captureRoot: root });
    await expect(again).rejects.toMatchObject({
      code: "address-in-use",
      hint: `use another port: opencode-capture browse --host 127.0.0.1 --port ${server.port + 1}`,
    });
  });

  it("warns when other machines can reach it", async () => {
    const open = await startBrowser({ host: "0.0.0.0", port: 0, captureRoot: root });
    expect(open.warnings).toEqual([expect.stringMatching(/other machines can read these captures/)]);
    await open.close();
  });
});

describe("the command", () => {
  it("prints its address first, serves, and ends with Ctrl-C", async () => {
    const child = spawn(process.execPath, ["src/cli/main.ts", "browse", "--port", "0", "--capture-root", root], {
      cwd: PROJECT,
    });
    const url = await firstLine(child);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(await (await fetch(`${url}/api/captures`)).json()).toMatchObject({
      root,
      captures: [{ name: NAME }, { name: OLD }],
    });
    const ended = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    child.kill("SIGINT");
    expect(await ended).toBe(0);
  });
});

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let errors = "";
    child.stderr?.on("data", (data: Buffer) => {
      errors += data.toString();
    });
    child.stdout?.once("data", (data: Buffer) => resolve(data.toString().split("\n")[0] ?? ""));
    child.once("exit", () => reject(new Error(`it ended: ${errors}`)));
  });
}
