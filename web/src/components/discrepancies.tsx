import type { Discrepancy } from "../../../src/schema/discrepancy.ts";
import { visibleLines } from "../../../src/schema/display.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { Chip, type Tone } from "./chip.tsx";
import { Empty, Section } from "./section.tsx";
import { Text } from "./text.tsx";

const TONE: Record<Discrepancy["severity"], Tone> = { high: "bad", medium: "warn", low: "info" };

/** Where what was said and what was done differ. */
export function Discrepancies({ found }: { found: readonly Discrepancy[] | null }) {
  const { say, language } = useSpeaker();
  if (found === null) return null;
  return (
    <Section title={say("discrepancy.title")} note={say("discrepancy.note")}>
      {found.length === 0 && <Empty>{say("discrepancy.none")}</Empty>}
      <ul class="findings">
        {found.map((one, index) => (
          <li key={`${one.code}${index}`}>
            <Chip tone={TONE[one.severity]}>{say(`discrepancy.${one.severity}`)}</Chip>
            <span class="wrap">
              {visibleLines(one.message[language])}
              {one.claim !== null && (
                <span class="muted">
                  {" "}
                  “<Text value={one.claim} />”
                </span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
