// One process on one stream, over a whole link: HTTP/2 in TLS in a pipe.

import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../src/lib/names.ts';
import type { LinkHandlers } from '../../../src/link/serve.ts';
import { openService } from '../../../src/link/services.ts';
import type { ServiceStream } from '../../../src/link/services.ts';
import { patternBytes } from '../../helpers/carrier-ends.ts';
import { LinkWorld } from '../../helpers/link-world.ts';
import { startScript } from '../../helpers/served-process.ts';
import type { TestProcess } from '../../helpers/served-process.ts';
import { quiet, until } from '../../helpers/waiting.ts';

const PATH = '/repos/0b0e4b1c-90a1-4a6e-8f8e-1d7a3cf21d11/git-upload-pack';

interface Carried {
  readonly world: LinkWorld;
  readonly service: ServiceStream;
  readonly process: TestProcess;
}

/** The service `script` on the other side of a link. */
async function carry(script: string, settle?: (exitCode: number) => number, isSilent = false, admit: (part: Uint8Array) => boolean = () => true): Promise<Carried> {
  let started: ((process: TestProcess) => void) | undefined;
  const starting = new Promise<TestProcess>((resolve) => (started = resolve));
  const handlers: Partial<LinkHandlers<DeviceId>> = {
    service: () => {
      const process = Object.assign(startScript(script, settle), { isSilent, admit });
      started?.(process);
      return Promise.resolve(process);
    },
  };
  const world = new LinkWorld({ handlers });
  const service = openService(await world.session(), PATH, {});
  await service.accepted;
  return { world, service, process: await starting };
}

/** The same with a process that the spec plays: it reads nothing, and ends when it is told to. */
async function play() {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  let end: (code: number) => void = () => undefined;
  const exit = new Promise<number>((resolve) => (end = resolve));
  const process = {
    stdin,
    stdout,
    exit,
    kills: 0,
    cut: (): void => undefined,
    stderrTail: () => '',
    kill: () => void (process.kills += 1),
    onCut: (cut: () => void) => void (process.cut = cut),
  };
  const world = new LinkWorld({ handlers: { service: () => Promise.resolve(process) } });
  const service = openService(await world.session(), PATH, {});
  await service.accepted;
  return {
    service,
    process,
    end: (code: number) => {
      stdout.end();
      end(code);
    },
  };
}

async function readAll({ download }: ServiceStream): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of download) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

describe('carryProcess', () => {
  it('brings output, words and exit code', async () => {
    const { service } = await carry('echo out; echo "fatal: nö" >&2; exit 3');
    service.stream.end();
    expect(String(await readAll(service))).toBe('out\n');
    expect(await service.end).toEqual({ exitCode: 3, stderr: 'fatal: nö\n' });
  });

  it('answers for a silent process in one header block, when it has ended', async () => {
    const { service } = await carry('echo unheard; echo no >&2; exit 4', undefined, true);
    service.stream.end();
    expect(String(await readAll(service))).toBe('');
    expect(await service.end).toEqual({ exitCode: 4, stderr: 'no\n' });
  });

  it('tells an exit without words', async () => {
    const { service } = await carry('exit 0');
    service.stream.end();
    service.download.resume();
    expect(await service.end).toEqual({ exitCode: 0, stderr: '' });
  });

  it('carries the end of the asker to the process, which may still answer', async () => {
    const { service } = await carry('wc -c');
    service.stream.end('12345');
    expect(String(await readAll(service)).trim()).toBe('5');
    expect(await service.end).toMatchObject({ exitCode: 0 });
  });

  it('carries the end of the process while the asker still writes', async () => {
    const { service } = await carry('exec >&-; cat > /dev/null; exit 4');
    service.download.resume();
    service.stream.write('more');
    await new Promise((resolve) => setImmediate(resolve));
    service.stream.end('and more');
    expect(await service.end).toMatchObject({ exitCode: 4 });
  });

  it('tells how a process ended though its asker never ends', async () => {
    const { service } = await carry('echo bye; exit 7');
    expect(String(await readAll(service))).toBe('bye\n');
    expect(await service.end).toMatchObject({ exitCode: 7 });
  });

  it('carries megabytes both ways, exactly', async () => {
    const { service, process } = await carry('cat');
    const bytes = patternBytes(3_000_000);
    const reading = readAll(service);
    service.stream.end(bytes);
    expect(Buffer.compare(await reading, bytes)).toBe(0);
    expect(await service.end).toMatchObject({ exitCode: 0 });
    expect(process.settled).toEqual([[0, bytes.length]]);
  });

  it('stops a process that nobody reads, and the asker of one that does not', async () => {
    const { service, process } = await carry('head -c 30000000 /dev/zero; echo "all is read" >&2; sleep 60');
    let read = 0;
    service.download.on('data', (part: Buffer) => {
      read += part.length;
      service.download.pause();
    });
    await once(service.download, 'data');
    await quiet(() => read);
    expect(read).toBeLessThan(1_000_000);
    expect(process.stderrTail()).toBe('');
    for (let count = 0; count < 300; count += 1) service.stream.write(Buffer.alloc(65_536));
    await quiet(() => service.stream.writableLength);
    expect(service.stream.writableLength).toBeGreaterThan(15_000_000);
    service.stream.destroy();
  });

  it('kills the process when its stream is reset, and never feeds it a clean end', async () => {
    const { service, process } = await carry('cat > /dev/null; echo "saw the end" >&2; exit 0');
    service.stream.write('half');
    service.stream.on('error', () => undefined);
    service.stream.close(8);
    expect(await process.exit).toBe(255);
    expect(process.isKilled).toBe(true);
    expect(process.stderrTail()).toBe('');
  });

  it('holds no more than a little of what a process does not read, and loses nothing of it', async () => {
    const { service, process, end } = await play();
    const total = 128 * 65_536;
    for (let at = 0; at < total; at += 65_536) service.stream.write(Buffer.alloc(65_536));
    service.stream.end();
    await until(() => process.stdin.writableLength > 0);
    await quiet(() => process.stdin.writableLength);
    expect(process.stdin.writableLength).toBeLessThan(1_000_000);
    let read = 0;
    for await (const part of process.stdin) read += (part as Buffer).length;
    expect(read).toBe(total);
    end(0);
  });

  it('resets the stream of a process that may go on no more, and says why', async () => {
    const { service, process, end } = await play();
    service.download.resume();
    process.cut();
    await expect(service.end).rejects.toMatchObject({ code: 'not-granted', message: expect.stringContaining('the other device ended it') as string });
    end(0);
  });

  it.each<[string, Error | undefined]>([
    ['without a word', undefined],
    ['as an AbortSignal does it', new Error('given up')],
  ])('never ends the input of a process whose stream was reset %s, however slowly that dies', async (_how, why) => {
    const { service, process, end } = await play();
    const { stdin } = process;
    service.stream.on('error', () => undefined).write('half');
    await once(stdin, 'readable');
    // `close` would send an end before it resets (node:http2).
    service.stream.destroy(why);
    await until(() => process.kills > 0);
    await quiet(() => stdin.writableLength);
    expect(stdin.writableEnded).toBe(false);
    end(0);
  });

  it('kills the process when the link is lost', async () => {
    const { world, service, process } = await carry('cat > /dev/null; echo "saw the end" >&2');
    service.stream.on('error', () => undefined);
    world.acceptor.stop();
    expect(await process.exit).toBe(255);
    expect(process.stderrTail()).toBe('');
    await expect(service.end).rejects.toMatchObject({ code: 'timeout', message: 'the link to the other device was lost' });
  });

  it('ends a process with the first part of its body that is not let in, and feeds it none of the rest', async () => {
    const { service, process } = await carry('cat', undefined, false, (part) => !String(part).includes('evil'));
    const fed: string[] = [];
    const write = process.stdin.write.bind(process.stdin);
    process.stdin.write = ((part: Buffer) => (fed.push(String(part)), write(part))) as typeof process.stdin.write;
    service.stream.write('good');
    await until(() => fed.length > 0);
    service.stream.write('evil');
    await until(() => process.isKilled);
    service.stream.end('more');
    service.download.resume();
    expect((await service.end).exitCode).not.toBe(0);
    expect(fed).toEqual(['good']);
  });

  it('settles once, with the code that is told', async () => {
    const { service, process } = await carry('cat > /dev/null; exit 2', (code) => code + 40);
    service.download.resume();
    service.stream.end('123');
    expect(await service.end).toMatchObject({ exitCode: 42 });
    expect(process.settled).toEqual([[2, 3]]);
  });

  it.each([
    ['with output that nobody reads', 'head -c 5000000 /dev/zero; sleep 60'],
    ['without any', 'sleep 60'],
  ])('settles after a reset too, %s: what the process did may have to be undone', async (_name, script) => {
    const { service, process } = await carry(script);
    service.stream.on('error', () => undefined);
    service.stream.pause();
    service.stream.close(8);
    await process.exit;
    await until(() => process.settled.length > 0);
    expect(process.settled).toEqual([[255, 0]]);
  });

  it('bears a process that ended before its input did', async () => {
    const { service } = await carry('exec <&-; echo done');
    const reading = readAll(service);
    for (let count = 0; count < 40; count += 1) service.stream.write(Buffer.alloc(50_000));
    service.stream.end();
    expect(String(await reading)).toBe('done\n');
    expect(await service.end).toMatchObject({ exitCode: 0 });
  });

  it('kills a process whose stream was gone before it had started', async () => {
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const started: TestProcess[] = [];
    const handlers: Partial<LinkHandlers<DeviceId>> = {
      service: async () => {
        await gate;
        const process = startScript('sleep 60');
        started.push(process);
        return process;
      },
    };
    const world = new LinkWorld({ handlers });
    const session = await world.session();
    for (const [code, isEnded] of [
      [0, false],
      [8, false],
      [0, true],
    ] as const) {
      const service = openService(session, PATH, {});
      service.stream.on('error', () => undefined);
      await new Promise<void>((resolve) => (isEnded ? service.stream.end('x', resolve) : service.stream.write('x', () => resolve())));
      service.stream.close(code);
      await expect(service.end).rejects.toMatchObject({ code: 'timeout' });
    }
    // A ping comes back behind the resets.
    await new Promise((resolve) => session.ping(resolve));
    release();
    await until(() => started.length === 3);
    expect(await Promise.all(started.map(({ exit }) => exit))).toEqual([255, 255, 255]);
    await until(() => started.every(({ settled }) => settled.length === 1));
  });
});
