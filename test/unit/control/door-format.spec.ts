import { describe, expect, it } from 'vitest';
import {
  checkSocketPath,
  formatFaultBody,
  formatHeaders,
  parseFault,
  parseHeaders,
  statusOf,
} from '../../../src/control/door-format.ts';
import { Fault, formatFault } from '../../../src/lib/errors.ts';

describe('formatHeaders', () => {
  it('makes fields that are plain ASCII, whatever the names are', () => {
    expect(formatHeaders({ peer: 'änna', repo: 'a b' })).toEqual({ 'x-git-xmpp-peer': '%C3%A4nna', 'x-git-xmpp-repo': 'a%20b' });
  });

  it('refuses a name that is none of ours, a value without a UTF-8 form, and one without end', () => {
    expect(() => formatHeaders({ 'Pe er': 'x' })).toThrow(/no name of ours/);
    expect(() => formatHeaders({ peer: '\ud800' })).toThrow(/peer: is not valid Unicode/);
    expect(() => formatHeaders({ peer: 'x'.repeat(20_000) })).toThrow(/peer: is too long/);
  });
});

describe('parseHeaders', () => {
  it('takes our fields only', () => {
    expect(parseHeaders({ host: 'agent', 'x-git-xmpp-peer': '%C3%A4nna', 'x-other': 'no' })).toEqual({ peer: 'änna' });
  });

  it('refuses broken percent-encoding and broken names', () => {
    expect(() => parseHeaders({ 'x-git-xmpp-peer': '%C3' })).toThrow(/peer: is not percent-encoded UTF-8/);
    expect(() => parseHeaders({ 'x-git-xmpp-__proto__': 'x' })).toThrow(/no name of ours/);
  });
});

describe('parseFault', () => {
  it('gives back the fault that was formatted', () => {
    const fault = new Fault('peer-offline', 'desktop is offline', { remedy: 'wait' });
    expect(parseFault(formatFaultBody(formatFault(fault)))).toMatchObject({
      code: 'peer-offline',
      message: 'desktop is offline',
      remedy: 'wait',
    });
  });

  it('takes a code that it does not know for an internal fault', () => {
    expect(parseFault({ fault: { code: 'toString', message: 'x' } })?.code).toBe('internal');
  });

  it('takes only an object that is nothing but a fault', () => {
    const others = [null, 'fault', {}, { fault: 'words' }, { fault: { code: 'git' } }, { fault: { message: 'x' }, more: 1 }];
    expect(others.map((value) => parseFault(value))).toEqual(others.map(() => undefined));
  });
});

describe('statusOf', () => {
  it('tells the caller whose fault it is', () => {
    const codes = ['bad-input', 'no-such-repo', 'peer-offline', 'internal'] as const;
    expect(codes.map((code) => statusOf(new Fault(code, 'x')))).toEqual([400, 404, 503, 500]);
  });
});

describe('checkSocketPath', () => {
  it('counts bytes, not characters', () => {
    expect(() => checkSocketPath(`/${'a'.repeat(99)}`)).not.toThrow();
    expect(() => checkSocketPath(`/${'ü'.repeat(50)}`)).toThrow(/101 bytes/);
  });
});
