import { visible } from "../../../src/schema/display.ts";
import type { Summary } from "../../../src/schema/summary.ts";
import { Section } from "../components/section.tsx";
import { Text } from "../components/text.tsx";
import { useSpeaker } from "../i18n/language.tsx";

/** The supervisor's phases, each with its place on the run's time. */
export function Phases({ summary }: { summary: Summary }) {
  const { say, sayCode, duration } = useSpeaker();
  const { phases } = summary;
  if (phases.length === 0) return null;
  const times = phases.map((one) => Date.parse(one.started_at));
  const start = Math.min(...times);
  const end = Math.max(...phases.map((one, index) => (times[index] ?? start) + (one.duration_seconds ?? 0) * 1000));
  const span = Math.max(end - start, 1);
  return (
    <Section title={say("overview.phases")}>
      <ol class="phases">
        {phases.map((one, index) => {
          const from = (((times[index] ?? start) - start) / span) * 100;
          const width = (((one.duration_seconds ?? 0) * 1000) / span) * 100;
          return (
            <li key={`${one.name}${index}`}>
              <span class="phase-name" title={visible(one.name)}>
                <Text value={sayCode("phase", one.name, one.name)} />
              </span>
              <span class="phase-bar" aria-hidden="true">
                <i style={{ marginInlineStart: `${Math.min(from, 99)}%`, width: `${Math.max(width, 0.6)}%` }} />
              </span>
              <span class="phase-time">{one.duration_seconds === null ? "" : duration(one.duration_seconds)}</span>
            </li>
          );
        })}
      </ol>
    </Section>
  );
}
