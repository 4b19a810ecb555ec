import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";

/** A private authority, and a certificate that it gave to one name. All PEM. */
export interface TestCertificates {
  authority: string;
  certificate: string;
  key: string;
}

const DAY_MS = 86_400_000;
const OID = {
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  subjectAltName: [0x55, 0x1d, 0x11],
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
};

/** One element of DER (X.690): tag, length, content. */
function der(tag: number, ...parts: (Uint8Array | readonly number[])[]): Buffer {
  const content = Buffer.concat(parts.map((part) => Buffer.from(part)));
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
}

const sequence = (...parts: Uint8Array[]) => der(0x30, ...parts);
const oid = (bytes: readonly number[]) => der(0x06, bytes);
const utcTime = (ms: number) =>
  der(
    0x17,
    Buffer.from(
      `${new Date(ms)
        .toISOString()
        .replaceAll(/[-:T]|\.\d+/g, "")
        .slice(2)}`,
    ),
  );
const nameOf = (text: string) => sequence(der(0x31, sequence(oid(OID.commonName), der(0x0c, Buffer.from(text)))));
const ALGORITHM = sequence(oid(OID.ecdsaWithSha256));

interface CertificateOptions {
  serial: number;
  issuer: string;
  subject: string;
  publicKey: KeyObject;
  signer: KeyObject;
  extension: Buffer;
}

/** An X.509 certificate (RFC 5280), valid for two days around now. */
function certificate({ serial, issuer, subject, publicKey, signer, extension }: CertificateOptions): string {
  const now = Date.now();
  const body = sequence(
    der(0xa0, der(0x02, [2])),
    der(0x02, [serial]),
    ALGORITHM,
    nameOf(issuer),
    sequence(utcTime(now - DAY_MS), utcTime(now + DAY_MS)),
    nameOf(subject),
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(extension)),
  );
  const whole = sequence(body, ALGORITHM, der(0x03, [0], sign("sha256", body, signer)));
  return `-----BEGIN CERTIFICATE-----\n${whole.toString("base64")}\n-----END CERTIFICATE-----\n`;
}

/** Certificates for a host that only a test knows. */
export function testCertificates(host: string): TestCertificates {
  const authority = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const own = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const issuer = "opencode-capture test authority";
  const signedBy = { issuer, signer: authority.privateKey };
  const isAuthority = sequence(oid(OID.basicConstraints), der(0x01, [0xff]), der(0x04, sequence(der(0x01, [0xff]))));
  const forHost = sequence(oid(OID.subjectAltName), der(0x04, sequence(der(0x82, Buffer.from(host)))));
  return {
    authority: certificate({
      ...signedBy,
      serial: 1,
      subject: issuer,
      publicKey: authority.publicKey,
      extension: isAuthority,
    }),
    certificate: certificate({ ...signedBy, serial: 2, subject: host, publicKey: own.publicKey, extension: forHost }),
    key: own.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  };
}
