/** Tokens of users in files that only their owner can read. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

import type { UserTokenStore } from './login.js';
import type { Application, UserTokens } from './token-endpoint.js';

/** The file of an application's tokens, in `$LAKELET_CACHE/oauth`, `~/.cache/lakelet/oauth` unless set. One that cannot be read holds none. */
export function tokenFile({ host, clientId, scopes }: Application): UserTokenStore {
  const folder = join(process.env['LAKELET_CACHE'] || join(homedir(), '.cache', 'lakelet'), 'oauth');
  const name = createHash('sha256').update(JSON.stringify([host, clientId, scopes])).digest('hex');
  const path = join(folder, `${name}.json`);
  return {
    read() {
      try {
        const { access_token, expires_at, refresh_token } = JSON.parse(readFileSync(path, 'utf8')) as UserTokens;
        if (typeof access_token !== 'string' || typeof expires_at !== 'number') return undefined;
        return { access_token, expires_at, ...(typeof refresh_token === 'string' && { refresh_token }) };
      } catch {
        return undefined;
      }
    },
    /** Written aside and moved into place, so that another program never reads half of it. Where nothing can be written, the tokens are there all the same. */
    write(tokens) {
      const aside = `${path}.${randomBytes(6).toString('hex')}`;
      try {
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        writeFileSync(aside, JSON.stringify(tokens), { mode: 0o600, flag: 'wx' });
        renameSync(aside, path);
      } catch {
        rmSync(aside, { force: true });
      }
    },
  };
}
