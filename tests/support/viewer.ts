import type { Page } from "playwright-core";

export const TABS = [
  "overview",
  "timeline",
  "tools",
  "processes",
  "files",
  "network",
  "conversation",
  "evidence",
  "logs",
] as const;

/** Goes to a tab of a capture by the address, as a link does. */
export async function goTo(page: Page, name: string, tab: string): Promise<void> {
  await page.evaluate(`location.hash = ${JSON.stringify(`#/c/${encodeURIComponent(name)}/${tab}`)}`);
  await page.waitForSelector(`nav.tabs a[aria-current="page"][href$="/${tab}"]`);
}

/** Opens everything on every tab that can be opened, in both languages. */
export async function visitEverything(page: Page, name: string): Promise<void> {
  for (const language of ["中文", "English"]) {
    await page.getByRole("button", { name: language }).click();
    for (const tab of TABS) {
      await goTo(page, name, tab);
      for (const what of ["details:not([open]) > summary", "button", "details:not([open]) > summary"]) {
        await page.evaluate(
          `for (const one of document.querySelectorAll(${JSON.stringify(`main ${what}`)})) one.click()`,
        );
        await page.waitForTimeout(100);
      }
    }
  }
}
