import { describe, expect, it } from 'vitest';
import { Stanzas } from '../../../src/agent/stanzas.ts';
import { xml } from '../../../src/xmpp/element.ts';
import { NS_SASL } from '../../../src/xmpp/namespaces.ts';
import { settle } from '../../helpers/virtual-clock.ts';

const PING = xml('iq', { type: 'get' }, xml('ping', { xmlns: 'urn:xmpp:ping' }));

describe('Stanzas', () => {
  it('shows all of them where they are to be shown, without secrets', () => {
    const shown: string[] = [];
    const stanzas = new Stanzas((text) => shown.push(text));
    stanzas.pass('out', PING);
    stanzas.pass('in', xml('challenge', { xmlns: NS_SASL }, 'c2VjcmV0'));
    expect(shown).toHaveLength(2);
    expect(shown[0]).toMatch(/^OUT\n<iq type="get">/);
    expect(shown[1]).not.toContain('c2VjcmV0');
  });

  it('gives those to come to whoever looks on, until he ends it', async () => {
    const stanzas = new Stanzas(undefined);
    const end = new AbortController();
    const heard: string[] = [];
    stanzas.pass('in', PING);
    const looking = (async () => {
      for await (const { text } of stanzas.follow(end.signal)) heard.push(text.slice(0, 3));
    })();
    await settle();
    stanzas.pass('out', PING);
    stanzas.pass('out', PING);
    await settle();
    end.abort();
    await looking;
    stanzas.pass('out', PING);
    expect(heard).toEqual(['OUT', 'OUT']);
  });
});
