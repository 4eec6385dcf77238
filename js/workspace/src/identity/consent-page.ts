import type { Wish } from "./consent.js";

const STYLE = `
  body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #f6f7f9; display: grid; place-items: center; min-height: 100vh; margin: 0 }
  main { background: #fff; border: 1px solid #dfe3e8; border-radius: 12px; padding: 2rem; max-width: 26rem; margin: 1rem }
  h1 { font-size: 1.25rem; margin: 0 0 1rem }
  code { font-size: .9em; overflow-wrap: anywhere }
  form { display: flex; gap: .75rem; margin-top: 1.5rem }
  button { font: inherit; padding: .5rem 1.25rem; border-radius: 8px; border: 1px solid #8a94a0; background: #fff; cursor: pointer }
  button[value=approve] { background: #1f5fbf; border-color: #1f5fbf; color: #fff }
  @media (prefers-color-scheme: dark) {
    body { color: #e6e9ed; background: #14171a } main { background: #1d2126; border-color: #343a41 } button { background: none; color: inherit }
  }`;

/** Asks the user whether a program may act for them. The ticket comes back with the answer. */
export function consentPage(user: string, { client, redirect, scopes }: Wish, ticket: string): string {
  const list = scopes.map((scope) => `<li><code>${escape(scope)}</code></li>`).join("");
  return page(`<h1>Let <code>${escape(client)}</code> act for you?</h1>
    <p>You are <strong>${escape(user)}</strong> in this local workspace. The program asks for:</p>
    <ul>${list}</ul>
    <p>The answer goes to <code>${escape(redirect.origin)}</code> on this machine.</p>
    <form method="post" action="/oidc/v1/authorize">
      <input type="hidden" name="ticket" value="${escape(ticket)}">
      <button name="decision" value="approve" autofocus>Allow</button>
      <button name="decision" value="deny">Deny</button>
    </form>`);
}

function page(content: string): string {
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in to the local workspace</title><style>${STYLE}</style></head>
<body><main>${content}</main></body>
</html>`;
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
