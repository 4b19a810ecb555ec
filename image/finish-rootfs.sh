#!/bin/sh
# Runs as root inside the new root file system, last of all: the agent's user and directories, then what no run needs is dropped.
# Both recipes call it (Containerfile: RUN; distribution packages: a hook of mmdebstrap).
set -eu

groupadd --gid 10001 agent
useradd --uid 10001 --gid 10001 --home-dir /home/agent --no-create-home --shell /bin/bash agent
mkdir -p /home/agent /workspace /capture /opt/opencode-config
# A tmpfs or bind mount takes over mode and owner of its mount point, so that HOME must be open to any user here.
chmod 1777 /home/agent
chown agent:agent /workspace

# The builder's own ids must not show in the image. Only what differs is touched: a layer would copy the rest.
find /usr/local \( ! -user 0 -o ! -group 0 \) -exec chown --no-dereference 0:0 {} +

# Addresses of package mirrors and proxies may carry passwords; without a network they are of no use anyway.
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /etc/apt/apt.conf.d/99mmdebstrap /etc/dpkg/dpkg.cfg.d/99mmdebstrap
rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/cache/debconf/* /var/log/* /tmp/* /var/tmp/* /image
rm -rf /usr/share/man/* /usr/share/locale/* /usr/share/info/* /usr/share/lintian /usr/share/bash-completion
# Licence texts stay.
find /usr/share/doc -mindepth 1 ! -type d ! -name copyright -delete
find /usr/share/doc -mindepth 1 -type d -empty -delete
: >/etc/machine-id
# Under Docker's builder these two are mounts: they can only be emptied.
for file in /etc/resolv.conf /etc/hostname; do
  rm -f "$file" 2>/dev/null || : >"$file"
done
