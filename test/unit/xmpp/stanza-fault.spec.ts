import { describe, expect, it } from 'vitest';
import { xml } from '../../../src/xmpp/element.ts';
import { StanzaFault, formatStanzaFault, parseStanzaFault } from '../../../src/xmpp/stanza-fault.ts';

describe('parseStanzaFault', () => {
  it('reads what formatStanzaFault writes', () => {
    const fault = new StanzaFault('auth', 'forbidden', { application: xml('code-spent', { xmlns: 'urn:git-xmpp:pair:1' }) });
    const read = parseStanzaFault(xml('iq', { type: 'error' }, formatStanzaFault(fault)));
    expect(read).toMatchObject({ type: 'auth', condition: 'forbidden', code: 'not-granted' });
    expect(read.application?.toString()).toBe('<code-spent xmlns="urn:git-xmpp:pair:1"/>');
  });

  it.each([
    ['no error element', xml('iq', { type: 'error' })],
    ['an empty error element', xml('iq', { type: 'error' }, xml('error', { type: 'whatever' }))],
  ])('makes sense of %s', (_what, stanza) => {
    expect(parseStanzaFault(stanza)).toMatchObject({ type: 'cancel', condition: 'undefined-condition' });
  });

  it('says "peer-offline" for an address that is gone', () => {
    expect(new StanzaFault('cancel', 'service-unavailable').code).toBe('peer-offline');
  });
});
