// Bulk lanes of a link that was dialled to here (docs/PROTOCOL.md, "Bulk lanes"). Rule: a lane is expected only for a stream that runs, few at a
// time, and the other side's word on what it has is believed only where it can be.

import type { Http2Session, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import { steadyNow } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { Fault, InputFault } from '../lib/errors.ts';
import type { BareJid } from '../lib/jid.ts';
import type { LinkId } from '../pipe/frame-format.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { bulkWriter } from './bulk-gate.ts';
import type { LaneDoor } from './lane-door.ts';
import { formatReceived, parseLaneWord } from './lane-format.ts';
import type { LaneWay, LaneWord } from './lane-format.ts';
import { directionOf, LaneMeter } from './lane-meter.ts';
import { LaneReader } from './lane-reader.ts';
import { LaneWriter } from './lane-writer.ts';
import type { BodyEvents } from './lane-writer.ts';
import { lanesOf, MAX_LANES, setLanes } from './lanes.ts';
import type { Bodies, Lanes } from './lanes.ts';
import type { Offences } from './offences.ts';

export interface ServedLanesOptions {
  readonly session: ServerHttp2Session;
  readonly linkId: LinkId;
  readonly account: BareJid;
  /** The public key of the device whose link it is. */
  readonly spki: string;
  readonly door: LaneDoor;
  readonly offences: Pick<Offences, 'note'>;
  readonly clock: Clock;
  readonly budget?: ReplayBudget | undefined;
}

/** The two bodies of a stream that runs. */
interface Running {
  readonly input: LaneReader;
  readonly output: LaneWriter;
  /** How often the dialler has given up a lane, by the way it was for. */
  readonly lost: Record<LaneWay, number>;
}

/** Those of a link that was dialled to here. */
export function servedLanesOf(session: Http2Session | undefined): ServedLanes | undefined {
  const lanes = lanesOf(session);
  return lanes instanceof ServedLanes ? lanes : undefined;
}

/** From now on large bodies of `session` take the lanes that the dialler opens. */
export function serveLanes(options: ServedLanesOptions): void {
  setLanes(options.session, new ServedLanes(options));
}

class ServedLanes implements Lanes {
  readonly meter: LaneMeter;
  readonly #options: ServedLanesOptions;
  readonly #running = new Map<number, Running>();
  #expected = 0;

  constructor(options: ServedLanesOptions) {
    this.#options = options;
    this.meter = new LaneMeter(steadyNow(options.clock));
  }

  bodies(stream: ServerHttp2Stream): Bodies {
    // Whoever has a part in it hears of its end: more than the ten that Node takes for a leak.
    stream.setMaxListeners(32);
    const events = (way: LaneWay): BodyEvents => ({
      moved: (bytes, by) => {
        if (by === 'lane') this.meter.moved(bytes, directionOf(way, 'listener'));
      },
      // The dialler finds out as well, and says from where to go on.
      lost: () => undefined,
      fault: (why) => this.#note(why),
    });
    const running = { input: new LaneReader(stream, events('up')), output: new LaneWriter(bulkWriter(stream), events('down'), this.#options.budget), lost: { up: 0, down: 0 } };
    const id = stream.id ?? 0;
    this.#running.set(id, running);
    stream.once('close', () => this.#running.delete(id));
    return running;
  }

  /**
   * Answers a request to `/carriers`.
   * @param note notes the connection that is about to be offered
   * @throws InputFault, and what `note` throws
   */
  async asked(body: unknown, note: () => Promise<unknown>): Promise<unknown> {
    const word = parseLaneWord(body);
    if (word === undefined) return note();
    const running = this.#running.get(word.stream);
    try {
      if (running === undefined) throw new InputFault('lane', 'is for no stream that runs here');
      if (word.type === 'lost') running.lost[word.way] += 1;
      if (word.type === 'lost' && word.way === 'up') return formatReceived(running.input.leave());
      if (word.type === 'lost') return running.output.resume(word.received);
      if (this.#expected + this.meter.open >= MAX_LANES) throw new Fault('throttled', 'this link has as many bulk lanes as it may');
    } catch (error) {
      if (!(running === undefined && word.type === 'lost')) this.#note(error instanceof Error ? error.message : 'a wrong word');
      throw error;
    }
    const forget = this.#expect(word, running);
    try {
      return await note();
    } catch (error) {
      forget();
      throw error;
    }
  }

  #expect({ sid, stream, way }: Extract<LaneWord, { readonly type: 'offer' }>, { input, output, lost }: Running): () => void {
    const { door, linkId, account, spki } = this.#options;
    const before = lost[way];
    const over = (): void => void (this.#expected -= 1);
    const forget = door.expect(sid, {
      linkId,
      account,
      spki,
      name: { stream, way },
      over,
      use: (lane) => {
        // The dialler gave it up before it came to be: nobody is at its other end.
        if (lost[way] !== before) return void lane.stream.destroy();
        this.meter.open += 1;
        lane.stream.once('close', () => (this.meter.open -= 1));
        if (way === 'up') input.use(lane);
        else output.use(lane);
      },
    });
    this.#expected += 1;
    return forget;
  }

  #note(why: string): void {
    this.#options.offences.note(this.#options.linkId, 'a bulk lane was misused', { why });
  }
}
