import { describe, expect, it } from 'vitest';
import { folderOf, parseHubsState, readHubSettings } from '../../../src/agent/hubs-format.ts';
import { InputFault } from '../../../src/lib/errors.ts';
import { isRefName, parseDeviceId } from '../../../src/lib/names.ts';

const device = parseDeviceId('0123456789abcdef0123456789abcdef');

function read(config: Readonly<Record<string, string>>): ReturnType<typeof readHubSettings> {
  return readHubSettings(new Map(Object.entries(config).map(([key, value]) => [key, [value]])));
}

describe('readHubSettings', () => {
  it('takes a remote with the setting, and no other', () => {
    const config = { 'remote.origin.url': 'git@host:x.git', 'remote.origin.xmppsync': 'both', 'remote.other.url': '/srv/x', 'remote.a.b.url': '/srv/y', 'remote.a.b.xmppsync': 'fetch' };
    expect(read(config)).toEqual({ hubs: [{ remote: 'origin', mode: 'both' }, { remote: 'a.b', mode: 'fetch' }], wrong: [] });
  });

  it.each([
    [{ 'remote.x.url': '/x', 'remote.x.xmppsync': 'yes' }, 'remote.x.xmppSync: "yes" is none of fetch, push, both'],
    [{ 'remote.x.xmppsync': 'both' }, 'remote.x.xmppSync: that remote has no URL'],
    [{ 'remote.laptop.url': 'xmpp::laptop/notes', 'remote.laptop.xmppsync': 'both' }, 'remote.laptop.xmppSync: that remote is a paired device, which is kept in sync anyhow'],
    [{ 'remote.--exec.url': '/x', 'remote.--exec.xmppsync': 'both' }, 'remote.--exec.xmppSync: a hub cannot have that name; git remote rename gives it another'],
  ])('names what cannot be, and touches nothing: %j', (config, words) => {
    expect(read(config)).toEqual({ hubs: [], wrong: [words] });
  });
});

describe('folderOf', () => {
  it.each([['laptop', 'laptop-01234567'], ['Anna’s MacBook Pro', 'Anna-s-MacBook-Pro-01234567'], ['...', 'device-01234567'], ['a.lock', 'a-lock-01234567'], ['机器', '机器-01234567']])('makes of "%s" %s', (name, folder) => {
    expect(folderOf(name, device)).toBe(folder);
    expect(isRefName(`refs/heads/synced/${folder}/main`)).toBe(true);
  });
});

describe('parseHubsState', () => {
  const state = { folder: 'laptop-01234567', hubs: { origin: { url: 'ab', acted: { 'hub:origin': { 'refs/heads/main': '12'.repeat(20) } } } } };

  it('reads what was written', () => {
    expect(parseHubsState(JSON.parse(JSON.stringify(state)))).toEqual(state);
    expect(parseHubsState({ folder: '', hubs: {} })).toEqual({ folder: '', hubs: {} });
  });

  it.each([{}, { ...state, folder: 'a b' }, { ...state, folder: '..' }, { folder: '', hubs: [] }, { folder: '', hubs: { o: { url: 1, acted: {} } } }, { folder: '', hubs: { o: { url: 'x', acted: { s: { 'refs/heads/x': 'no' } } } } }])(
    'refuses any other form: %j',
    (value) => {
      expect(() => parseHubsState(value)).toThrow(InputFault);
    },
  );
});
