import * as fs from "node:fs";
import { describe, expect, it } from "vitest";
import { cgroupDirsOf, containerGroup, holdsThisProcess, parseCgroupMounts, parseMembership } from "./cgroup-paths.ts";
import { killProcesses } from "./cgroup-processes.ts";

const ID = "ab".repeat(32);

describe("mounts", () => {
  it("of version 1, one for several controllers, and with blanks in the path", () => {
    const text = [
      "23 1 0:21 / / rw - ext4 /dev/vda rw",
      "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755",
      "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:5 - cgroup cgroup rw,cpu,cpuacct",
      "33 31 0:30 /docker/x /mnt/with\\040blank rw - cgroup cgroup rw,memory",
      "34 31 0:31 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
    ].join("\n");
    expect(parseCgroupMounts(text)).toEqual([
      { controllers: ["rw", "cpu", "cpuacct"], mountPoint: "/sys/fs/cgroup/cpu,cpuacct", root: "/" },
      { controllers: ["rw", "memory"], mountPoint: "/mnt/with blank", root: "/docker/x" },
      { controllers: ["rw", "xattr", "name=systemd"], mountPoint: "/sys/fs/cgroup/systemd", root: "/" },
    ]);
  });
  it("of version 2 are `unified`", () => {
    const text = "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n";
    expect(parseCgroupMounts(text)).toEqual([{ controllers: ["unified"], mountPoint: "/sys/fs/cgroup", root: "/" }]);
  });
});

describe("membership", () => {
  it("names a path for each controller", () => {
    const text = `9:name=systemd:/a\n2:cpu,cpuacct:/b:c\n0::/system.slice/docker-${ID}.scope\n`;
    expect([...parseMembership(text)]).toEqual([
      ["name=systemd", "/a"],
      ["cpu", "/b:c"],
      ["cpuacct", "/b:c"],
      ["unified", `/system.slice/docker-${ID}.scope`],
    ]);
  });
});

describe("the container's own group", () => {
  it.each([
    [`/docker/${ID}`, `/docker/${ID}`],
    [`/machine.slice/libpod-${ID}.scope/container`, `/machine.slice/libpod-${ID}.scope`],
    [`/docker/${ID}/docker/${"cd".repeat(32)}/init.scope`, `/docker/${ID}/docker/${"cd".repeat(32)}`],
    ["/user.slice/session-1.scope", "/user.slice/session-1.scope"],
  ])("of %s is %s", (member, group) => expect(containerGroup(member)).toBe(group));
});

describe("this process", () => {
  it("has directories that exist, and is never killed as a container", async () => {
    const dirs = cgroupDirsOf(process.pid);
    for (const dir of Object.values(dirs)) expect(fs.existsSync(`${dir}/cgroup.procs`)).toBe(true);
    const own = Object.keys(dirs).length > 0 ? dirs : { unified: "/sys/fs/cgroup" };
    expect(holdsThisProcess(own)).toBe(true);
    await expect(killProcesses(own)).rejects.toMatchObject({ code: "internal" });
  });
  it("is not in a container's group", () => {
    expect(holdsThisProcess({ unified: `/sys/fs/cgroup/docker/${ID}` })).toBe(false);
  });
});
