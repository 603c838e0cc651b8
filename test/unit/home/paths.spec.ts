// Where a home is, and who may look into it. Rule: every case runs on the real file system.

import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { findHome, prepareHome } from '../../../src/home/paths.ts';
import { modeOf } from '../../helpers/home.ts';
import { makeFolder } from '../../helpers/repo.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('findHome', () => {
  it('takes GIT_XMPP_HOME before all else', () => {
    const dir = join(makeFolder(), 'agent');
    const home = findHome({ GIT_XMPP_HOME: dir, XDG_CONFIG_HOME: '/elsewhere', HOME: '/nowhere' });
    expect(home.dir).toBe(dir);
    for (const path of [home.config, home.lock, home.socket, home.log, home.credentials, home.identity, home.state]) {
      expect(dirname(path)).toBe(dir);
    }
  });

  it('takes XDG_CONFIG_HOME before ~/.config, and ignores a relative or empty one', () => {
    const folder = makeFolder();
    expect(findHome({ XDG_CONFIG_HOME: join(folder, 'xdg'), HOME: folder }).dir).toBe(join(folder, 'xdg/git-xmpp'));
    expect(findHome({ XDG_CONFIG_HOME: 'xdg', HOME: folder }).dir).toBe(join(folder, '.config/git-xmpp'));
    expect(findHome({ GIT_XMPP_HOME: '', XDG_CONFIG_HOME: '', HOME: folder }).dir).toBe(join(folder, '.config/git-xmpp'));
    expect(findHome({}).dir).toBe(join(realpathSync(homedir()), '.config/git-xmpp'));
  });

  it('gives one home one spelling, however a link leads there', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'real'));
    symlinkSync('real', join(folder, 'link'));
    const [byLink, direct] = ['link', 'real'].map((name) => findHome({ GIT_XMPP_HOME: join(folder, name, 'not/yet/there') }));
    expect(byLink).toEqual(direct);
    expect(direct?.dir).toBe(join(folder, 'real/not/yet/there'));
  });

  it('keeps the socket in the home while its path has at most 100 bytes', () => {
    const folder = makeFolder();
    const room = 100 - Buffer.byteLength(join(folder, 'agent.sock')) - 1;
    expect(findHome({ GIT_XMPP_HOME: join(folder, 'x'.repeat(room)) }).socket).toHaveLength(100);
    const beyond = findHome({ GIT_XMPP_HOME: join(folder, 'x'.repeat(room + 1)), XDG_RUNTIME_DIR: folder });
    expect(dirname(beyond.socket)).toBe(join(folder, 'git-xmpp'));
  });

  it('counts bytes, not characters', () => {
    const folder = makeFolder();
    const home = findHome({ GIT_XMPP_HOME: join(folder, 'ü'.repeat(40)), XDG_RUNTIME_DIR: folder });
    expect(dirname(home.socket)).toBe(join(folder, 'git-xmpp'));
  });

  it('moves a socket with too long a path to XDG_RUNTIME_DIR, two homes never to one place', () => {
    const folder = makeFolder();
    const long = join(folder, 'x'.repeat(120));
    const sockets = ['a', 'b'].map((name) => findHome({ GIT_XMPP_HOME: join(long, name), XDG_RUNTIME_DIR: folder }).socket);
    for (const socket of sockets) expect(socket.slice(folder.length)).toMatch(/^\/git-xmpp\/[0-9a-f]{16}\.sock$/);
    expect(sockets[0]).not.toBe(sockets[1]);
  });

  it.each([
    ['others may write to', (dir: string) => (mkdirSync(dir), chmodSync(dir, 0o777))],
    ['somebody else owns', (dir: string) => (mkdirSync(dir, { mode: 0o700 }), chownSync(dir, 12_345, 12_345))],
    ['is no folder', (dir: string) => writeFileSync(dir, '')],
  ])('refuses to have it in a place that %s', (what, make) => {
    if (what === 'somebody else owns' && process.getuid?.() !== 0) return;
    const folder = makeFolder();
    make(join(folder, 'git-xmpp'));
    const find = (): unknown => findHome({ GIT_XMPP_HOME: join(folder, 'x'.repeat(100)), XDG_RUNTIME_DIR: folder });
    expect(find).toThrow(expect.objectContaining({ code: 'permissions' }));
  });

  it('moves it to the folder for temporary files when XDG_RUNTIME_DIR is unset, relative or too long itself', () => {
    const long = join(makeFolder(), 'x'.repeat(120));
    for (const runtime of [undefined, '', 'relative', long]) {
      const { socket } = findHome({ GIT_XMPP_HOME: long, XDG_RUNTIME_DIR: runtime });
      expect(dirname(socket)).toBe(join(tmpdir(), `git-xmpp-${process.getuid?.()}`));
    }
  });

  it('says so when no place is short enough', () => {
    const long = join(makeFolder(), 'x'.repeat(120));
    vi.stubEnv('TMPDIR', long);
    const fault: unknown = expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(long) });
    expect(() => findHome({ GIT_XMPP_HOME: long })).toThrow(fault);
  });
});

describe('findHome on other systems', () => {
  it('is as on Linux on macOS, with a socket that its shorter sun_path holds', () => {
    const home = findHome({ HOME: '/Users/anna', TMPDIR: '/var/folders/xy/T/' }, 'darwin');
    expect(home).toMatchObject({ dir: '/Users/anna/.config/git-xmpp', socket: '/Users/anna/.config/git-xmpp/agent.sock' });
    const long = findHome({ HOME: `/Users/${'a'.repeat(90)}` }, 'darwin');
    expect(Buffer.byteLength(long.socket)).toBeLessThanOrEqual(103);
  });

  it('is in the roaming folder on Windows, and the door is a named pipe, another one for each home', () => {
    const env = { APPDATA: String.raw`C:\Users\Anna\AppData\Roaming`, HOME: String.raw`C:\Users\Anna` };
    const home = findHome(env, 'win32');
    expect(home).toMatchObject({ dir: String.raw`C:\Users\Anna\AppData\Roaming\git-xmpp`, config: String.raw`C:\Users\Anna\AppData\Roaming\git-xmpp\config` });
    expect(home.socket).toMatch(/^\\\\\.\\pipe\\git-xmpp-[0-9a-f]{16}$/);
    expect(findHome({ ...env, GIT_XMPP_HOME: String.raw`D:\xmpp` }, 'win32')).toMatchObject({ dir: String.raw`D:\xmpp`, state: String.raw`D:\xmpp\state` });
    expect(findHome({ ...env, GIT_XMPP_HOME: String.raw`D:\xmpp` }, 'win32').socket).not.toBe(home.socket);
    // Without APPDATA, as for git's own configuration.
    expect(findHome({ HOME: String.raw`C:\Users\Anna` }, 'win32').dir).toBe(String.raw`C:\Users\Anna\.config\git-xmpp`);
  });

  it('never has a pipe\'s path too long', () => {
    expect(findHome({ APPDATA: `C:\\${'long\\'.repeat(60)}` }, 'win32').socket.length).toBeLessThan(100);
  });
});

describe('prepareHome', () => {
  it('makes all folders for the owner alone, that of a socket elsewhere too', async () => {
    const folder = makeFolder();
    const home = findHome({ GIT_XMPP_HOME: join(folder, 'x'.repeat(120)), XDG_RUNTIME_DIR: folder });
    await prepareHome(home);
    for (const dir of [home.dir, home.identity, home.state, dirname(home.socket)]) expect(modeOf(dir)).toBe(0o700);
  });

  it('closes a home of ours that was left open, and may be called again', async () => {
    const home = findHome({ GIT_XMPP_HOME: join(makeFolder(), 'home') });
    await prepareHome(home);
    writeFileSync(join(home.dir, 'config'), '');
    for (const dir of [home.dir, home.identity, home.state]) chmodSync(dir, 0o755);
    await prepareHome(home);
    for (const dir of [home.dir, home.identity, home.state]) expect(modeOf(dir)).toBe(0o700);
  });

  it('leaves alone an open folder that holds other files', async () => {
    const dir = makeFolder();
    writeFileSync(join(dir, 'letter.txt'), 'dear Anna');
    chmodSync(dir, 0o755);
    const fault = { code: 'permissions', remedy: expect.stringContaining(dir) };
    await expect(prepareHome(findHome({ GIT_XMPP_HOME: dir }))).rejects.toMatchObject(fault);
    expect(modeOf(dir)).toBe(0o755);
    expect(readdirSync(dir)).toEqual(['letter.txt']);
  });

  it('refuses a file in the place of a folder', async () => {
    const dir = join(makeFolder(), 'home');
    writeFileSync(dir, '');
    await expect(prepareHome(findHome({ GIT_XMPP_HOME: dir }))).rejects.toThrow(dir);
  });

  it('refuses a socket folder that somebody else has put there as a link', () => {
    const folder = makeFolder();
    mkdirSync(join(folder, 'theirs'));
    symlinkSync('theirs', join(folder, 'git-xmpp'));
    // Before anything is sent there, by whichever command.
    expect(() => findHome({ GIT_XMPP_HOME: join(folder, 'x'.repeat(120)), XDG_RUNTIME_DIR: folder })).toThrow(/is not a folder of your own/);
  });

  it('refuses a home that belongs to another user', async () => {
    // Root can give a folder away; anybody else finds one of root's at the top.
    const isRoot = process.getuid?.() === 0;
    const dir = isRoot ? makeFolder() : '/';
    if (isRoot) chownSync(dir, 12_345, 12_345);
    const fault = expect.objectContaining({ code: 'permissions', message: `${dir} belongs to another user` });
    // Before anything is sent there, or written into a log that leads elsewhere.
    expect(() => findHome({ GIT_XMPP_HOME: dir })).toThrow(fault);
    const link = join(makeFolder(), 'link');
    symlinkSync(dir, link);
    expect(() => findHome({ GIT_XMPP_HOME: link })).toThrow(fault);
    const home = { ...findHome({ GIT_XMPP_HOME: join(makeFolder(), 'home') }), dir };
    await expect(prepareHome(home)).rejects.toEqual(fault);
    expect(existsSync(join(dir, 'identity'))).toBe(false);
  });

  it.runIf(process.getuid?.() === 0)('refuses a socket that somebody else has put in a home', () => {
    const dir = makeFolder();
    writeFileSync(join(dir, 'agent.sock'), '');
    expect(findHome({ GIT_XMPP_HOME: dir }).socket).toBe(join(dir, 'agent.sock'));
    chownSync(join(dir, 'agent.sock'), 12_345, 12_345);
    expect(() => findHome({ GIT_XMPP_HOME: dir })).toThrow(expect.objectContaining({ code: 'permissions', message: `${join(dir, 'agent.sock')} belongs to another user` }));
  });

  it.runIf(process.getuid?.() === 0)('passes by a runtime folder that is another user’s, or open to others', () => {
    const [theirs, open] = [makeFolder(), makeFolder()];
    chownSync(theirs, 12_345, 12_345);
    chmodSync(open, 0o777);
    const socketBy = (runtime: string): string => findHome({ GIT_XMPP_HOME: join(makeFolder(), 'x'.repeat(120)), XDG_RUNTIME_DIR: runtime }).socket;
    for (const each of [theirs, open]) expect(socketBy(each).startsWith(each)).toBe(false);
    expect(socketBy(makeFolder())).toContain('/git-xmpp/');
  });

  it('refuses a home that cannot be written, by root either', async () => {
    const home = findHome({ GIT_XMPP_HOME: '/sys/git-xmpp-home' });
    await expect(prepareHome(home)).rejects.toMatchObject({ code: 'permissions', message: expect.stringContaining(home.dir) });
  });
});
