import { expect, test } from "vitest";
import { distributionStanzas, parseAptSources } from "./apt-source-list.ts";

const DEB822 = `# the distribution
Types: deb deb-src
URIs: http://deb.example/debian
  http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: https://tools.example/linux/debian
Suites: bookworm
Components: stable

Types: deb
Enabled: no
URIs: http://off.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: http://key.example/debian
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
`;

const ONE_LINE = `# comment
deb http://deb.example/debian bookworm main contrib # more
  deb [arch=amd64 signed-by=/etc/key.gpg] https://deb.example/debian-security bookworm-security main
deb-src http://deb.example/debian bookworm main
#deb http://off.example/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb https://tools.example/debian nodistro main
`;

const SUITES = ["bookworm", "bookworm-updates", "bookworm-security"];

test("deb822: the distribution's own suites and components, keys as they are given", () => {
  const stanzas = distributionStanzas(parseAptSources(DEB822, "deb822"), SUITES, ["main"], "/default.gpg");
  expect(stanzas).toBe(`Types: deb
URIs: http://deb.example/debian http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://key.example/debian
Suites: bookworm-security
Components: main
Signed-By: -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc
 -----END PGP PUBLIC KEY BLOCK-----
`);
});

test("one line a source: options, comments, other media", () => {
  const stanzas = distributionStanzas(parseAptSources(ONE_LINE, "one-line"), SUITES, ["main"], undefined);
  expect(stanzas).toBe(`Types: deb
URIs: http://deb.example/debian
Suites: bookworm
Components: main

Types: deb
URIs: https://deb.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /etc/key.gpg
`);
});

test("nothing of the distribution gives nothing", () => {
  expect(distributionStanzas(parseAptSources(DEB822, "deb822"), ["trixie"], ["main"], undefined)).toBe("");
  expect(parseAptSources("", "deb822")).toEqual([]);
  expect(parseAptSources("garbage\n\n: x", "deb822")).toEqual([]);
});
