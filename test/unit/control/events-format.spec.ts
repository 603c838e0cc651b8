import { describe, expect, it } from 'vitest';
import { acceptsEvents, encodeServerEvent } from '../../../src/control/events-format.ts';

describe('server-sent events', () => {
  it.each([
    ['text/event-stream', true],
    ['application/json, TEXT/event-stream ; q=0.3', true],
    ['text/event-stream;q=0', false],
    ['text/event-stream; q=0.00', false],
    ['text/event-stream-x', false],
    ['*/*', false],
    ['', false],
    [undefined, false],
  ])('are wanted by %j: %j', (accept, isWanted) => {
    expect(acceptsEvents(accept)).toBe(isWanted);
  });

  it('are one line of data, with the id of what has one', () => {
    const text = (value: unknown, name?: string): string => Buffer.from(encodeServerEvent(value, name)).toString();
    expect(text({ id: 12, words: 'a\nb' })).toBe('id: 12\ndata: {"id":12,"words":"a\\nb"}\n\n');
    expect(text('x', 'fault')).toBe('event: fault\ndata: "x"\n\n');
    for (const id of ['12', 1.5, null]) expect(text({ id })).not.toContain('id: ');
    expect(text(undefined)).toBe('data: null\n\n');
    expect(() => encodeServerEvent('x'.repeat(1024 * 1024))).toThrow('longer than');
  });
});
