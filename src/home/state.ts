// One JSON file that outlives the agent. Rule: it is read whole and strictly or not at all, a file that cannot be read is never
// overwritten by an empty one, and writes happen in the order they were asked for.

import { Fault, InputFault } from '../lib/errors.ts';
import { Serial } from '../lib/serial.ts';
import { MAX_FILE_BYTES, readPrivateFile, replacePrivateFile } from './private-file.ts';

/** A value of type `T` in a file. */
export class StateFile<T> {
  readonly #path: string;
  readonly #parse: (value: unknown) => T;
  readonly #initial: () => T;
  readonly #serial = new Serial();

  /**
   * @param parse takes what JSON holds, and throws InputFault naming the field that is wrong
   * @param initial the value before the file was first written
   */
  constructor(path: string, parse: (value: unknown) => T, initial: () => T) {
    this.#path = path;
    this.#parse = parse;
    this.#initial = initial;
  }

  /** The value after all writes asked for so far. @throws Fault `bad-config` naming file and field */
  read(): Promise<T> {
    return this.#serial.run(async () => {
      const text = await readPrivateFile(this.#path);
      return text === undefined ? this.#initial() : this.#parseText(text);
    });
  }

  /** Returns when the value is on the disk. @throws Fault `disk-full`, `permissions`, `too-large`; the old value then stands */
  write(value: T): Promise<void> {
    const text = `${JSON.stringify(value, null, 2)}\n`;
    return this.#serial.run(async () => {
      if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
        throw new Fault('too-large', `${this.#path} would hold more than ${MAX_FILE_BYTES} bytes`);
      }
      await replacePrivateFile(this.#path, text);
    });
  }

  #parseText(text: string): T {
    try {
      return this.#parse(JSON.parse(text));
    } catch (error) {
      // A syntax error's message quotes the text, and that may be a key.
      if (error instanceof SyntaxError) throw this.#corrupt('is no whole JSON text');
      if (error instanceof InputFault) throw this.#corrupt(error.message, error);
      throw error;
    }
  }

  #corrupt(why: string, cause?: InputFault): Fault {
    const remedy = 'put back a copy of the file, or move it away to begin without what it held';
    return new Fault('bad-config', `${this.#path}: ${why}`, cause === undefined ? { remedy } : { remedy, cause });
  }
}
