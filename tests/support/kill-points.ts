/** Environment variable that names the point; read by kill-point.ts and fault-engine.sh. */
export const KILL_POINT = "OPENCODE_CAPTURE_TEST_KILL_POINT";

/**
 * Steps of a real run at which its supervisor is killed, in the order in which they come: the few first ones for every run
 * of the tests are those that differ most.
 */
export const KILL_POINTS = [
  "begin container",
  "engine create before",
  "engine create after",
  "begin workspace",
  "begin baseline",
  "engine init before",
  "engine init after",
  "end container",
  "begin sockets",
  "end sockets",
  "begin attach",
  "end attach",
  "begin agent",
  "agent 50",
  "agent 700",
  "agent 2500",
  "end agent",
  "begin collect",
  "begin session export",
  "end session export",
  "rename observations/fs_diff.json",
  "rename observations/process_tree.json",
  "end collect",
  "begin write",
  "rename observations/completeness.json",
  "rename meta/container.json 2",
  "rename meta/run.json 2",
  "begin report",
  "rename derived/summary.json",
  "rename report/index.html",
  "engine rm before",
  "engine rm after",
  "end clean-up",
  "end report",
] as const;
