import { isoNow, sleepInBackground } from "../core/clock.ts";
import { measurePosture } from "../sandbox/posture.ts";
import { SessionReader } from "../sensors/session-store/session-reader.ts";
import { DiskWatch } from "./disk-room.ts";
import type { StopCause } from "./judge.ts";
import { runLimits } from "./run-limits.ts";
import type { RunState } from "./run-state.ts";
import { Watchdog } from "./watchdog.ts";

/** How the agent's process ended, as far as the engine tells. */
export interface AgentEnd {
  stoppedBy: StopCause | undefined;
  exitCode: number | null;
  engineError: string | undefined;
}

/** After a kill the engine must report the end within this time, else it counts as lost. */
const KILL_GRACE_MS = 20_000;
/** When nothing was printed by then, the posture is measured anyway. */
const POSTURE_AFTER_MS = 1000;
const READER_LOOK_MS = 200;
const SOCKET_LOOK_MS = 500;

/** Lets the agent run to its end: its own, a limit's, or the user's. */
export async function followRun(run: RunState, signal: AbortSignal): Promise<AgentEnd> {
  const { container, output } = run;
  if (container === undefined || output === undefined) throw new Error("follow before start");
  const attached = container.start();
  run.agentStartedAt = isoNow();
  output.follow(attached.stdout, attached.stderr);
  // The agent may end, or close its input, before it has read everything: that is its own affair.
  attached.stdin.on("error", () => {});
  attached.stdin.end(run.plan.prompt);
  const measured = scheduleMeasurement(run, attached.stdout, attached.stderr);

  let stoppedBy: StopCause | undefined;
  const { promise: lost, resolve: giveUp } = Promise.withResolvers<{ exitCode: null; engineError: string }>();
  const stop = (cause: StopCause): void => {
    if (stoppedBy !== undefined) return;
    stoppedBy = cause;
    void killEverything(run).then(async () => {
      await sleepInBackground(KILL_GRACE_MS);
      giveUp({
        exitCode: null,
        engineError: `the engine did not report the container's end ${KILL_GRACE_MS / 1000} s after it was killed`,
      });
    });
  };
  const onAbort = (): void => stop("interrupted");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  const watchdog = watch(run, stop);
  const diskWatch = new DiskWatch({
    captureRoot: run.plan.captureRoot,
    agentDirs: [run.workspaceDir, run.privateDir.home, run.privateDir.tmp],
    limits: runLimits(run.plan.limits),
    onLimit: stop,
  });
  const modelTimer = watchModelSocket(run, stop);
  const readerTimer = startReaderInTime(run);
  try {
    const end = await Promise.race([attached.exited, lost]);
    run.exitedAt = isoNow();
    return { stoppedBy, ...end };
  } finally {
    watchdog.stop();
    diskWatch.stop();
    clearTimeout(measured);
    clearInterval(readerTimer);
    clearInterval(modelTimer);
    signal.removeEventListener("abort", onAbort);
  }
}

/** Kills every process of the container, daemons included: the control group first, then the engine's own way. */
export async function killEverything(run: RunState): Promise<void> {
  try {
    await run.cgroup?.killAll();
  } finally {
    if (run.container !== undefined) await run.plan.engine.killContainer(run.container.id);
  }
}

function watch(run: RunState, stop: (cause: StopCause) => void): Watchdog {
  const { plan, gateway, output, cgroup } = run;
  return new Watchdog({
    timeoutSeconds: plan.timeoutSeconds,
    idleSeconds: plan.idleSeconds,
    cpuSeconds: () => cgroup?.read().cpu_seconds ?? undefined,
    lastActivityMs: () => Math.max(gateway?.lastActivityMs() ?? 0, output?.lastActivityMs() ?? 0),
    modelLimitReached: () => (gateway?.totals().limitReached ?? null) !== null,
    onLimit: stop,
  });
}

/** Asked and not told: the event comes only when the last open connection is gone. */
function watchModelSocket(run: RunState, stop: (cause: StopCause) => void): NodeJS.Timeout {
  return setInterval(() => {
    if (run.modelListener?.listening === false) stop("model-lost");
  }, SOCKET_LOOK_MS);
}

/** Once the agent talks to the model its start is over, which needs all CPUs; from then on there is room. */
function startReaderInTime(run: RunState): NodeJS.Timeout {
  const timer = setInterval(() => {
    if ((run.gateway?.totals().exchangeCount ?? 0) === 0) return;
    clearInterval(timer);
    run.sessionReader = new SessionReader();
  }, READER_LOOK_MS);
  return timer;
}

/** The runtime drops privileges right before the program, and the first output proves that the program runs. */
function scheduleMeasurement(run: RunState, ...streams: NodeJS.ReadableStream[]): NodeJS.Timeout {
  const measure = (): void => {
    if (run.container !== undefined) run.posture ??= measurePosture(run.container.pid);
  };
  for (const stream of streams) stream.once("data", measure);
  return setTimeout(measure, POSTURE_AFTER_MS);
}
