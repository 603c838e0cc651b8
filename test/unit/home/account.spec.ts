// The account in the configuration.

import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { forgetAccount, parseHostAndPort, readAccount, writeAccount } from '../../../src/home/account.ts';
import type { Account } from '../../../src/home/account.ts';
import { Config } from '../../../src/home/config.ts';
import { parseBareJid } from '../../../src/lib/jid.ts';
import type { RunGit } from '../../../src/lib/git-run.ts';
import { makeHome } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';
import { runGitAt } from '../../helpers/run-git.ts';

const ANNA = parseBareJid('anna@example.org');
const FULL: Account = {
  jid: ANNA,
  server: { host: '::1', port: 5223, isDirectTls: true },
  caFile: '/etc/ca dir/root.pem',
  strongestMechanism: 'SCRAM-SHA-256-PLUS',
};

async function makeConfig(runGit: RunGit = runGitAt(makeFolder())): Promise<Config> {
  const home = await makeHome();
  const config = new Config(home.config, runGit);
  await config.load();
  return config;
}

describe('readAccount', () => {
  it('gives undefined before login', async () => {
    expect(readAccount(await makeConfig())).toBeUndefined();
  });

  it.each([
    ['jid = anna', 'account.jid'],
    ['jid = anna@example.org\nserver = example.org', 'account.server'],
    ['jid = anna@example.org\nserver = example.org:70000', 'account.server'],
    ['jid = anna@example.org\nserver = example.org:5222\ndirectTls = perhaps', 'account.directTls'],
    ['jid = anna@example.org\ncaFile = root.pem', 'account.caFile'],
    ['jid = anna@example.org\nstrongestMechanism = scram', 'account.strongestMechanism'],
  ])('names file and key of "%s"', async (lines, key) => {
    const config = await makeConfig();
    writeFileSync(config.path, `[account]\n${lines}\n`);
    await config.load();
    const message: unknown = expect.stringContaining(`${config.path}: ${key}: `);
    expect(() => readAccount(config)).toThrow(expect.objectContaining({ code: 'bad-config', message }));
  });
});

describe('writeAccount', () => {
  it('is read back whole, and with nothing that a later account does not have', async () => {
    const config = await makeConfig();
    await writeAccount(config, FULL);
    expect(readAccount(config)).toEqual(FULL);
    const server = { host: 'xmpp.example.net', port: 5222, isDirectTls: false };
    const ben: Account = { jid: parseBareJid('ben@example.net'), server };
    await writeAccount(config, ben);
    expect(readAccount(config)).toEqual(ben);
    await writeAccount(config, { jid: ANNA });
    expect(readAccount(config)).toEqual({ jid: ANNA });
  });

  it('leaves no account when it fails half-way to another one', async () => {
    const runGit = runGitAt(makeFolder());
    const config = await makeConfig(async (args, options) => {
      if (args.includes('account.caFile') || args.includes('account.cafile')) throw new Error('power cut');
      return runGit(args, options);
    });
    await writeAccount(config, { jid: parseBareJid('ben@example.net') });
    await expect(writeAccount(config, FULL)).rejects.toThrow('power cut');
    expect(readAccount(config)).toBeUndefined();
  });

  it('refuses what could not be read back', async () => {
    const config = await makeConfig();
    const server = { host: 'a b', port: 1, isDirectTls: false };
    for (const part of [{ caFile: 'relative.pem' }, { server }, { strongestMechanism: 'plain text' }]) {
      await expect(writeAccount(config, { jid: ANNA, ...part })).rejects.toMatchObject({ code: 'bad-input' });
    }
  });
});

describe('forgetAccount', () => {
  it('removes the account and nothing else', async () => {
    const config = await makeConfig();
    await config.set('agent.log', 'debug');
    await writeAccount(config, FULL);
    await forgetAccount(config);
    expect(readAccount(config)).toBeUndefined();
    expect(config.get('account.server')).toBeUndefined();
    expect(config.get('agent.log')).toBe('debug');
  });
});

describe('parseHostAndPort', () => {
  it('takes names and addresses', () => {
    expect(parseHostAndPort('xmpp.example.org:5222')).toEqual({ host: 'xmpp.example.org', port: 5222 });
    expect(parseHostAndPort('[2001:db8::1]:443')).toEqual({ host: '2001:db8::1', port: 443 });
  });

  const wrong = ['', 'host', 'host:', ':5222', 'host:0', 'host:65536', '::1:5222', 'user@host:1', 'host:1/x', 'a b:1'];

  it.each(wrong)('refuses "%s"', (text) => {
    expect(() => parseHostAndPort(text)).toThrow('is not of the form host:port');
  });
});
