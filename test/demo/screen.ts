// What the demo writes: one act after the other, within 80 columns. Rule: colour and a moving bar only on a terminal that wants them,
// so that a recorded run is plain text.

/** As much of a stream as is needed: `process.stdout`, or what a spec makes. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

export const COLUMNS = 80;
const BAR = 32;
const NAME = 9;

const STYLES = { bold: [1, 22], faint: [2, 22], green: [32, 39], red: [31, 39], cyan: [36, 39], yellow: [33, 39] } as const;
type Style = keyof typeof STYLES;

/** The terminal, or the file, that a run is told to. */
export class Screen {
  readonly #out: Terminal;
  readonly #isLive: boolean;
  readonly #hasColour: boolean;
  #hasBar = false;
  #isMuted = false;

  constructor(out: Terminal, env: Readonly<Record<string, string | undefined>>) {
    this.#out = out;
    this.#isLive = out.isTTY === true && env['TERM'] !== 'dumb';
    this.#hasColour = this.#isLive && (env['NO_COLOR'] ?? '') === '';
  }

  /** A line as it is; what is too long for it is cut. */
  line(text = '', style?: Style): void {
    if (this.#isMuted) return;
    this.#clearBar();
    this.#out.write(`${this.#paint(fit(text), style)}\n`);
  }

  /** Writes nothing more, whatever is still going on. */
  mute(): void {
    this.#clearBar();
    this.#isMuted = true;
  }

  /** The first line of an act. */
  act(name: string): void {
    this.line();
    this.line(name, 'bold');
  }

  /** What a person types on a device. */
  command(device: string, text: string): void {
    this.line(`  ${`${device}$`.padEnd(NAME)}${text}`, 'cyan');
  }

  /** What a command answered, or what was seen; `device` says where. */
  tell(text: string, device = ''): void {
    for (const each of text.trimEnd().split('\n')) this.line(`  ${device.padEnd(NAME)}${each}`);
  }

  /** The last line of an act that went well. */
  done(words: string, ms: number): void {
    const time = formatTime(ms);
    this.line(`  ✓ ${words.padEnd(COLUMNS - 5 - time.length)} ${time}`, 'green');
  }

  failed(name: string): void {
    this.line(`  ✗ ${name}`, 'red');
  }

  warn(text: string): void {
    this.line(`  ${text}`, 'yellow');
  }

  /** Moves the bar while `work` goes on. @param look share that is done, from 0 to 1, and words beside the bar */
  async during<T>(work: Promise<T>, look: () => { readonly share: number; readonly words: string }): Promise<T> {
    const timer = this.#isLive ? setInterval(() => this.#bar(look()), 80) : undefined;
    try {
      return await work;
    } finally {
      clearInterval(timer);
      this.#clearBar();
    }
  }

  #clearBar(): void {
    if (this.#hasBar) this.#out.write('\r\x1b[2K');
    this.#hasBar = false;
  }

  #bar({ share, words }: { readonly share: number; readonly words: string }): void {
    if (this.#isMuted) return;
    const full = Math.round(Math.min(1, Math.max(0, share)) * BAR);
    this.#hasBar = true;
    this.#out.write(`\r\x1b[2K${this.#paint(fit(`  ${' '.repeat(NAME)}${'█'.repeat(full)}${'░'.repeat(BAR - full)} ${words}`), 'faint')}`);
  }

  #paint(text: string, style: Style | undefined): string {
    if (style === undefined || !this.#hasColour) return text;
    const [on, off] = STYLES[style];
    return `\x1b[${on}m${text}\x1b[${off}m`;
  }
}

/** At most 80 columns; the demo writes no character that is wider than one. */
function fit(text: string): string {
  return text.length <= COLUMNS ? text : `${text.slice(0, COLUMNS - 1)}…`;
}

/** @param ms milliseconds */
export function formatTime(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function formatSize(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
