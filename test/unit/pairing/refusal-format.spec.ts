import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import { REFUSAL_ERRORS, faultOfRefusal, formatRefusal } from '../../../src/pairing/refusal-format.ts';
import { newerVersion, parseRefusal } from '../../../src/pairing/refusal-format.ts';

const REFUSALS = ['code-spent', 'wrong-code', 'busy', 'newer-version', 'bad-message'] as const;

describe('parseRefusal', () => {
  it.each(REFUSALS)('reads %s as formatRefusal writes it', (refusal) => {
    expect(parseRefusal(parse(formatRefusal(refusal).toString()))).toBe(refusal);
  });

  it('takes nothing of others for ours', () => {
    expect(parseRefusal(undefined)).toBeUndefined();
    expect(parseRefusal(parse("<busy xmlns='urn:example'/>"))).toBeUndefined();
    expect(parseRefusal(parse("<tired xmlns='urn:git-xmpp:pair:1'/>"))).toBeUndefined();
  });
});

describe('REFUSAL_ERRORS', () => {
  it('gives each refusal a condition of its own', () => {
    expect(new Set(REFUSALS.map((refusal) => REFUSAL_ERRORS[refusal].condition)).size).toBe(REFUSALS.length);
  });
});

describe('faultOfRefusal', () => {
  it('says in words what to do', () => {
    const words = (refusal: (typeof REFUSALS)[number], kind: 'code' | 'invite' = 'code'): string => {
      const { message, remedy } = faultOfRefusal(refusal, kind);
      return `${message}; ${remedy}`;
    };
    expect(words('code-spent')).toBe('this code is spent; run "git xmpp pair" again on the other device');
    expect(words('code-spent', 'invite')).toBe('this invite is spent; run "git xmpp pair --invite" again on the other device');
    expect(words('wrong-code')).toMatch(/^wrong code/);
    expect(words('newer-version')).toBe('that device speaks an older version; update git-xmpp there');
    expect(words('busy')).toMatch(/try again/);
    expect(words('bad-message')).toMatch(/again on the other device/);
  });

  it('tells scripts apart what happened', () => {
    expect(REFUSALS.map((refusal) => faultOfRefusal(refusal, 'code').code)).toEqual([
      'code-spent',
      'bad-code',
      'throttled',
      'newer-protocol',
      'bad-code',
    ]);
  });
});

describe('newerVersion', () => {
  it('asks to update this side', () => {
    const words = { message: 'that device speaks a newer version', remedy: 'update git-xmpp here' };
    expect(newerVersion()).toMatchObject({ code: 'newer-protocol', ...words });
  });
});
