// Faults and stanza errors, each turned into the other.

import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../../src/carriers/ibb-format.ts';
import { asRefusal, conditionOf, faultOfOpen, faultOfStream, refuse, saysTooLarge } from '../../../src/carriers/stanza-errors.ts';
import { Fault, InputFault } from '../../../src/lib/errors.ts';
import { parseFullJid } from '../../../src/lib/jid.ts';
import { StanzaFault } from '../../../src/xmpp/stanza-fault.ts';

const PEER = parseFullJid('ben@two.example/desk');

describe('refuse', () => {
  it('keeps type and condition', () => {
    expect(refuse(REFUSALS.blocksTooLarge)).toMatchObject({ type: 'modify', condition: 'resource-constraint' });
  });
});

describe('asRefusal', () => {
  it('answers wrong input with bad-request', () => {
    expect(asRefusal(new InputFault('sid', 'is wrong'))).toMatchObject({ type: 'cancel', condition: 'bad-request' });
  });

  it('does not hide a fault of our own', () => {
    expect(() => asRefusal(new TypeError('ours'))).toThrow('ours');
  });
});

describe('conditionOf', () => {
  it('knows a stanza error from others', () => {
    expect(conditionOf(new StanzaFault('wait', 'gone'))).toBe('gone');
    expect(conditionOf(new Fault('tcp', 'gone'))).toBeUndefined();
  });
});

describe('faultOfStream', () => {
  it.each([
    ['service-unavailable', 'peer-offline'],
    ['item-not-found', 'not-connected'],
  ])('reads %s as %s', (condition, code) => {
    expect(faultOfStream(new StanzaFault('cancel', condition), PEER)).toMatchObject({ code });
  });

  it('leaves the connection’s own fault as it is', () => {
    const fault = new Fault('tcp', 'cable pulled');
    expect(faultOfStream(fault, PEER)).toBe(fault);
  });
});

describe('faultOfOpen', () => {
  it.each([
    ['recipient-unavailable', 'peer-offline'],
    ['not-acceptable', 'not-paired'],
    ['resource-constraint', 'throttled'],
    ['feature-not-implemented', 'server'],
  ])('reads %s as %s and names the peer', (condition, code) => {
    const fault = faultOfOpen(new StanzaFault('cancel', condition), PEER);
    expect(fault.code).toBe(code);
    expect(fault.message).toContain(PEER);
  });
});

describe('saysTooLarge', () => {
  it.each([
    ['a stream error of a server that throttles', new Fault('throttled', 'the server ended the connection: policy-violation'), true],
    ['a stanza error about a policy', faultOfStream(new StanzaFault('modify', 'policy-violation'), PEER), true],
    ['a stanza error about resources', faultOfStream(new StanzaFault('wait', 'resource-constraint'), PEER), true],
    ['a peer that is gone', faultOfStream(new StanzaFault('cancel', 'service-unavailable'), PEER), false],
    ['a lost connection', new Fault('tcp', 'the connection to the server was lost'), false],
  ])('reads %s', (_name, fault, isSo) => {
    expect(saysTooLarge(fault)).toBe(isSo);
  });
});
