// Reading a JSON object field by field.
// Rule: a field that is missing, malformed or not expected is an error that names it; nothing is guessed or dropped.

import { Fault, InputFault } from '../lib/errors.ts';

const MAX_TEXT = 8192;

/** One object of a file; `what` is its name in errors, such as `peers[3]`. */
export class Fields {
  readonly #what: string;
  readonly #values: Map<string, unknown>;

  /** @throws InputFault when `value` is no object */
  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputFault(what, 'is no object');
    this.#what = what;
    this.#values = new Map<string, unknown>(Object.entries(value));
  }

  /** A text, as `parse` takes it. @throws InputFault */
  text<T>(name: string, parse: (text: string) => T): T {
    const value = this.#take(name);
    return parseText(value, this.#nameOf(name), parse);
  }

  /** True or false. @throws InputFault */
  flag(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw this.#fault(name, 'is neither true nor false');
    return value;
  }

  /** An integer from 0 up, such as milliseconds since 1970. @throws InputFault */
  count(name: string): number {
    const value = this.#take(name);
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
    throw this.#fault(name, 'is no integer from 0 up');
  }

  /** An object, as `parse` takes it. @throws InputFault */
  object<T>(name: string, parse: (value: unknown, what: string) => T): T {
    return parse(this.#take(name), this.#nameOf(name));
  }

  /** A list of at most `max`; `parse` gets each value and its name. @throws InputFault */
  list<T>(name: string, max: number, parse: (value: unknown, what: string) => T): T[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > max) throw this.#fault(name, `is no list of at most ${max}`);
    return value.map((each, index) => parse(each, `${this.#nameOf(name)}[${index}]`));
  }

  /** A list of at most `max` texts. @throws InputFault */
  texts<T>(name: string, max: number, parse: (text: string) => T): T[] {
    return this.list(name, max, (value, what) => parseText(value, what, parse));
  }

  /** Whatever `parse` makes of the value; it gets the value's name too. @throws InputFault */
  value<T>(name: string, parse: (value: unknown, what: string) => T): T {
    return parse(this.#take(name), this.#nameOf(name));
  }

  /** An object of at most `max` texts; `parse` gets each key and its text. @throws InputFault */
  entries<T>(name: string, max: number, parse: (key: string, text: string) => T): T[] {
    const what = this.#nameOf(name);
    const inner = new Fields(this.#take(name), what);
    const keys = [...inner.#values.keys()];
    if (keys.length > max) throw new InputFault(what, `holds more than ${max} entries`);
    return keys.map((key) => inner.text(key, (text) => parse(key, text)));
  }

  /** Whether the field is a text: for one that may have several shapes. */
  isText(name: string): boolean {
    return typeof this.#values.get(name) === 'string';
  }

  /** `{name: value}` when the field is there, else `{}`: an optional property is absent, never undefined. @throws InputFault */
  parseOptional<K extends string, T>(name: K, get: (name: K) => T): { readonly [P in K]?: T } {
    return (this.#values.has(name) ? { [name]: get(name) } : {}) as { readonly [P in K]?: T };
  }

  /** To be called last. @throws InputFault when a field was not asked for */
  end(): void {
    const [name] = this.#values.keys();
    if (name !== undefined) throw this.#fault(name, 'is not known to this version of git-xmpp');
  }

  #take(name: string): unknown {
    if (!this.#values.has(name)) throw this.#fault(name, 'is missing');
    const value = this.#values.get(name);
    this.#values.delete(name);
    return value;
  }

  #nameOf(name: string): string {
    return `${this.#what}.${name.slice(0, 80).replace(/\p{Cc}/gu, '?')}`;
  }

  #fault(name: string, why: string): InputFault {
    return new InputFault(this.#nameOf(name), why);
  }
}

/** Errors of `parse` name the field too. */
function parseText<T>(value: unknown, what: string, parse: (text: string) => T): T {
  if (typeof value !== 'string' || value.length > MAX_TEXT) {
    throw new InputFault(what, `is no text of at most ${MAX_TEXT} characters`);
  }
  try {
    return parse(value);
  } catch (error) {
    throw error instanceof Fault ? new InputFault(what, error.message, { cause: error }) : error;
  }
}
