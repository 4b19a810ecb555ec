import type { Anomaly } from "../../src/schema/summary.ts";
import type { Speaker } from "./i18n/language.tsx";

/** An anomaly in the reader's language; the English message of the summary where its code is not known here. */
export function anomalyWords(anomaly: Anomaly, { say, sayCode }: Speaker): string {
  const params = Object.fromEntries(Object.entries(anomaly.params ?? {}).map(([key, value]) => [key, String(value)]));
  const { class: kind, level } = params;
  if (kind !== undefined) params["class"] = kind === "all" ? say("overview.seen") : sayCode("class", kind, kind);
  if (level !== undefined) params["level"] = sayCode("level", level, level);
  return sayCode("anomaly", anomaly.code, anomaly.message, params);
}
