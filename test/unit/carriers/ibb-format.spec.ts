// The elements of XEP-0047, written and read.

import { parse } from 'ltx';
import { describe, expect, it } from 'vitest';
import { formatClose, formatData, formatOpen, parseData, parseOpen, parseSid } from '../../../src/carriers/ibb-format.ts';
import { InputFault } from '../../../src/lib/errors.ts';

const NS = "xmlns='http://jabber.org/protocol/ibb'";

describe('formatOpen', () => {
  it('writes the element of example 1', () => {
    expect(formatOpen('i781hf64', 4096).toString()).toBe(
      '<open xmlns="http://jabber.org/protocol/ibb" sid="i781hf64" block-size="4096" stanza="iq"/>',
    );
  });
});

describe('formatData', () => {
  it('writes the sequence number and the block in base64', () => {
    expect(formatData('s', { seq: 65_535, bytes: Uint8Array.of(0, 255) }).toString()).toBe(
      '<data xmlns="http://jabber.org/protocol/ibb" sid="s" seq="65535">AP8=</data>',
    );
  });
});

describe('formatClose', () => {
  it('names the stream', () => {
    expect(formatClose('s').toString()).toBe('<close xmlns="http://jabber.org/protocol/ibb" sid="s"/>');
  });
});

describe('parseOpen', () => {
  it('takes iq as the stanza where none is named', () => {
    const open = parse(`<open ${NS} sid='a.b-c_d:1' block-size='65535'/>`);
    expect(parseOpen(open)).toEqual({ sid: 'a.b-c_d:1', blockSize: 65_535, stanza: 'iq' });
  });

  it('reads the wish for messages', () => {
    expect(parseOpen(parse(`<open ${NS} sid='s' block-size='4096' stanza='message'/>`)).stanza).toBe('message');
  });

  it.each(['', '0', '255', '65536', '4096.0', '04096', '-1', '1e3', '99999999999'])('refuses a block size of "%s"', (size) => {
    expect(() => parseOpen(parse(`<open ${NS} sid='s' block-size='${size}'/>`))).toThrow(InputFault);
  });

  it('refuses an element with no block size', () => {
    expect(() => parseOpen(parse(`<open ${NS} sid='s'/>`))).toThrow(/block-size/);
  });

  it('refuses a stanza that is neither iq nor message', () => {
    expect(() => parseOpen(parse(`<open ${NS} sid='s' block-size='4096' stanza='presence'/>`))).toThrow(/stanza/);
  });
});

describe('parseSid', () => {
  it.each(['', 'a b', 'a/b', '&lt;', 'a'.repeat(129)])('refuses "%s", which is no NMTOKEN within bounds', (sid) => {
    expect(() => parseSid(parse(`<close ${NS} sid='${sid}'/>`))).toThrow(InputFault);
  });

  it('refuses an element with no sid', () => {
    expect(() => parseSid(parse(`<close ${NS}/>`))).toThrow(InputFault);
  });
});

describe('parseData', () => {
  const data = (text: string, seq = '0') => parse(`<data ${NS} sid='s' seq='${seq}'>${text}</data>`);

  it('reads a block of exactly the block size', () => {
    const bytes = new Uint8Array(4096).fill(7);
    expect(parseData(formatData('s', { seq: 3, bytes }), 4096)).toEqual({ seq: 3, bytes });
  });

  it('reads an empty block', () => {
    expect(parseData(data(''), 4096).bytes).toHaveLength(0);
  });

  it('refuses a block one byte over the block size', () => {
    expect(() => parseData(formatData('s', { seq: 0, bytes: new Uint8Array(4097) }), 4096)).toThrow(/4096/);
  });

  const loose = ['A*AA', '=AAA', 'BBBB=CCC', 'AAA', 'QUJD\nQUJD', ' QUJD', 'QQ=', 'QR=='];
  it.each(loose)('refuses %j, which is not strict base64', (text) => {
    expect(() => parseData(data(text), 4096)).toThrow(InputFault);
  });

  it.each(['', '-1', '65536', '00', '1.0', ' 1'])('refuses the sequence number "%s"', (seq) => {
    expect(() => parseData(data('', seq), 4096)).toThrow(/seq/);
  });

  it('refuses an element inside the data', () => {
    expect(() => parseData(data('QUJD<x/>'), 4096)).toThrow(/element/);
  });
});
