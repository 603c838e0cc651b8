import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import { InputFault } from '../../../src/lib/errors.ts';
import { NS_PAIR, formatPairingMessage, parsePairingMessage } from '../../../src/pairing/messages-format.ts';
import { NS_PAIR as NS_OF_ADAPTER } from '../../../src/xmpp/namespaces.ts';

const b64 = (size: number): string => Buffer.alloc(size, 1).toString('base64');
const bytes = (size: number): Uint8Array => new Uint8Array(size).fill(1);
const pair = (attributes: string, content = ''): string => `<pair xmlns='urn:git-xmpp:pair:1' ${attributes}>${content}</pair>`;

describe('formatPairingMessage', () => {
  it('writes each step as one element', () => {
    expect(formatPairingMessage({ type: 'hello', version: 1, id: '4', nonce: bytes(16) }).toString()).toBe(
      `<pair xmlns="urn:git-xmpp:pair:1" step="hello" version="1" id="4" nonce="${b64(16)}"/>`,
    );
    expect(formatPairingMessage({ type: 'hello', version: 1, nonce: bytes(16) }).attrs).not.toHaveProperty('id');
    expect(formatPairingMessage({ type: 'share', share: bytes(32) }).getText()).toBe(b64(32));
    expect(formatPairingMessage({ type: 'confirm', tag: bytes(32), sealed: bytes(40) }).attrs).toMatchObject({ tag: b64(32) });
  });
});

describe('parsePairingMessage', () => {
  it('shares its namespace with the adapter', () => {
    expect(NS_PAIR).toBe(NS_OF_ADAPTER);
  });

  it('reads the number of a code and the id of an invite', () => {
    const helloOf = (id: string): string => pair(`step='hello' version='1' id='${id}' nonce='${b64(16)}'`);
    const read = (id: string): unknown => parsePairingMessage(parse(helloOf(id)));
    expect(read('4')).toMatchObject({ id: '4' });
    expect(read('0f'.repeat(16))).toMatchObject({ id: '0f'.repeat(16) });
  });

  it('reads no more than version and id of a newer hello', () => {
    expect(parsePairingMessage(parse(pair("step='hello' version='2' id='4' colour='red'", '<x/>')))).toEqual({
      type: 'newer-hello',
      version: 2,
      id: '4',
    });
  });

  it.each([
    ['another namespace', `<pair xmlns='urn:git-xmpp:pair:2' step='share'>${b64(32)}</pair>`],
    ['another name', `<pear xmlns='urn:git-xmpp:pair:1' step='share'>${b64(32)}</pear>`],
    ['no step', pair('', b64(32))],
    ['an unknown step', pair("step='newer-hello' version='2'")],
    ['no version', pair(`step='hello' nonce='${b64(16)}'`)],
    ['version 0', pair(`step='hello' version='0' nonce='${b64(16)}'`)],
    ['version 1.0', pair(`step='hello' version='1.0' nonce='${b64(16)}'`)],
    ['a version above 65535', pair(`step='hello' version='65536' nonce='${b64(16)}'`)],
    ['a nonce too short', pair(`step='hello' version='1' nonce='${b64(15)}'`)],
    ['a nonce too long', pair(`step='hello' version='1' nonce='${b64(17)}'`)],
    ['no nonce', pair("step='hello' version='1'")],
    ['an id that is neither', pair(`step='hello' version='1' id='4x' nonce='${b64(16)}'`)],
    ['an id of 0', pair(`step='hello' version='1' id='0' nonce='${b64(16)}'`)],
    ['text in a hello', pair(`step='hello' version='1' nonce='${b64(16)}'`, 'x')],
    ['a share too short', pair("step='share'", b64(31))],
    ['a share too long', pair("step='share'", b64(33))],
    ['an empty share', pair("step='share'")],
    ['a share with white space', pair("step='share'", ` ${b64(32)}`)],
    ['a share with an element', pair("step='share'", `${b64(32)}<x/>`)],
    ['a share with an attribute too many', pair("step='share' tag='x'", b64(32))],
    ['no tag', pair("step='confirm'", b64(40))],
    ['a tag too short', pair(`step='confirm' tag='${b64(31)}'`, b64(40))],
    ['nothing sealed', pair(`step='confirm' tag='${b64(32)}'`)],
    ['a seal around nothing', pair(`step='confirm' tag='${b64(32)}'`, b64(16))],
    ['too much sealed', pair(`step='confirm' tag='${b64(32)}'`, b64(7000))],
  ])('refuses %s', (_name, text) => {
    expect(() => parsePairingMessage(parse(text))).toThrow(InputFault);
  });
});
