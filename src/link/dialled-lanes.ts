// Bulk lanes of a link that was dialled from here (docs/PROTOCOL.md, "Bulk lanes"). Rule: only the dialler opens them, for a body that has shown
// to be large, where both sides know of lanes; each is offered inside the link first, and what fails is tried ever more rarely.

import type { ClientHttp2Session, ClientHttp2Stream, IncomingHttpHeaders } from 'node:http2';
import { Backoff } from '../lib/backoff.ts';
import { steadyNow, withDeadline } from '../lib/clock.ts';
import type { Clock } from '../lib/clock.ts';
import { asFault, Fault } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Carrier } from '../carriers/carrier.ts';
import type { LinkId } from '../pipe/frame-format.ts';
import type { ReplayBudget } from '../pipe/replay-budget.ts';
import { bulkWriter } from './bulk-gate.ts';
import { encodeHello, formatLaneLost, LANE_HEADER, LANE_PROTOCOL, parseReceived } from './lane-format.ts';
import type { LaneName, LaneWay } from './lane-format.ts';
import { directionOf, LaneMeter } from './lane-meter.ts';
import { LaneReader } from './lane-reader.ts';
import { LaneWriter } from './lane-writer.ts';
import type { BodyEvents, ReadyLane } from './lane-writer.ts';
import { isLimited, LANE_HANDSHAKE_MS, MAX_LANES, setLanes, socketOf } from './lanes.ts';
import type { Bodies, Lanes } from './lanes.ts';
import type { PipeStream } from './pipe-stream.ts';
import { secureAsDialler } from './secure.ts';
import type { Credentials } from './secure.ts';
import { requestJson } from './services.ts';

export interface DialledLanesOptions {
  readonly session: ClientHttp2Session;
  readonly pipe: PipeStream;
  readonly linkId: LinkId;
  readonly own: Credentials;
  readonly pin: string;
  /** A connection of its own, offered for this lane over the link. @throws Fault when there is none to be had */
  readonly openOwn: (lane: LaneName) => Promise<Carrier>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly budget?: ReplayBudget | undefined;
  /** As long as the pipe waits for a carrier the other side's word on a lost lane is waited for, in milliseconds. */
  readonly giveUpMs: () => number;
}

/** A body that has carried so many bytes over the link is worth a connection of its own. */
export const LANE_FROM = 2 << 20;
const RETRY = { baseMs: 5_000, capMs: 30 * 60_000 };
/** A lane that lived so long was a way. */
const STEADY_MS = 30_000;

/** One body of one stream. */
interface Body {
  readonly stream: ClientHttp2Stream;
  readonly way: LaneWay;
  readonly use: (lane: ReadyLane) => void;
  /** Over the link since the last lane. */
  carried: number;
  state: 'link' | 'opening' | 'lane' | 'lost';
  since: number;
}

/** From now on large bodies of `session` take lanes where they can. */
export function dialLanes(options: DialledLanesOptions): void {
  setLanes(options.session, new DialledLanes(options));
}

class DialledLanes implements Lanes {
  readonly meter: LaneMeter;
  readonly #options: DialledLanesOptions;
  readonly #backoff = new Backoff(RETRY);
  readonly #now: () => number;
  #mayTryAt = 0;

  constructor(options: DialledLanesOptions) {
    this.#options = options;
    this.#now = steadyNow(options.clock);
    this.meter = new LaneMeter(this.#now);
  }

  bodies(stream: ClientHttp2Stream): Bodies {
    let isWelcome = false;
    stream.once('response', (headers: IncomingHttpHeaders) => {
      isWelcome = headers[LANE_HEADER] === '1';
    });
    const body = (way: LaneWay, use: Body['use']): Body => ({ stream, way, use, carried: 0, state: 'link', since: 0 });
    const events = (of: Body, goOn: (answer: Promise<unknown>) => Promise<void>): BodyEvents => ({
      moved: (bytes, by) => {
        if (by === 'lane') return this.meter.moved(bytes, directionOf(of.way, 'dialler'));
        of.carried += bytes;
        if (isWelcome && of.state === 'link' && of.carried >= LANE_FROM && this.#isWorthTrying(of)) void this.#open(of);
      },
      lost: (why) => {
        this.#options.log.info('a bulk lane was lost', { why });
        this.#ended(of, 'lost');
        of.state = 'lost';
        goOn(this.#tellLost(of, input)).then(
          () => (of.state = 'link'),
          (error: unknown) => {
            // Refused, for a body that comes down: the stream is over on the other side, and its end is on its way over the link.
            if (of.way !== 'down' || !(error instanceof Fault) || error.code !== 'bad-input') stream.destroy();
          },
        );
      },
      fault: (why) => this.#options.log.info('the other device broke the protocol on a bulk lane', { why }),
    });
    const down = body('down', (lane) => input.use(lane));
    const up = body('up', (lane) => output.use(lane));
    const input: LaneReader = new LaneReader(stream, events(down, async (answer) => void (await answer)));
    const output: LaneWriter = new LaneWriter(bulkWriter(stream), events(up, async (answer) => output.resume(parseReceived(await answer))), this.#options.budget);
    stream.once('close', () => [down, up].forEach((each) => this.#ended(each, 'well')));
    return { input, output };
  }

  #isWorthTrying({ way }: Body): boolean {
    const { carrier } = this.#options.pipe;
    if (carrier === undefined || carrier.kind === 'in-band' || (way === 'up' && isLimited(carrier))) return false;
    return this.meter.open < MAX_LANES && this.#now() >= this.#mayTryAt;
  }

  async #open(body: Body): Promise<void> {
    const { openOwn, own, pin, linkId, clock, log } = this.#options;
    body.state = 'opening';
    body.since = this.#now();
    this.meter.open += 1;
    try {
      const name = nameOf(body);
      const carrier = await openOwn(name);
      const socket = socketOf(carrier);
      if (socket === undefined) throw new Fault('internal', 'a bulk lane has no connection');
      const late = (): Fault => new Fault('timeout', 'a bulk lane was not secured in time');
      const secure = await withDeadline(secureAsDialler(socket, own, pin, LANE_PROTOCOL), LANE_HANDSHAKE_MS, clock, late).catch((error: unknown) => {
        socket.destroy();
        throw error;
      });
      secure.stream.write(encodeHello(linkId, name));
      if (body.stream.destroyed || body.state !== 'opening') return void secure.stream.destroy();
      body.state = 'lane';
      body.use({ stream: secure.stream, clock, isProxied: carrier.kind === 'socks5', isLimited: () => isLimited(carrier) });
    } catch (error) {
      log.info('no bulk lane', { why: asFault(error, 'opening a bulk lane').message });
      this.#ended(body, 'failed');
    }
  }

  #ended(body: Body, how: 'well' | 'lost' | 'failed'): void {
    if (body.state !== 'opening' && body.state !== 'lane') return;
    const wasWay = body.state === 'lane' && (how === 'well' || this.#now() - body.since >= STEADY_MS);
    if (wasWay) this.#backoff.succeed();
    // A body that was over before its lane was there says nothing of lanes.
    if (!wasWay && how !== 'well') this.#mayTryAt = this.#now() + this.#backoff.fail(this.#options.random());
    this.meter.open -= 1;
    body.carried = 0;
    body.state = 'link';
  }

  #tellLost(body: Body, input: LaneReader): Promise<unknown> {
    const { session, clock, giveUpMs } = this.#options;
    const received = body.way === 'down' ? input.leave() : undefined;
    return requestJson(session, { method: 'POST', path: '/carriers', body: formatLaneLost(nameOf(body), received) }, { clock, deadlineMs: giveUpMs() });
  }
}

/** By its number in HTTP/2, which a stream has from its answer on. */
function nameOf({ stream, way }: Body): LaneName {
  return { stream: stream.id ?? 0, way };
}
