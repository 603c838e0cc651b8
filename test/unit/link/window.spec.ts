import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import { LinkWorld } from '../../helpers/link-world.ts';
import { followCarrier } from '../../../src/link/window.ts';
import type { PipeStream } from '../../../src/link/pipe-stream.ts';

const NARROW = 1 << 20;

describe('followCarrier', () => {
  it('holds no more than a small window open on an in-band carrier', async () => {
    const session = await new LinkWorld().session();
    expect(session.state.effectiveLocalWindowSize).toBe(NARROW);
  });

  it('opens the window wide once a fast carrier takes over, and narrows it when in-band is all there is again', async () => {
    const session = await new LinkWorld().session();
    const pipe = Object.assign(new EventEmitter(), { carrier: { kind: 'in-band' } }) as unknown as PipeStream;
    followCarrier(session, pipe);
    pipe.emit('carrier', 'direct');
    expect(session.state.effectiveLocalWindowSize).toBe(16 << 20);
    pipe.emit('carrier', 'in-band');
    expect(session.state.effectiveLocalWindowSize).toBe(NARROW);
  });

  it('asks nothing of a session that has ended', async () => {
    const session = await new LinkWorld().session();
    const pipe = Object.assign(new EventEmitter(), { carrier: { kind: 'in-band' } }) as unknown as PipeStream;
    followCarrier(session, pipe);
    session.destroy();
    expect(() => pipe.emit('carrier', 'direct')).not.toThrow();
  });
});
