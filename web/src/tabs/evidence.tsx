import type { ComponentChildren } from "preact";
import type { CapturePage, PageFile } from "../../../src/schema/page.ts";
import { Rows } from "../components/rows.tsx";
import { Empty, Facts, Section } from "../components/section.tsx";
import { Text } from "../components/text.tsx";
import { useSpeaker } from "../i18n/language.tsx";
import type { Source } from "../source.ts";

export function EvidenceTab({ page, source }: { page: CapturePage; source: Source }) {
  return (
    <div class="columns">
      <div>
        <FileList page={page} source={source} />
        <Counters page={page} />
      </div>
      <div>
        <Container page={page} />
        <Versions page={page} />
      </div>
    </div>
  );
}

function FileList({ page, source }: { page: CapturePage; source: Source }) {
  const { say, bytes } = useSpeaker();
  const row = (file: PageFile): ComponentChildren => (
    <div class="event event-evidence">
      <span class="event-title">
        {source.kind === "server" ? (
          <a href={source.rawUrl(page.name, file.path)} download>
            <Text value={file.path} mono />
          </a>
        ) : (
          <Text value={file.path} mono />
        )}
      </span>
      <span class="event-end muted">{bytes(file.sizeBytes)}</span>
    </div>
  );
  return (
    <Section title={say("evidence.files")}>
      <Rows items={page.files} keyOf={(file) => file.path} label={say("evidence.files")} row={row} />
    </Section>
  );
}

function mono(value: string | null | undefined): ComponentChildren {
  return value === null || value === undefined || value === "" ? null : <Text value={value} mono />;
}

function Container({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  if (page.container === null) {
    return (
      <Section title={say("evidence.container")}>
        <Empty>{say("evidence.noContainer")}</Empty>
      </Section>
    );
  }
  return (
    <>
      <Configured record={page.container} />
      <Measured record={page.container} />
    </>
  );
}

type ContainerProps = { record: NonNullable<CapturePage["container"]> };

function Configured({ record: { engine, image, container } }: ContainerProps) {
  const { say, bytes } = useSpeaker();
  const limits = container?.limits;
  const rootless = engine?.rootless === true ? " rootless" : "";
  return (
    <Section title={say("evidence.container")}>
      <Facts
        rows={[
          [say("evidence.engine"), mono(engine && `${engine.kind} ${engine.version}${rootless}`)],
          [
            say("evidence.runtime"),
            mono(engine && `${engine.runtime} ${engine.runtime_version ?? ""}, cgroup ${engine.cgroup_version}`),
          ],
          [say("evidence.image"), mono(image?.ref)],
          [say("evidence.imageId"), mono(image?.id)],
          [say("evidence.user"), mono(container?.user)],
          [say("evidence.command"), mono(container?.command.join(" "))],
          [
            say("evidence.limits"),
            mono(limits && `${limits.cpus} CPU · ${bytes(limits.memory_bytes)} · ${limits.pids} pids`),
          ],
        ]}
      />
      {container !== null && <Mounts mounts={container.mounts} />}
    </Section>
  );
}

type Mount = NonNullable<ContainerProps["record"]["container"]>["mounts"][number];

function Mounts({ mounts }: { mounts: readonly Mount[] }) {
  const { say } = useSpeaker();
  return (
    <>
      <h3>{say("evidence.mounts")}</h3>
      <ul class="plain-list">
        {mounts.map((mount) => (
          <li key={mount.target}>
            <Text value={`${mount.target} (${mount.kind})`} mono />{" "}
            {say(mount.read_only ? "evidence.readOnly" : "evidence.writable")}
          </li>
        ))}
      </ul>
    </>
  );
}

function Measured({ record: { measured } }: ContainerProps) {
  const { say } = useSpeaker();
  if (measured === null) return null;
  const yes = (value: boolean | null): string | null => (value === null ? null : say(value ? "app.yes" : "app.no"));
  return (
    <Section title={say("evidence.measured")}>
      <Facts
        rows={[
          [say("evidence.capabilities"), mono(measured.cap_eff)],
          [say("evidence.noNewPrivs"), yes(measured.no_new_privs)],
          [say("evidence.seccomp"), measured.seccomp_mode === null ? null : yes(measured.seccomp_mode === 2)],
          [say("evidence.user"), measured.uid === null ? null : `${measured.uid}:${measured.gid ?? "?"}`],
          [say("evidence.interfaces"), mono(measured.network_interfaces?.join(", "))],
        ]}
      />
    </Section>
  );
}

function Counters({ page }: { page: CapturePage }) {
  const { say, bytes, number, duration } = useSpeaker();
  const counters = page.summary.run.kernel_counters;
  if (counters === null) return null;
  return (
    <Section title={say("evidence.counters")}>
      <Facts
        rows={[
          [say("evidence.oomKills"), counters.oom_kills === null ? say("app.unknown") : number(counters.oom_kills)],
          [
            say("evidence.pidsHits"),
            counters.pids_limit_hits === null ? say("app.unknown") : number(counters.pids_limit_hits),
          ],
          [
            say("evidence.memoryPeak"),
            counters.memory_peak_bytes === null ? say("app.unknown") : bytes(counters.memory_peak_bytes),
          ],
          [say("evidence.cpu"), counters.cpu_seconds === null ? say("app.unknown") : duration(counters.cpu_seconds)],
        ]}
      />
    </Section>
  );
}

function Versions({ page }: { page: CapturePage }) {
  const { say } = useSpeaker();
  const { run } = page.summary;
  const host = run.host;
  return (
    <Section title={say("evidence.versions")}>
      <Facts
        rows={[
          ["opencode-capture", <Text key="tool" value={run.tool_version ?? say("app.unknown")} mono />],
          ["viewer", <Text key="viewer" value={page.toolVersion} mono />],
          [
            say("evidence.host"),
            host === null ? null : <Text value={`${host.platform}, ${host.kernel}, node ${host.node}`} mono />,
          ],
          ["sensor", run.sensor === null ? null : <Text value={`${run.sensor.used}: ${run.sensor.reason}`} />],
        ]}
      />
    </Section>
  );
}
