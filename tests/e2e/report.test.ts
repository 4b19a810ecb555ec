import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { writeSummaryAndReport } from "../../src/report/build-report.ts";
import { axeViolations } from "../support/axe.ts";
import { makeCapture } from "../support/capture-factory.ts";
import { busEvent, processSample, SESSION } from "../support/capture-sample.ts";
import { launchChromium, openWatched, type Watched } from "../support/chromium.ts";
import { goTo, TABS } from "../support/viewer.ts";

const LEGACY = path.resolve(import.meta.dirname, "../fixtures/legacy-captures");

let root: string;
let browser: Browser;

beforeAll(async () => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "report-"));
  browser = await launchChromium();
});

afterAll(async () => {
  await browser.close();
  fs.rmSync(root, { recursive: true, force: true });
});

async function reportUrl(dir: string): Promise<string> {
  const { reportPath } = await writeSummaryAndReport(dir);
  return pathToFileURL(reportPath).href;
}

describe("the viewer", () => {
  it("stays small: every report carries it", () => {
    const dist = path.resolve(import.meta.dirname, "../../web/dist");
    const bytes = ["viewer.js", "viewer.css"].reduce((sum, file) => sum + fs.statSync(path.join(dist, file)).size, 0);
    expect(bytes).toBeLessThan(300_000);
  });
});

describe("a report opened from disk", () => {
  const name = "20261122T162000Z-fix_math_utils";
  let url: string;
  let watched: Watched;

  beforeAll(async () => {
    url = await reportUrl(makeCapture(root, name));
    watched = await openWatched(browser);
    await watched.page.goto(url);
    await watched.page.waitForSelector("h1");
  });

  afterAll(() => watched.page.context().close());

  it("shows the supervisor's summary first", async () => {
    const { page } = watched;
    await expect.poll(() => page.locator("h1").textContent()).toBe("Fix the broken add helper");
    await expect
      .poll(() => page.locator("main h2").allTextContents())
      .toEqual([
        "Outcome",
        "Worth knowing",
        "What it did",
        "What was asked",
        "What the agent said at the end",
        "What could be seen",
        "Where the time went",
        "The run",
      ]);
    await expect.poll(() => page.locator(".verdict").textContent()).toContain("The agent ended by itself.");
    await expect
      .poll(() => page.locator(".numbers li").allTextContents())
      .toEqual([
        "3 tool calls",
        "4 processes",
        "2 changed files",
        "1 connections",
        "4 model calls",
        "82 native events",
      ]);
  });

  it("shows the native timeline after the supervisor's, with the noise folded", async () => {
    const { page } = watched;
    await goTo(page, name, "timeline");
    await expect
      .poll(() => page.locator("main h2").allTextContents())
      .toEqual(["Seen from outside", "The agent's own events"]);
    await expect.poll(() => page.locator("main .event-type", { hasText: "plugin.added" }).count()).toBe(0);
    const noise = page.locator("details.noise");
    await expect.poll(() => noise.locator("summary").first().textContent()).toBe("52 noisy events are folded");
    await noise.locator("summary").first().click();
    await expect.poll(() => noise.locator(".event-type").count()).toBe(52);
  });

  it("filters the timeline and opens an entry", async () => {
    const { page } = watched;
    await goTo(page, name, "timeline");
    await page.getByRole("searchbox").fill("call_bash_3");
    await expect.poll(() => page.locator("main .fold").count()).toBeLessThan(10);
    const entry = page.locator(".fold", { hasText: "tool.execute.before" }).first();
    await entry.locator("summary").click();
    await expect.poll(() => entry.locator(".fold-body").textContent()).toContain("python3 -m pytest");
    await page.getByRole("searchbox").fill("");
  });

  it("shows tools, processes, diffs, connections, the conversation and the logs", async () => {
    const { page } = watched;
    await goTo(page, name, "tools");
    await page.locator(".fold summary").nth(2).click();
    await expect.poll(() => page.locator(".fold-body").first().textContent()).toContain("2 passed in 0.03s");
    await goTo(page, name, "processes");
    await expect.poll(() => page.locator(".event-process").count()).toBe(4);
    await goTo(page, name, "files");
    await page.locator(".fold", { hasText: "math_utils.py" }).locator("summary").click();
    await expect.poll(() => page.locator(".diff-add").allTextContents()).toEqual(["+    return a + b\n"]);
    await expect
      .poll(() => page.locator("main h2").allTextContents())
      .toEqual(["Workspace", "Outside the workspace: /tmp"]);
    await goTo(page, name, "network");
    await expect.poll(() => page.locator(".event-network").textContent()).toContain("127.0.0.1:4100");
    await goTo(page, name, "conversation");
    await page.locator(".fold summary").nth(1).click();
    await expect.poll(() => page.locator(".fold-body").first().textContent()).toContain("return a - b");
    await goTo(page, name, "logs");
    await page.getByRole("button", { name: /opencode\.stderr\.log/ }).click();
    // The escape character is drawn, not obeyed.
    await expect.poll(() => page.locator("pre.block").first().textContent()).toContain("␛[32m> build␛[0m");
  });

  it("speaks Chinese when asked", async () => {
    const { page } = watched;
    await goTo(page, name, "overview");
    await page.getByRole("button", { name: "中文" }).click();
    await expect.poll(() => page.locator(".verdict").textContent()).toContain("智能体自行结束。");
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("zh-CN");
    await page.getByRole("button", { name: "English" }).click();
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("en");
  });

  it("asked for nothing but itself, and broke no rule of its own policy", () => {
    expect(new Set(watched.requests.map((one) => one.replace(/#.*$/, "")))).toEqual(new Set([url]));
    expect(watched.faults).toEqual([]);
  });

  it.each(["light", "dark"] as const)("is accessible on every tab (%s)", async (colorScheme) => {
    const one = await openWatched(browser, { colorScheme });
    await one.page.goto(url);
    await one.page.waitForSelector("h1");
    for (const tab of TABS) {
      await goTo(one.page, name, tab);
      for (const summary of (await one.page.locator("main details > summary").all()).slice(0, 3)) await summary.click();
      expect([tab, await axeViolations(one.page)]).toEqual([tab, []]);
    }
    await one.page.context().close();
  });

  it("fits 320 pixels without scrolling sideways", async () => {
    const one = await openWatched(browser, { viewport: { width: 320, height: 640 } });
    await one.page.goto(url);
    for (const tab of TABS) {
      await goTo(one.page, name, tab);
      const width = await one.page.evaluate("document.documentElement.scrollWidth");
      expect([tab, width]).toEqual([tab, 320]);
    }
    await one.page.context().close();
  });

  it("takes the language of the address and of the browser", async () => {
    const chinese = await openWatched(browser, { locale: "zh-CN" });
    await chinese.page.goto(url);
    await chinese.page.waitForSelector("text=结果");
    await chinese.page.goto(`${url}?lang=en`);
    await chinese.page.waitForSelector("text=Outcome");
    await chinese.page.context().close();
  });

  it("says the essentials without scripts", async () => {
    const context = await browser.newContext({ javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(url);
    await expect
      .poll(() => page.locator("noscript").textContent())
      .toMatch(/Fix the broken add helper[^]*completed[^]*Last words/);
    await context.close();
  });
});

describe("a report of a capture of the earlier program", () => {
  it("shows what was not observed as such, not as nothing", async () => {
    const name = "20261122T161530Z-fix_math_utils";
    const dir = path.join(root, name);
    fs.cpSync(path.join(LEGACY, name), dir, { recursive: true });
    const { page, faults } = await openWatched(browser);
    await page.goto(await reportUrl(dir));
    await page.waitForSelector("h1");
    await expect
      .poll(() => page.locator(".numbers li", { hasText: "connections" }).textContent())
      .toBe("– connectionsnot observed");
    await goTo(page, name, "network");
    await expect.poll(() => page.locator(".seen").first().textContent()).toMatch(/not observed.*98 looks/);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  it("shows a run without native events", async () => {
    const name = "20261122T161456Z-fix_math_utils";
    const dir = path.join(root, name);
    fs.cpSync(path.join(LEGACY, name), dir, { recursive: true });
    const { page, faults } = await openWatched(browser);
    await page.goto(await reportUrl(dir));
    await expect
      .poll(() => page.locator(".findings").textContent())
      .toMatch(/Unable to find image[^]*No native event was recorded/);
    await goTo(page, name, "timeline");
    await page.waitForSelector("text=No native event was recorded.");
    expect(faults).toEqual([]);
    await page.context().close();
  });
});

describe("a report of a very busy run", () => {
  it("holds few elements at a time and still reaches the last row", async () => {
    const name = "20261122T165000Z-busy";
    const dir = makeCapture(root, name, (parts) => {
      for (let n = 0; n < 9_000; n++) {
        parts.processTree?.processes.push(processSample(30_000 + n, 19_060, ["/bin/true", String(n)], 6.2, 6.2));
        parts.events.push(
          busEvent(6 + n / 1e4, "session.status", { sessionID: SESSION, status: { type: `status ${n}` } }),
        );
      }
    });
    const { page, faults } = await openWatched(browser);
    await page.goto(await reportUrl(dir));
    for (const tab of ["timeline", "processes"]) {
      await goTo(page, name, tab);
      const scroller = page.locator(".rows-scroll").last();
      await scroller.evaluate((element: { scrollTo(x: number, y: number): void; scrollHeight: number }) =>
        element.scrollTo(0, element.scrollHeight),
      );
      const last = tab === "timeline" ? "status 8999" : "/bin/true 8999";
      await page.locator("main", { hasText: last }).waitFor();
      await expect.poll(() => page.locator("*").count()).toBeLessThan(3_000);
      expect(await axeViolations(page)).toEqual([]);
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
