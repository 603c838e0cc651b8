// One line of a reflog (gitrepository-layout(5), "logs"; git-reflog(1)): OLD NEW NAME <EMAIL> SECONDS ZONE, a tab, a message. Rule: the last entry of a line
// counts. A git that finds the disk full leaves the beginning of an entry of a move that it then does not make, and the next one stands behind it on the same line.

/** A move as it was written down; an oid of zeros on either side is the making or the end of the ref. */
export interface ReflogEntry {
  readonly from: string;
  readonly to: string;
  /** Seconds since 1970; undefined where it is not told. */
  readonly seconds: number | undefined;
  readonly message: string;
}

const OIDS = /(?:([0-9a-f]{40}) ([0-9a-f]{40})|([0-9a-f]{64}) ([0-9a-f]{64}))$/;
/** Two of the longest with the space between them. */
const MAX_OIDS = 129;
const WHEN = /> (\d{1,12}) [+-]\d{4}$/;

/** The entry of a line; undefined for one that has none, such as a first line that was cut. */
export function parseReflogLine(line: string): ReflogEntry | undefined {
  // git makes one space of whatever white space a message holds (refs.c, copy_reflog_msg): another tab is another entry's.
  const tab = line.lastIndexOf('\t');
  const head = tab === -1 ? line : line.slice(0, tab);
  for (let end = head.lastIndexOf(' '); end > 0; end = head.lastIndexOf(' ', end - 1)) {
    const [found, short, shortNew, long, longNew] = OIDS.exec(head.slice(Math.max(0, end - MAX_OIDS), end)) ?? [];
    if (found === undefined) continue;
    const seconds = WHEN.exec(head)?.[1];
    return { from: short ?? long ?? '', to: shortNew ?? longNew ?? '', seconds: seconds === undefined ? undefined : Number(seconds), message: tab === -1 ? '' : line.slice(tab + 1) };
  }
  return undefined;
}
