import { expect, it } from "vitest";
import { findLimits } from "./cgroup-kernel-log.ts";

const ID = "5d3abab6b53aa9f32789c8a0f4957c62414ab1a2b9d0b9d53bd76d04b6cfe04c";
const OTHER = "ab".repeat(32);

const kill = (group: string, task = "tail"): string =>
  `6,99,5805215538,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=${ID},mems_allowed=0,oom_memcg=${group},task_memcg=${group},task=${task},pid=28384,uid=10001\n SUBSYSTEM=x\n`;
const refusal = (group: string): string => `6,100,5808528876,-;cgroup: fork rejected by pids controller in ${group}\n`;

it("counts what concerns the group, and nothing else", () => {
  const records = [
    kill(`/docker/${ID}`),
    kill(`/machine.slice/libpod-${ID}.scope/container`),
    kill(`/docker/${OTHER}`, `/${ID},`),
    kill("/"),
    refusal(`/docker/${OTHER}`),
    `6,101,1,-;tail invoked oom-killer: task_memcg=/docker/${ID},\n`,
  ];
  expect(findLimits(records, ID)).toEqual({ oomKills: 1, forksRefused: false });
  expect(findLimits(records, `libpod-${ID}.scope`)).toEqual({ oomKills: 1, forksRefused: false });
  expect(findLimits([refusal(`/docker/${ID}`)], ID)).toEqual({ oomKills: 0, forksRefused: true });
});
