import type { CompletenessClass } from "../../../src/schema/observations.ts";
import type { Summary } from "../../../src/schema/summary.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { Chip, toneOfLevel } from "./chip.tsx";
import { Text } from "./text.tsx";

/** How well one class of events was seen; stands above every list, because an empty list is not "nothing". */
export function Seen({ summary, kind }: { summary: Summary; kind: CompletenessClass["class"] }) {
  const { say, sayCode } = useSpeaker();
  const statement = summary.completeness?.classes.find((one) => one.class === kind);
  const level = statement?.level ?? "unknown";
  return (
    <p class={`seen seen-${toneOfLevel(level)}`}>
      <Chip tone={toneOfLevel(level)}>{say(`level.${level}`)}</Chip>
      <span>
        <strong>{sayCode("class", kind, kind)}.</strong> {say(`levelHelp.${level}`)}{" "}
        {statement !== undefined && (
          <span class="muted" lang="en">
            <Text value={statement.reason} />
          </span>
        )}
        {statement?.lost != null && statement.lost > 0 && <> {say("level.lost", { count: statement.lost })}</>}
      </span>
    </p>
  );
}
