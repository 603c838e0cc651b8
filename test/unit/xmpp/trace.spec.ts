import { describe, expect, it } from 'vitest';
import { xml } from '../../../src/xmpp/element.ts';
import { NS_ANNOUNCE, NS_IBB, NS_SASL, NS_SM } from '../../../src/xmpp/namespaces.ts';
import { formatTrace } from '../../../src/xmpp/trace.ts';

describe('formatTrace', () => {
  it('shows a stanza and its direction', () => {
    const text = formatTrace('out', xml('iq', { type: 'get', to: 'one.example' }, xml('ping', { xmlns: 'urn:xmpp:ping' })));
    expect(text).toBe('OUT\n<iq type="get" to="one.example">\n  <ping xmlns="urn:xmpp:ping"/>\n</iq>');
  });

  it.each(['auth', 'challenge', 'response', 'success'])('hides what <%s> holds', (name) => {
    expect(formatTrace('in', xml(name, { xmlns: NS_SASL }, 'c2VjcmV0'))).not.toContain('c2VjcmV0');
  });

  it('shows only the length of in-band blocks and of our own payloads, at any depth', () => {
    const sealed = xml('message', {}, xml('announcement', { xmlns: NS_ANNOUNCE }, xml('sealed', {}, 'AAAABBBB')));
    const block = xml('iq', {}, xml('data', { xmlns: NS_IBB, sid: 's', seq: 1 }, 'CCCCDDDDEEEE'));
    expect(formatTrace('in', sealed)).toContain('<sealed>[8 characters]</sealed>');
    expect(formatTrace('in', block)).toContain(
      '<data xmlns="http://jabber.org/protocol/ibb" sid="s" seq="1">[12 characters]</data>',
    );
  });

  it('hides by which a stream could be taken over, and what looks like a secret wherever it stands', () => {
    expect(formatTrace('in', xml('enabled', { xmlns: NS_SM, id: 'r3sume-id', resume: 'true' }))).toBe('IN\n<enabled xmlns="urn:xmpp:sm:3" id="&lt;hidden>" resume="true"/>'.replace('>"', '&gt;"'));
    expect(formatTrace('out', xml('resume', { xmlns: NS_SM, previd: 'r3sume-id', h: 3 }))).not.toContain('r3sume-id');
    const said = xml('message', {}, xml('body', {}, 'try git-xmpp:anna@example.org#c2VjcmV0'));
    expect(formatTrace('in', said)).not.toContain('c2VjcmV0');
  });

  it('leaves the stanza itself as it was', () => {
    const block = xml('iq', {}, xml('data', { xmlns: NS_IBB }, 'CCCC'));
    formatTrace('out', block);
    expect(block.toString()).toContain('CCCC');
  });

  it('lets nobody steer the terminal', () => {
    expect(formatTrace('in', xml('message', { id: '\u001b]0;x\u0007' }, '\u001b[2J'))).not.toMatch(/[^\n\P{Cc}]/u);
  });
});
