import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { DoctorParts } from '../../../src/agent/doctor.ts';
import { readSecrets, readSettings } from '../../../src/agent/doctor-secrets.ts';
import { createRunGit } from '../../../src/git/run.ts';
import { loadIdentity } from '../../../src/home/identity.ts';
import { findHome, prepareHome } from '../../../src/home/paths.ts';
import { realClock } from '../../../src/lib/clock.ts';
import { makeFolder } from '../../helpers/repo.ts';

let parts: DoctorParts;

beforeEach(async () => {
  const dir = makeFolder();
  const env = { PATH: process.env['PATH'], HOME: dir, GIT_CONFIG_NOSYSTEM: '1' };
  const home = findHome({ ...env, GIT_XMPP_HOME: join(dir, 'home') });
  await prepareHome(home);
  parts = { home, env, runGit: createRunGit(env), clock: realClock, random: (size) => new Uint8Array(size) };
});

describe('readSecrets', () => {
  it('knows the password as it is written and as it is meant, every key, and open invites', async () => {
    const { home } = parts;
    const identity = await loadIdentity(home, { name: 'laptop' });
    writeFileSync(home.config, '[account]\n\tjid = romeo@example.org\n', { mode: 0o600 });
    writeFileSync(home.credentials, 'xmpp://romeo:p%40ss%2Fword@example.org\n', { mode: 0o600 });
    writeFileSync(join(home.state, 'invites.json'), JSON.stringify({ invites: [{ id: 'abcdefgh', secret: 'SECRETSECRET' }] }), { mode: 0o600 });
    const secrets = await readSecrets(parts);
    expect(secrets).toEqual(expect.arrayContaining(['p@ss/word', 'p%40ss%2Fword', identity.keyPem, identity.ageIdentity, 'SECRETSECRET']));
    const keyLine = identity.keyPem.split('\n')[1] ?? '';
    expect(secrets).toContain(keyLine);
    for (const open of ['laptop', identity.resource, identity.certPem]) expect(secrets).not.toContain(open);
  });

  it('is content with a home that has none, or is damaged, and mends nothing', async () => {
    expect(await readSecrets(parts)).toEqual([]);
    writeFileSync(join(parts.home.identity, 'device.json'), '{"keyPem": "x');
    writeFileSync(parts.home.config, '[broken\n');
    expect(await readSecrets(parts)).toEqual([]);
    expect(readFileSync(join(parts.home.identity, 'device.json'), 'utf8')).toBe('{"keyPem": "x');
  });
});

describe('readSettings', () => {
  it('takes the whole of the home’s, and of git’s own what is ours', async () => {
    writeFileSync(parts.home.config, '[account]\n\tjid = romeo@example.org\n', { mode: 0o600 });
    writeFileSync(join(parts.env['HOME'] ?? '', '.gitconfig'), '[user]\n\tname = Romeo\n[xmpp]\n\tdirect = false\n');
    expect(await readSettings(parts)).toEqual([
      ['account.jid', 'romeo@example.org'],
      ['xmpp.direct', 'false'],
    ]);
  });
});
