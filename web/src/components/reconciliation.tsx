import { visible } from "../../../src/schema/display.ts";
import type { Reconciliation } from "../../../src/schema/reconciliation.ts";
import { useSpeaker } from "../i18n/language.tsx";
import { Chip } from "./chip.tsx";
import { Section } from "./section.tsx";
import { ShownOf } from "./shown-of.tsx";
import { Text } from "./text.tsx";

/** Where witnesses that should have seen the same differ; nothing where there is only one. */
export function WitnessesCompared({ found }: { found: Reconciliation | null }) {
  const { say, number } = useSpeaker();
  if (found === null) return null;
  const { checks, mismatches, total } = found;
  const compared = checks.reduce((sum, check) => sum + check.compared, 0);
  return (
    <Section title={say("reconciliation.title")} note={say("reconciliation.note")}>
      {compared > 0 && (
        <p>
          <Chip tone={total === 0 ? "ok" : "bad"}>{number(total)}</Chip>{" "}
          {say(total === 0 ? "reconciliation.none" : "reconciliation.total", { compared: number(compared) })}
        </p>
      )}
      <ul class="findings">
        {mismatches.map((one, index) => (
          <li key={`${one.what}${index}`}>
            <Chip tone="bad">{say(`reconciliation.${one.class}`)}</Chip>
            <span class="wrap">
              {say(`reconciliation.${one.kind}`)}: <Text value={one.what} mono />{" "}
              <span class="muted">{visible(one.evidence.join(", "))}</span>
            </span>
          </li>
        ))}
      </ul>
      <ShownOf shown={mismatches.length} total={total} />
      <ul class="plain-list muted">
        {checks
          .filter(({ skipped }) => skipped !== null)
          .map(({ check, skipped }) => (
            <li key={check}>
              {say("reconciliation.skipped", { check: say(`reconciliation.${check}`) })}{" "}
              <span lang="en">
                <Text value={skipped ?? ""} />
              </span>
            </li>
          ))}
      </ul>
    </Section>
  );
}
