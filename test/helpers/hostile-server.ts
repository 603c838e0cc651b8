// What a paired device serves that no git would: `git upload-pack` of protocol v0 (gitprotocol-pack(5)), made by hand. Rule: it says what the spec has
// it say, also where the protocol has no such thing, and ends as the spec has it end; nothing on the attacker's side refuses first.

import { PassThrough } from 'node:stream';
import { parseOid } from '../../src/lib/names.ts';
import type { ServedProcess } from '../../src/link/carry.ts';
import { HEADER } from '../../src/link/http-format.ts';
import { packet } from './hostile-pack.ts';

/** One that is served by hand. */
export interface Saying {
  readonly say: (bytes: Uint8Array | string) => void;
  /** Resolves once git has said that; or when it says nothing more. */
  readonly heard: (text: string) => Promise<void>;
}

/** How it ends. */
export interface Ending {
  readonly exit?: number;
  readonly stderr?: string;
}

/** A served process that does what `script` says. */
export function serveByHand(script: (git: Saying) => Promise<void>, { exit = 0, stderr = '' }: Ending = {}): ServedProcess {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let told = '';
  let look = (): void => undefined;
  stdin.on('data', (part: Buffer) => {
    told += part.toString('latin1');
    look();
  });
  const over = new Promise<void>((resolve) => {
    for (const event of ['end', 'close']) stdin.once(event, () => resolve());
  });
  const heard = (text: string): Promise<void> =>
    Promise.race([
      over,
      new Promise<void>((resolve) => {
        look = () => {
          if (told.includes(text)) resolve();
        };
        look();
      }),
    ]);
  const done = script({ say: (bytes) => void stdout.write(bytes), heard }).finally(() => stdout.end());
  const kill = (): void => {
    stdin.destroy();
    stdout.destroy();
  };
  // Longer than our own side would ever send.
  const fields = (): Record<string, string> => (stderr === '' ? {} : { [HEADER.gitStderr]: Buffer.from(stderr).toString('base64') });
  return { stdin, stdout, exit: done.then(() => exit), stderrTail: () => '', kill, fields };
}

export interface Fetch {
  readonly refs: readonly (readonly [name: string, oid: string])[];
  /** Behind the first ref; without a side band the pack follows as it is. */
  readonly capabilities?: string;
  readonly pack: Uint8Array;
}

const CAPABILITIES = 'side-band-64k ofs-delta agent=git/2.0 symref=HEAD:refs/heads/main';
/** Of a band's payload. */
const MAX_BAND = 65_515;

/** What upload-pack says first: every ref, the capabilities behind the first one. */
export function advertise(refs: Fetch['refs'], capabilities = CAPABILITIES): Buffer {
  const lines = refs.map(([name, oid], index) => packet(`${parseOid(oid)} ${name}${index === 0 ? `\0${capabilities}` : ''}\n`));
  return Buffer.from(`${lines.join('')}0000`);
}

/** A whole fetch, from the refs to the pack. */
export function serveFetch({ refs, capabilities = CAPABILITIES, pack }: Fetch, ending: Ending = {}): ServedProcess {
  return serveByHand(async ({ say, heard }) => {
    say(advertise(refs, capabilities));
    await heard('0009done\n');
    say(packet('NAK\n'));
    if (!capabilities.includes('side-band')) return say(pack);
    for (let from = 0; from < pack.length; from += MAX_BAND) say(band(1, pack.subarray(from, from + MAX_BAND)));
    say('0000');
  }, ending);
}

/** A packet of one band; 1 is the pack, 2 progress, 3 an error. */
export function band(number: 1 | 2 | 3, bytes: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from((bytes.length + 5).toString(16).padStart(4, '0')), Buffer.from([number]), bytes]);
}
