import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { readLine, runHelper } from '../../../git-shell-shim/helper.ts';

function talk(...pieces: string[]): { stdin: PassThrough; stdout: PassThrough; heard: () => string } {
  const [stdin, stdout] = [new PassThrough(), new PassThrough()];
  for (const piece of pieces) stdin.write(piece);
  stdin.end();
  return { stdin, stdout, heard: () => String(stdout.read() ?? '') };
}

const never = (): Promise<never> => Promise.reject(new Error('must not connect'));

describe('runHelper', () => {
  it('can connect, and nothing else', async () => {
    const { heard, ...stdio } = talk('capabilities\n', '\n');
    expect(await runHelper({ ...stdio, connect: never })).toBe(0);
    expect(heard()).toBe('connect\n\n');
  });

  it('ends well when git closes its end', async () => {
    const { heard, ...stdio } = talk();
    expect(await runHelper({ ...stdio, connect: never })).toBe(0);
    expect(heard()).toBe('');
  });

  it('says that it is connected only when the service is, and returns its exit code', async () => {
    const order: string[] = [];
    const { heard, ...stdio } = talk('capabilities\nconnect git-upload-pack\n');
    const connect = async (service: string): Promise<() => Promise<number>> => {
      order.push(service, heard());
      return async () => 7;
    };
    expect(await runHelper({ ...stdio, connect })).toBe(7);
    expect(order).toEqual(['git-upload-pack', 'connect\n\n']);
    expect(heard()).toBe('\n');
  });

  it('leaves to the service what came in one piece with the command', async () => {
    const { heard: _heard, ...stdio } = talk('connect git-receive-pack\n0000\nrest');
    let rest = '';
    const work = async (): Promise<number> => {
      for await (const bytes of stdio.stdin) rest += String(bytes);
      return 0;
    };
    await runHelper({ ...stdio, connect: async () => work });
    expect(rest).toBe('0000\nrest');
  });

  it('names a command or service that it does not know', async () => {
    for (const [line, words] of [
      ['list\n', '"list"'],
      ['connect git-upload-archive\n', '"git-upload-archive" is not served'],
      ['connect\n', '"connect"'],
    ] as const) {
      const { heard: _heard, ...stdio } = talk(line);
      await expect(runHelper({ ...stdio, connect: never })).rejects.toThrow(words);
    }
  });
});

describe('readLine', () => {
  it('reads a line that comes byte by byte', async () => {
    const stdin = new PassThrough();
    const line = readLine(stdin);
    for (const letter of 'capabilities\nx') stdin.write(letter);
    expect(await line).toBe('capabilities');
    stdin.end();
    expect(await readLine(stdin)).toBeUndefined();
  });

  it('refuses a line without end', async () => {
    await expect(readLine(talk('x'.repeat(5000)).stdin)).rejects.toThrow(/too long/);
  });
});
