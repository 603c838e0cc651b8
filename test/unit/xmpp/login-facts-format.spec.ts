import { describe, expect, it } from 'vitest';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { LoginListener } from '../../../src/xmpp/login-facts-format.ts';

const STREAM = 'http://etherx.jabber.org/streams';
const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';

function heard(...elements: readonly Element[]): LoginListener['facts'] {
  const listener = new LoginListener();
  for (const element of elements) listener.hear('in', element);
  return listener.facts;
}

function features(...children: readonly Element[]): Element {
  return xml('stream:features', { 'xmlns:stream': STREAM }, ...children);
}

function challenge(text: string): Element {
  return xml('challenge', { xmlns: SASL }, Buffer.from(text).toString('base64'));
}

describe('LoginListener', () => {
  it('reads mechanisms, bindings, rounds, stream management and limits as they come', () => {
    const offer = features(
      xml('mechanisms', { xmlns: SASL }, xml('mechanism', {}, 'SCRAM-SHA-1'), xml('mechanism', {}, 'SCRAM-SHA-256-PLUS')),
      xml('sasl-channel-binding', { xmlns: 'urn:xmpp:sasl-cb:0' }, xml('channel-binding', { type: 'tls-exporter' })),
    );
    const limits = xml('limits', { xmlns: 'urn:xmpp:stream-limits:0' }, xml('max-bytes', {}, '262144'), xml('idle-seconds', {}, '300'));
    const after = features(xml('sm', { xmlns: 'urn:xmpp:sm:3' }), limits);
    expect(heard(offer, challenge('r=abc,s=c2FsdA==,i=4096'), after, xml('enabled', { xmlns: 'urn:xmpp:sm:3' }))).toEqual({
      offered: ['SCRAM-SHA-1', 'SCRAM-SHA-256-PLUS'],
      bindings: ['tls-exporter'],
      iterations: 4096,
      management: 'on',
      maxBytes: 262_144,
      idleSeconds: 300,
    });
  });

  it('tells a refused stream management from one that is not there', () => {
    expect(heard(features(), xml('failed', { xmlns: 'urn:xmpp:sm:3' })).management).toBe('refused');
    expect(heard(features()).management).toBe('absent');
  });

  it('takes neither nonsense nor what was sent from here, and keeps no nonce', () => {
    const listener = new LoginListener();
    listener.hear('out', challenge('r=abc,s=c2FsdA==,i=4096'));
    listener.hear('in', challenge('r=abc,s=c2FsdA==,i=many'));
    listener.hear('in', features(xml('mechanisms', { xmlns: SASL }, xml('mechanism', {}, 'x\u0007y'))));
    expect(listener.facts).toEqual({ offered: [], bindings: [], management: 'absent' });
    expect(JSON.stringify(heard(challenge('r=NONCE,s=c2FsdA==,i=4096')))).not.toMatch(/NONCE|c2Fs/);
  });
});
