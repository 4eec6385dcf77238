/** Tokens that come from the host: a sign-in of its own, a file that someone keeps fresh, another service. */

/**
 * Gives the token that is good now: as text, which is asked for before every request, or with the milliseconds that it is good for, until
 * shortly before which it is kept.
 */
export type TokenFunction = () => HostToken | Promise<HostToken>;

/** A token of the host's. */
export type HostToken = string | { readonly token: string; readonly expiresInMs?: number };

/** As much of `fetch` as is used. @internal */
export type Fetch = (input: string, init: RequestInit) => Promise<Response>;
