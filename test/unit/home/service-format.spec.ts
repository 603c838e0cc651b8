// The texts of a service. Rule: whatever stands in a path is read back as that path by the grammar of the manual pages.

import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { formatExecStart, formatJournalLine, formatPlist, formatUnit, launchdLabel, parseProperties, unitName } from '../../../src/home/service-format.ts';
import type { ServicePlan } from '../../../src/home/service-format.ts';

const PLAN: ServicePlan = {
  node: '/usr/bin/node',
  program: '/usr/lib/node_modules/git-xmpp/dist/agent.mjs',
  home: '/home/anna/.config/git-xmpp',
  environment: { PATH: '/usr/bin:/bin' },
  log: '/home/anna/.config/git-xmpp/agent.log',
};

/** Words of a line of a unit: systemd.syntax(7) "Quoting", then systemd.unit(5) "Specifiers". */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word.replace(/\\(.)/g, '$1').replaceAll('%%', '%'));
}

describe('the unit', () => {
  it('runs the program by absolute paths, restarts it after a crash and never after a stop', () => {
    const lines = formatUnit(PLAN).split('\n');
    for (const line of [
      'Type=exec',
      'ExecStart=:"/usr/bin/node" "/usr/lib/node_modules/git-xmpp/dist/agent.mjs" "--service"',
      'Environment="GIT_XMPP_HOME=/home/anna/.config/git-xmpp"',
      'Environment="PATH=/usr/bin:/bin"',
      'Restart=on-failure',
      'RestartForceExitStatus=75',
      'RestartPreventExitStatus=3',
      'NoNewPrivileges=yes',
      'WantedBy=default.target',
    ]) expect(lines).toContain(line);
  });

  it('holds nothing that breaks ssh, shared repositories or those outside of the home', () => {
    // A namespace of its own leaves root unmapped, so ssh refuses its own configuration; RestrictSUIDSGID forbids what core.sharedRepository does.
    expect(formatUnit(PLAN)).not.toMatch(/^(Protect|Private|ReadOnly|Inaccessible|RestrictNamespaces|RestrictSUIDSGID|MemoryDeny|UMask|DynamicUser)/m);
  });

  it.each([
    ['a space', '/opt/my node/bin/node'],
    ['a percent sign', '/opt/100%h/node'],
    ['quotes', `/opt/"a" 'b'/node`],
    ['a backslash', String.raw`/opt/a\x20b\\/node`],
    ['a dollar sign', '/opt/$HOME/${PATH}/node'],
    ['other letters', '/opt/übung/節/node'],
  ])('keeps a path with %s', (_name, node) => {
    expect(wordsOf(formatExecStart({ node, program: node }))).toEqual([node, node, '--service']);
    expect(formatUnit({ ...PLAN, home: node }).split('\n').filter((line) => line.startsWith('Environment=')).flatMap(wordsOf)).toContain(`GIT_XMPP_HOME=${node}`);
  });

  it('keeps any path, or refuses it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (name) => {
        const node = `/opt/${name}`;
        if (/\p{Cc}/u.test(name)) expect(() => formatExecStart({ ...PLAN, node })).toThrow('it holds a control character');
        else expect(wordsOf(formatExecStart({ ...PLAN, node }))[0]).toBe(node);
      }),
    );
  });

  it('cannot be given a second line by a path', () => {
    expect(() => formatUnit({ ...PLAN, home: '/home/a\nExecStartPre=/bin/evil' })).toThrow(/control character/);
  });
});

describe('its name', () => {
  it('is git-xmpp for the usual home, and another one for each other home', () => {
    expect(unitName(undefined)).toBe('git-xmpp.service');
    expect(launchdLabel(undefined)).toBe('org.git-xmpp.agent');
    const names = ['/a', '/b'].map(unitName);
    for (const name of names) expect(name).toMatch(/^git-xmpp-[0-9a-f]{12}\.service$/);
    expect(new Set(names).size).toBe(2);
    expect(launchdLabel('/a')).toMatch(/^org\.git-xmpp\.agent-[0-9a-f]{12}$/);
  });
});

describe('the property list', () => {
  it('starts it at sign-in, and again after a crash only', () => {
    const text = formatPlist(PLAN, 'org.git-xmpp.agent').replaceAll(/\s+/g, ' ');
    expect(text).toContain('<key>Label</key> <string>org.git-xmpp.agent</string>');
    expect(text).toContain('<array> <string>/usr/bin/node</string> <string>/usr/lib/node_modules/git-xmpp/dist/agent.mjs</string> <string>--service</string> </array>');
    expect(text).toContain('<key>KeepAlive</key> <dict> <key>SuccessfulExit</key> <false/> </dict>');
    expect(text).toContain('<key>GIT_XMPP_HOME</key> <string>/home/anna/.config/git-xmpp</string>');
  });

  it('keeps what XML has a meaning for, and refuses control characters', () => {
    expect(formatPlist({ ...PLAN, node: '/a&b/<c>' }, 'x')).toContain('<string>/a&amp;b/&lt;c&gt;</string>');
    expect(() => formatPlist({ ...PLAN, log: '/a\u0000b' }, 'x')).toThrow(/control character/);
  });
});

describe('what systemctl answers', () => {
  it('is read line by line; a value may hold an equals sign or be empty', () => {
    expect(parseProperties('ActiveState=active\nExecStart=a=b\nResult=\n\nnoise\n=x\n')).toEqual(new Map([['ActiveState', 'active'], ['ExecStart', 'a=b'], ['Result', '']]));
  });
});

describe('a line of the log in the journal', () => {
  it('has its level as a prefix and no time of its own', () => {
    expect(formatJournalLine('2026-11-25T10:00:00.000Z info events: online said="signed in"')).toBe('<6>events: online said="signed in"');
    expect(formatJournalLine('2026-11-25T10:00:00.000Z warn unhandled')).toBe('<4>unhandled');
    expect(formatJournalLine('2026-11-25T10:00:00.000Z debug x')).toBe('<7>x');
    expect(formatJournalLine('of another form')).toBe('<6>of another form');
  });
});
