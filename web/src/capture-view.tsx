import type { ComponentChildren } from "preact";
import { visible } from "../../src/schema/display.ts";
import type { CapturePage } from "../../src/schema/page.ts";
import { Chip, toneOfLevel, toneOfRisk, toneOfStatus } from "./components/chip.tsx";
import { Text } from "./components/text.tsx";
import { type Counted, countOf } from "./counted.ts";
import { useSpeaker } from "./i18n/language.tsx";
import { TABS, type Tab } from "./route.ts";
import type { Source } from "./source.ts";
import { Conversation } from "./tabs/conversation.tsx";
import { EvidenceTab } from "./tabs/evidence.tsx";
import { Files } from "./tabs/files.tsx";
import { Logs } from "./tabs/logs.tsx";
import { Network } from "./tabs/network.tsx";
import { Overview } from "./tabs/overview.tsx";
import { Processes } from "./tabs/processes.tsx";
import { Timeline } from "./tabs/timeline.tsx";
import { Tools } from "./tabs/tools.tsx";

interface CaptureViewProps {
  page: CapturePage;
  source: Source;
  tab: Tab;
  hrefOf(tab: Tab): string;
}

/** One capture; the same in a report and in the browser. */
export function CaptureView({ page, source, tab, hrefOf }: CaptureViewProps) {
  return (
    <main id="content" tabIndex={-1}>
      <Head page={page} />
      <TabBar page={page} tab={tab} hrefOf={hrefOf} />
      <div class="page">{contentOf(page, source, tab, hrefOf)}</div>
    </main>
  );
}

function contentOf(page: CapturePage, source: Source, tab: Tab, hrefOf: (tab: Tab) => string): ComponentChildren {
  switch (tab) {
    case "overview":
      return <Overview page={page} hrefOf={hrefOf} />;
    case "timeline":
      return <Timeline page={page} />;
    case "tools":
      return <Tools page={page} />;
    case "processes":
      return <Processes page={page} />;
    case "files":
      return <Files page={page} />;
    case "network":
      return <Network page={page} />;
    case "conversation":
      return <Conversation page={page} />;
    case "evidence":
      return <EvidenceTab page={page} source={source} />;
    default:
      return <Logs page={page} source={source} />;
  }
}

function Head({ page }: { page: CapturePage }) {
  const speaker = useSpeaker();
  const { say, sayCode } = speaker;
  const { run, completeness } = page.summary;
  const status = run.finished_at === null && run.schema_version > 0 ? "unfinished" : (run.run_status ?? "unfinished");
  const facts = [
    run.started_at === null ? undefined : speaker.dateTime(run.started_at),
    run.duration_seconds === null ? undefined : speaker.duration(run.duration_seconds),
    run.model?.requested,
    page.container?.opencode_version ? `OpenCode ${page.container.opencode_version}` : undefined,
  ].filter((one) => one !== undefined);
  return (
    <div class="head">
      <p class="head-name">
        <Text value={run.issue_id ?? "?"} mono /> <span aria-hidden="true">/</span> <Text value={page.name} mono />
      </p>
      <h1>
        <Text value={run.issue_title ?? page.issue?.title ?? page.name} />
      </h1>
      <p class="head-chips">
        <Chip tone={status === "unfinished" ? "warn" : toneOfStatus(run.run_status)}>
          {sayCode("status", status, status)}
        </Chip>
        <Chip tone={toneOfRisk(run.risk_level)}>
          {say("head.risk", { level: run.risk_level ?? say("app.unknown") })}
        </Chip>
        <Validity valid={run.capture_valid} />
        <Chip tone={toneOfLevel(completeness?.verdict)}>{say(`verdict.${completeness?.verdict ?? "unknown"}`)}</Chip>
        {run.schema_version === 0 && <Chip>{say("head.earlier")}</Chip>}
      </p>
      <p class="head-facts">{facts.map((fact) => visible(fact)).join(" · ")}</p>
    </div>
  );
}

function Validity({ valid }: { valid: boolean | null }) {
  const { say } = useSpeaker();
  if (valid === null) return <Chip tone="warn">{say("head.validUnknown")}</Chip>;
  return valid ? <Chip tone="ok">{say("head.valid")}</Chip> : <Chip tone="bad">{say("head.invalid")}</Chip>;
}

function TabBar({ page, tab, hrefOf }: { page: CapturePage; tab: Tab; hrefOf(tab: Tab): string }) {
  const { say, number } = useSpeaker();
  const counts = countsOf(page, number);
  return (
    <nav class="tabs" aria-label={say("tab.nav")}>
      <ul>
        {TABS.map((one) => (
          <li key={one}>
            <a href={hrefOf(one)} aria-current={one === tab ? "page" : undefined}>
              {say(`tab.${one}`)}
              {counts[one] !== undefined && <span class="count">{counts[one]}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** `–` where it was not observed: a zero would claim that there was none. */
function countsOf({ summary, files }: CapturePage, number: (value: number) => string): Partial<Record<Tab, string>> {
  const shown = (what: Counted): string => {
    const value = countOf(summary, what);
    return value === undefined ? "–" : number(value);
  };
  return {
    timeline: number(summary.counts.timeline_total),
    tools: shown("tools"),
    processes: shown("processes"),
    files: shown("files"),
    network: shown("connections"),
    conversation: shown("exchanges"),
    evidence: number(files.length),
  };
}
