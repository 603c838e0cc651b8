import { xml as library } from '@xmpp/client';
import { describe, expect, it } from 'vitest';
import type { Element } from '../../../src/xmpp/element.ts';
import { boundedParser } from '../../../src/xmpp/stanza-door.ts';

const STREAM = "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>";

/** The stanzas of a stream that holds `text`, as they are read. */
function read(...pieces: readonly string[]): { stanzas: Element[]; parser: InstanceType<ReturnType<typeof boundedParser>> } {
  const Parser = boundedParser(library.Parser);
  const parser = new Parser();
  const stanzas: Element[] = [];
  parser.on('element', (element: Element) => stanzas.push(element));
  for (const piece of [STREAM, ...pieces]) parser.write(piece);
  return { stanzas, parser };
}

const nested = (levels: number, inmost = ''): string => `${'<a>'.repeat(levels)}${inmost}${'</a>'.repeat(levels)}`;

describe('boundedParser', () => {
  it('gives stanzas as the library does', () => {
    const text = `<iq id='1'><q xmlns='urn:x'>a<b c='d'/>e${nested(60, 'deep')}</q></iq>`;
    const { stanzas } = read(text, '<message/>');
    expect(stanzas.map(String)).toEqual([text.replaceAll("'", '"'), '<message/>']);
  });

  it.each([
    ['nests deeper than 64 levels', nested(65)],
    ['nests as deep as a server lets it', nested(40_000)],
    ['holds more than 32 768 elements', '<a/>'.repeat(32_768)],
    ['holds them at any level', `<q>${'<a><b/></a>'.repeat(20_000)}</q>`],
  ])('gives nothing but the stanza itself of one that %s, and the next one whole', (_what, content) => {
    const { stanzas } = read(`<iq id='1' from='x@y'>before${content}<after>word</after></iq><iq id='2'><q>word</q></iq>`);
    expect(stanzas.map(String)).toEqual(['<iq id="1" from="x@y"/>', '<iq id="2"><q>word</q></iq>']);
  });

  it('takes one that is as deep, or holds as many elements, as it may', () => {
    const { stanzas } = read(`<iq>${nested(64)}</iq>`, `<iq>${'<a/>'.repeat(32_767)}</iq>`);
    expect(stanzas.map(({ children }) => children.length)).toEqual([1, 32_767]);
  });

  it('lets go at once of what it has built, though the stanza never ends', () => {
    const { parser } = read(`<iq>${'<a>word'.repeat(100_000)}`);
    expect(String(parser.cursor)).toBe('<iq/>');
  });

  it('keeps nothing of what stands between stanzas', () => {
    const { parser, stanzas } = read(' \n', '<message/>', 'x>'.repeat(1000), '<message/>');
    expect(stanzas).toHaveLength(2);
    expect(parser.cursor?.children).toEqual([]);
  });

  it('tells of an end that fits nothing, as the library does', () => {
    const { parser } = read();
    const faults: Error[] = [];
    parser.on('error', (error: Error) => faults.push(error));
    parser.write('<iq></message>');
    expect(faults.map(({ message }) => message)).toEqual(['iq must be closed.']);
  });
});
