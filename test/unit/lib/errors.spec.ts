import { describe, expect, it } from 'vitest';
import { asFault, codeOf, Fault, formatFault, formatFaultLines, InputFault, messageOf, parseFaultLines } from '../../../src/lib/errors.ts';

const system = (code: string, message = 'it failed'): Error => Object.assign(new Error(message), { code });

describe('Fault', () => {
  it('names what is wrong and what to do about it', () => {
    const cause = new Error('why');
    const fault = new Fault('dns', 'no such server', { remedy: 'check the name', cause });
    expect(fault).toMatchObject({ name: 'Fault', code: 'dns', message: 'no such server', remedy: 'check the name', cause });
    expect(new Fault('dns', 'x')).not.toHaveProperty('cause');
  });

  it('exits with 2 for wrong use and where no account is, with 3 beside another agent, else with 1', () => {
    const codes = ['wrong-use', 'no-account', 'already-running', 'dns', 'internal'] as const;
    expect(codes.map((code) => new Fault(code, 'x').exitCode)).toEqual([2, 2, 3, 1, 1]);
  });
});

describe('InputFault', () => {
  it('is a fault that names the value and the reason', () => {
    expect(new InputFault('ref name', 'is empty')).toMatchObject({ name: 'InputFault', code: 'bad-input', message: 'ref name: is empty' });
    expect(new InputFault('x', 'y')).toBeInstanceOf(Fault);
  });
});

describe('asFault', () => {
  it('leaves a fault as it is', () => {
    const fault = new Fault('git', 'x');
    expect(asFault(fault, 'doing')).toBe(fault);
  });

  it.each([
    ['ENOSPC', 'disk-full'],
    ['EDQUOT', 'disk-full'],
    ['EACCES', 'permissions'],
    ['EPERM', 'permissions'],
    ['EROFS', 'permissions'],
    ['EMFILE', 'too-many-files'],
    ['ENFILE', 'too-many-files'],
    ['ENOENT', 'internal'],
  ])('keeps the meaning of %s', (code, expected) => {
    const cause = system(code);
    expect(asFault(cause, 'writing the map')).toMatchObject({ code: expected, message: expect.stringMatching(/^writing the map: /), cause });
  });

  it('says which of them a read-only disk is', () => {
    const folder = Object.assign(system('ENOENT'), { syscall: 'mkdir' });
    expect(asFault(folder, 'keeping a pack')).toMatchObject({ code: 'permissions', message: expect.stringContaining('the file system is read-only, or the folder above it is gone') });
    expect(asFault(system('EROFS'), 'writing the map').message).toBe('writing the map: the file system is read-only');
  });

  it('takes anything that may be thrown', () => {
    for (const thrown of ['words', 7, null, undefined, { code: 7 }, Object.create(null)]) {
      expect(asFault(thrown, 'doing')).toMatchObject({ code: 'internal', message: expect.stringMatching(/^doing: /) });
    }
  });
});

describe('codeOf', () => {
  it('is the code of a system error and of nothing else', () => {
    expect([system('ENOENT'), { code: 7 }, {}, null, 'ENOENT'].map(codeOf)).toEqual(['ENOENT', undefined, undefined, undefined, undefined]);
  });
});

describe('messageOf', () => {
  it('finds words in anything', () => {
    expect([new Error('a'), 'b', 7, null].map(messageOf)).toEqual(['a', 'b', '7', 'null']);
  });
});

describe('formatFault', () => {
  it('keeps code, words and remedy, and neither stack nor cause', () => {
    const fault = new Fault('tls', 'x', { remedy: 'y', cause: new Error('/home/anna/secret') });
    expect(formatFault(fault)).toStrictEqual({ code: 'tls', message: 'x', remedy: 'y' });
    expect(formatFault(new Fault('tls', 'x'))).toStrictEqual({ code: 'tls', message: 'x' });
  });
});

describe('what a command says of a fault', () => {
  it('begins with its code, and says what to do, by itself or by the catalogue', () => {
    expect(formatFaultLines(new Fault('dns', 'no such server', { remedy: 'check the name\nor the network' }))).toEqual([
      'git-xmpp: [dns] no such server',
      '  check the name',
      '  or the network',
    ]);
    expect(formatFaultLines(new Fault('wrong-password', 'not accepted'))).toEqual(['git-xmpp: [wrong-password] not accepted', '  git xmpp login, and type it again']);
  });

  it('has nothing in it that a terminal would obey', () => {
    expect(formatFaultLines(new Fault('server', 'it said \u001b[2J\u009bx\r', { remedy: 'ask\u0007\nagain' }))).toEqual(['git-xmpp: [server] it said ?[2J?x?', '  ask?', '  again']);
  });

  it('is found again as the last words in a log', () => {
    const said = formatFaultLines(new Fault('bad-config', 'line 3 is broken', { remedy: 'correct it\nor remove it' })).join('\n');
    const found = { code: 'bad-config', message: 'line 3 is broken', remedy: 'correct it\nor remove it' };
    expect(parseFaultLines(`git-xmpp: [dns] earlier\n  x\n{"a":1}\n${said}\n`)).toEqual(found);
    expect(parseFaultLines(`${said}\n{"a":1}\n  not ours`)).toEqual(found);
    expect(parseFaultLines('git-xmpp: [no-such-code] x\nwords')).toBeUndefined();
    expect(parseFaultLines('git-xmpp: [dns] alone')).toEqual({ code: 'dns', message: 'alone' });
  });
});
