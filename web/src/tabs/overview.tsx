import { visible, visibleLines } from "../../../src/schema/display.ts";
import type { CompletenessClass } from "../../../src/schema/observations.ts";
import type { CapturePage } from "../../../src/schema/page.ts";
import type { Anomaly } from "../../../src/schema/summary.ts";
import { anomalyWords } from "../anomaly-words.ts";
import { Chip, type Tone, toneOfLevel } from "../components/chip.tsx";
import { Discrepancies } from "../components/discrepancies.tsx";
import { WitnessesCompared } from "../components/reconciliation.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Block, Text } from "../components/text.tsx";
import { COUNTED, type Counted, countOf } from "../counted.ts";
import { type Speaker, useSpeaker } from "../i18n/language.tsx";
import type { Tab } from "../route.ts";
import { headline, TOOL_TONE } from "../tool-words.ts";
import { Phases } from "./phases.tsx";

export function Overview({ page, hrefOf }: { page: CapturePage; hrefOf(tab: Tab): string }) {
  return (
    <div class="columns">
      <div>
        <Outcome page={page} hrefOf={hrefOf} />
        <Discrepancies found={page.summary.discrepancies} />
        <Findings anomalies={page.summary.anomalies} />
        <Deeds page={page} href={hrefOf("tools")} />
        <Task page={page} />
        <LastWords page={page} />
      </div>
      <div>
        <WhatCouldBeSeen page={page} />
        <WitnessesCompared found={page.summary.reconciliation} />
        <Phases summary={page.summary} />
        <RunFacts page={page} />
        <Omitted page={page} />
      </div>
    </div>
  );
}

const TAB_OF: Record<Counted, Tab> = {
  tools: "tools",
  processes: "processes",
  files: "files",
  connections: "network",
  exchanges: "conversation",
  events: "timeline",
};

function Outcome({ page, hrefOf }: { page: CapturePage; hrefOf(tab: Tab): string }) {
  const { say, sayCode, number } = useSpeaker();
  const { run } = page.summary;
  const ended = run.finished_at !== null || run.schema_version === 0;
  const reason = ended ? (run.end_reason ?? run.run_status ?? "unfinished") : "unfinished";
  return (
    <Section title={say("overview.outcome")}>
      <p class="verdict">
        {sayCode("outcome", reason, reason)}
        {run.exit_code !== null && <span class="muted"> {say("overview.exitCode", { code: run.exit_code })}</span>}
      </p>
      {run.end_detail !== null && (
        <p class="muted" lang="en">
          <Text value={run.end_detail} />
        </p>
      )}
      <ul class="numbers" aria-label={say("overview.numbers")}>
        {COUNTED.map((what) => {
          const value = countOf(page.summary, what);
          return (
            <li key={what}>
              <a href={hrefOf(TAB_OF[what])}>
                <b>{value === undefined ? "–" : number(value)}</b> <span>{say(`number.${what}`)}</span>
                {value === undefined && <span class="number-note">{say("level.absent")}</span>}
              </a>
            </li>
          );
        })}
      </ul>
    </Section>
  );
}

const TONE: Record<Anomaly["level"], Tone> = { error: "bad", warning: "warn", info: "info" };

function Findings({ anomalies }: { anomalies: readonly Anomaly[] }) {
  const speaker = useSpeaker();
  const { say } = speaker;
  // What could not be seen has a panel of its own.
  const shown = anomalies.filter((one) => one.code !== "incomplete_observation");
  return (
    <Section title={say("overview.findings")}>
      {shown.length === 0 && <Empty>{say("overview.noFindings")}</Empty>}
      <ul class="findings">
        {shown.map((one, index) => (
          <li key={`${one.code}${index}`}>
            <Chip tone={TONE[one.level]}>{say(`severity.${one.level}`)}</Chip>
            <span class="wrap">{visibleLines(anomalyWords(one, speaker))}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

const SHOWN_DEEDS = 12;

/** The first tool calls, one line each: what the agent did says more than what it tells of it. */
function Deeds({ page, href }: { page: CapturePage; href: string }) {
  const { say, number } = useSpeaker();
  const { tools, counts } = page.summary;
  if (tools.length === 0) return null;
  return (
    <Section title={say("overview.did")}>
      <ol class="deeds">
        {tools.slice(0, SHOWN_DEEDS).map((use, index) => (
          <li key={`${use.call_id ?? ""}${index}`}>
            <Chip tone={TOOL_TONE[use.status]} title={say(`tools.status.${use.status}`)}>
              <Text value={use.tool} mono />
            </Chip>
            <span class="deed">
              <Text value={headline(use)} mono />
            </span>
          </li>
        ))}
      </ol>
      {counts.tools_total > SHOWN_DEEDS && (
        <p>
          <a href={href}>{say("overview.allTools", { count: number(counts.tools_total) })}</a>
        </p>
      )}
    </Section>
  );
}

function Task({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const { issue } = page;
  return (
    <Section title={say("overview.prompt")}>
      {issue?.prompt == null ? (
        <Empty>{say("overview.noPrompt")}</Empty>
      ) : (
        <Block value={issue.prompt} label={say("overview.prompt")} />
      )}
      {issue !== null && issue.files.length > 0 && (
        <>
          <h3>{say("overview.relevantFiles")}</h3>
          <ul class="plain-list">
            {issue.files.map((file) => (
              <li key={file}>
                <Text value={file} mono />
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

function LastWords({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const { final_message: text, final_message_source: source } = page.summary;
  const note =
    source === null ? undefined : say(source === "gateway" ? "overview.finalGateway" : "overview.finalAgent");
  return (
    <Section
      title={say("overview.final")}
      note={
        <>
          <Chip>{say("overview.claim")}</Chip> {note}
        </>
      }
    >
      {text === null ? <Empty>{say("overview.noFinal")}</Empty> : <Block value={text} label={say("overview.final")} />}
    </Section>
  );
}

/** What happened in the machine first, what the agent says of itself last. */
const CLASS_ORDER: readonly string[] = [
  "process",
  "network",
  "dns",
  "file-workspace",
  "file-outside",
  "file-contents",
  "packets",
  "model",
  "agent-output",
  "native-events",
  "session-export",
];

function inOrder(classes: readonly CompletenessClass[]): CompletenessClass[] {
  return classes.toSorted((a, b) => CLASS_ORDER.indexOf(a.class) - CLASS_ORDER.indexOf(b.class));
}

function WhatCouldBeSeen({ page }: { page: CapturePage }) {
  const { say, sayCode } = useSpeaker();
  const { completeness } = page.summary;
  return (
    <Section title={say("overview.seen")}>
      {completeness === null && <Empty>{say("overview.seenUnknown")}</Empty>}
      <ul class="seen-list">
        {inOrder(completeness?.classes ?? []).map((one, index) => (
          <li key={`${one.class}${index}`}>
            <span class="seen-name">{sayCode("class", one.class, one.class)}</span>
            <Chip tone={toneOfLevel(one.level)} title={say(`levelHelp.${one.level}`)}>
              {say(`level.${one.level}`)}
            </Chip>
            <span class="seen-reason" lang="en">
              <Text value={one.reason} />
            </span>
          </li>
        ))}
      </ul>
      {completeness !== null && completeness.gaps.length > 0 && (
        <>
          <h3>{say("overview.gaps")}</h3>
          <ul class="plain-list" lang="en">
            {completeness.gaps.map((gap, index) => (
              <li key={`${gap.class}${index}`}>
                <Text value={`${gap.class}: ${gap.reason}`} />
              </li>
            ))}
          </ul>
        </>
      )}
    </Section>
  );
}

type Model = NonNullable<CapturePage["summary"]["run"]["model"]>;

function tokensAndCost({ input_tokens: sent, output_tokens: received, cost_usd: cost }: Model, speaker: Speaker) {
  if (sent === null && received === null) return null;
  const count = (one: number | null): string => (one === null ? "?" : speaker.number(one));
  const words = speaker.say("head.tokensOf", { sent: count(sent), received: count(received) });
  return cost === null ? words : `${words} · ${cost.toFixed(4)} USD`;
}

/** Which sensor watched, and how it did in the last self-test of the machine. */
function sensorWords(used: string, selftest: CapturePage["summary"]["run"]["selftest"], { say, dateTime }: Speaker) {
  const name = visible(used);
  if (selftest === null) return name;
  return `${name} · ${say("head.selftest", { verdict: visible(selftest.verdict), date: dateTime(selftest.finished_at) })}`;
}

function RunFacts({ page }: { page: CapturePage }) {
  const speaker = useSpeaker();
  const { say } = speaker;
  const { run } = page.summary;
  const tokens = run.model;
  return (
    <Section title={say("overview.run")}>
      <Facts
        rows={[
          [
            say("head.started"),
            run.started_at === null ? null : (
              <time dateTime={visible(run.started_at)}>{speaker.dateTime(run.started_at)}</time>
            ),
          ],
          [say("head.duration"), run.duration_seconds === null ? null : speaker.duration(run.duration_seconds)],
          [
            say("head.model"),
            tokens === null ? null : <Text value={`${tokens.requested} (${tokens.provider}/${tokens.model})`} mono />,
          ],
          [say("head.tokens"), tokens === null ? null : tokensAndCost(tokens, speaker)],
          [say("head.sentTo"), tokens?.base_url == null ? null : <Text value={tokens.base_url} mono />],
          [say("head.sensor"), run.sensor === null ? null : sensorWords(run.sensor.used, run.selftest, speaker)],
          [say("head.projectConfig"), run.agent_config?.project_config === true ? say("head.projectConfigRead") : null],
          [say("evidence.image"), run.image_ref === null ? null : <Text value={run.image_ref} mono />],
          [say("evidence.session"), run.session_id === null ? null : <Text value={run.session_id} mono />],
          ["run_id", run.run_id === null ? null : <Text value={run.run_id} mono />],
        ]}
      />
    </Section>
  );
}

function Omitted({ page }: { page: CapturePage }) {
  const { say, number } = useSpeaker();
  if (page.omitted.length === 0) return null;
  return (
    <Section title={say("overview.omitted")}>
      <ul class="plain-list">
        {page.omitted.map((one) => (
          <li key={one.what}>{say(`omitted.${one.what}`, { kept: number(one.kept), total: number(one.total) })}</li>
        ))}
      </ul>
    </Section>
  );
}
