import axe from "axe-core";
import type { Page } from "playwright-core";

const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

interface AxeResult {
  violations: { id: string; help: string; nodes: { target: unknown[] }[] }[];
}

/** Rules of accessibility that the page breaks as it stands, each with the first places. */
export async function axeViolations(page: Page): Promise<string[]> {
  // By the debugger's channel, which the page's content security policy does not forbid.
  await page.evaluate(axe.source);
  const options = JSON.stringify({ runOnly: { type: "tag", values: TAGS } });
  const { violations } = await page.evaluate<AxeResult>(`axe.run(document, ${options})`);
  return violations.map(
    (one) =>
      `${one.id}: ${one.help} (${one.nodes
        .map((node) => node.target.join(" "))
        .slice(0, 3)
        .join("; ")})`,
  );
}
