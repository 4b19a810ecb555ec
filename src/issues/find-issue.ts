import { CaptureError } from "../core/errors.ts";
import type { RiskLevel } from "../schema/common.ts";
import { shorten } from "../schema/display.ts";
import type { Issue } from "../schema/issue.ts";
import { compareText, nearNames } from "./near-names.ts";

const MAX_LISTED = 20;
const MAX_SHOWN_ID = 120;
const RISK_ORDER: Readonly<Record<RiskLevel, number>> = { safe: 0, mild: 1, severe: 2 };

/**
 * The issue with this id.
 * @throws CaptureError `issue-unknown`, with ids that are near to it, or all where there are few.
 */
export function findIssue(issues: readonly Issue[], id: string): Issue {
  const found = issues.find((issue) => issue.id === id);
  if (found !== undefined) return found;
  const ids = issues.map((issue) => issue.id);
  const near = nearNames(id, ids);
  const listed = ids.slice(0, MAX_LISTED).join(", ");
  const more = ids.length > MAX_LISTED ? `, and ${ids.length - MAX_LISTED} more` : "";
  const known = ids.length === 0 ? "the list is empty" : `known issues: ${listed}${more}`;
  const hint = near.length > 0 ? `did you mean ${near.join(" or ")}?` : known;
  throw new CaptureError("issue-unknown", `there is no issue ${JSON.stringify(shorten(id, MAX_SHOWN_ID))}`, { hint });
}

/** Order of a batch: what can do the least harm first, then by id. */
export function sortForBatch(issues: readonly Issue[]): Issue[] {
  return issues.toSorted((a, b) => RISK_ORDER[a.risk_level] - RISK_ORDER[b.risk_level] || compareText(a.id, b.id));
}
