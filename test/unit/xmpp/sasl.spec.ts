import { describe, expect, it } from 'vitest';
import { xml } from '../../../src/xmpp/element.ts';
import type { Element } from '../../../src/xmpp/element.ts';
import { NS_CHANNEL_BINDING, NS_SASL } from '../../../src/xmpp/namespaces.ts';
import { ScramMechanism, bindingFor, chooseMechanism } from '../../../src/xmpp/sasl.ts';

function features(mechanisms: readonly string[], bindings: readonly string[] = []): Element {
  return xml(
    'features',
    {},
    xml('mechanisms', { xmlns: NS_SASL }, ...mechanisms.map((name) => xml('mechanism', {}, name))),
    xml('sasl-channel-binding', { xmlns: NS_CHANNEL_BINDING }, ...bindings.map((type) => xml('channel-binding', { type }))),
  );
}

const ALL = ['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'];

describe('chooseMechanism', () => {
  it.each([
    ['SHA-256 before SHA-1', features(['PLAIN', 'SCRAM-SHA-1', 'SCRAM-SHA-256']), true, 'SCRAM-SHA-256'],
    ['a bound mechanism where both can bind by the exporter', features(ALL, ['tls-exporter']), true, 'SCRAM-SHA-256-PLUS'],
    ['an unbound one where the server binds in another way only', features(ALL, ['tls-server-end-point']), true, 'SCRAM-SHA-256'],
    ['an unbound one where TLS is too old', features(ALL, ['tls-exporter']), false, 'SCRAM-SHA-256'],
    ['SHA-1 where nothing better is offered', features(['SCRAM-SHA-1', 'X-OAUTH2']), true, 'SCRAM-SHA-1'],
  ])('takes %s', (_what, offer, mayBind, chosen) => {
    expect(chooseMechanism(offer, { mayBind })).toBe(chosen);
  });

  it('refuses a server that takes the password in the clear only', () => {
    expect(() => chooseMechanism(features(['PLAIN', 'ANONYMOUS']), { mayBind: true })).toThrow(/takes only PLAIN, ANONYMOUS/);
    expect(() => chooseMechanism(xml('features'), { mayBind: true })).toThrow(expect.objectContaining({ code: 'no-mechanism' }));
  });

  it('refuses less than was used before, and says what to do', () => {
    const offer = features(['SCRAM-SHA-1']);
    expect(() => chooseMechanism(offer, { mayBind: true, strongestMechanism: 'SCRAM-SHA-256' })).toThrow(
      expect.objectContaining({ code: 'no-mechanism', remedy: expect.stringContaining('git xmpp login') }),
    );
    expect(chooseMechanism(features(ALL), { mayBind: true, strongestMechanism: 'SCRAM-SHA-1' })).toBe('SCRAM-SHA-256');
  });
});

describe('bindingFor', () => {
  const key = new Uint8Array(32);

  it('binds with the key, says "y" where the server seems unable, and "n" where this side is', () => {
    expect(bindingFor('SCRAM-SHA-256-PLUS', features(ALL), key)).toEqual({ flag: 'p', data: key });
    expect(bindingFor('SCRAM-SHA-256', features(['SCRAM-SHA-256']), key)).toEqual({ flag: 'y' });
    expect(bindingFor('SCRAM-SHA-256', features(ALL), key)).toEqual({ flag: 'n' });
    expect(bindingFor('SCRAM-SHA-256', features(['SCRAM-SHA-256']), undefined)).toEqual({ flag: 'n' });
  });
});

describe('ScramMechanism', () => {
  it('carries names beyond Latin-1 as bytes', async () => {
    const mechanism = new ScramMechanism('SCRAM-SHA-256', {
      username: 'жанна',
      password: 'x',
      nonce: 'abc',
      binding: { flag: 'n' },
    });
    expect(Buffer.from(btoa(await mechanism.response()), 'base64').toString('utf8')).toBe('n,,n=жанна,r=abc');
  });

  it('takes no success without proof', () => {
    const mechanism = new ScramMechanism('SCRAM-SHA-1', {
      username: 'anna',
      password: 'x',
      nonce: 'abc',
      binding: { flag: 'n' },
    });
    expect(() => mechanism.succeed(xml('success', { xmlns: NS_SASL }))).toThrow('impostor');
  });

  it('takes the proof in a last challenge as well as in the success', async () => {
    const mechanism = new ScramMechanism('SCRAM-SHA-256', {
      username: 'user',
      password: 'pencil',
      nonce: 'rOprNGfwEbeRWgbNEkqO',
      binding: { flag: 'n' },
    });
    await mechanism.challenge('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096');
    await mechanism.challenge('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
    expect(await mechanism.response()).toBe('');
    expect(() => mechanism.succeed(xml('success', { xmlns: NS_SASL }))).not.toThrow();
  });
});
