import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { invalid } from "../http/errors.js";

/** What the bearer of a URL may do, without any other credential. */
export type Grant = { path: string } & ({ may: "read" } | { may: "write" } | { may: "write-part"; session: string; part: number } | { may: "abort"; session: string });

/** Longest life of a URL, in milliseconds; Databricks' are good for at most an hour. */
const MAX_LIFE = 3600_000;

/** Why a URL is refused, in the words of Amazon S3, which the clients look for. */
export class GrantError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** URLs that need no token, as those of the storage behind a workspace: signed, and good for a while. They end with the process. */
export class Grants {
  readonly #key = randomBytes(32);

  /** The path and query of a URL that is good until `expires` (RFC 3339), or for an hour. */
  url(grant: Grant, expires: string | undefined): string {
    const until = expires === undefined ? Date.now() + MAX_LIFE : Math.min(Date.parse(expires), Date.now() + MAX_LIFE);
    if (Number.isNaN(until)) throw invalid(`'expire_time' must be a time such as 2026-11-30T12:00:00Z, not '${expires}'.`);
    const text = Buffer.from(JSON.stringify({ ...grant, until })).toString("base64url");
    return `/presigned/${text}.${this.#sign(text)}`;
  }

  /** What a URL made by `url` allows. Throws a GrantError for any other, and for one whose time is over. */
  read<May extends Grant["may"]>(token: string, ...may: May[]): Extract<Grant, { may: May }> {
    const [text = "", signature = ""] = token.split(".");
    const right = Buffer.from(this.#sign(text));
    const given = Buffer.from(signature);
    if (given.length !== right.length || !timingSafeEqual(given, right)) throw new GrantError("SignatureDoesNotMatch", "The URL is not one of this server's.");
    const grant = JSON.parse(Buffer.from(text, "base64url").toString()) as Extract<Grant, { may: May }> & { until: number };
    if (grant.until <= Date.now()) throw new GrantError("AccessDenied", "Request has expired");
    if (!may.includes(grant.may as May)) throw new GrantError("AccessDenied", `The URL is good to ${grant.may}, not to ${may.join(" or ")}.`);
    return grant;
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }
}
