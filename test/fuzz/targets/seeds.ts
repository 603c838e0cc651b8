// Well-formed values that several targets begin from, and the kinds of target that stand in several files.

import * as fc from 'fast-check';
import { parseJson } from '../../../src/link/services.ts';
import { makePeer, makeSharedRepo } from '../../helpers/home-values.ts';
import { cuts, inPieces, mutatedBytes, mutatedText } from '../mutate.ts';
import { target } from '../target.ts';
import type { Target } from '../target.ts';

export const OID = '3f2a91c0d4b5e6f708192a3b4c5d6e7f80910a1b';
export const REPO = '0b8e9f3c-6a75-4d11-9a8e-2f61c5d7e004';
export const PEER = makePeer('desktop');
export const SHARED = makeSharedRepo('notes');
export const FULL = 'anna@example.org/git-xmpp-laptop01';
export const SIGNATURE = Buffer.alloc(64, 7).toString('base64');

/** A value as the JSON that travels. */
export function json(value: unknown): string {
  return JSON.stringify(value);
}

/** Something that is read from JSON, spoiled in its text. */
export function inJson(name: string, seeds: readonly unknown[], read: (value: unknown) => unknown): Target {
  return target(name, mutatedText(seeds.map(json)), (text) => read(parseJson(text)));
}

/** Something that is read in pieces of any length, by a reader made anew for each input. */
export function inStream(name: string, seeds: readonly Uint8Array[], reader: () => (piece: Uint8Array) => unknown): Target {
  return target(name, fc.tuple(mutatedBytes(seeds), cuts), ([bytes, lengths]) => {
    const receive = reader();
    for (const piece of inPieces(bytes, lengths)) receive(piece);
  });
}
