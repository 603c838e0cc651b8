// The default routes in Linux's table of routes (proc(5), /proc/net/route). Rule: pure; what has another form names no route.

/** One line for each default route: its interface and gateway. Counters and everything that leads elsewhere are left out. */
export function parseDefaultRoutes(table: string): string {
  const rows = table.split('\n').slice(1).map((line) => line.split('\t'));
  return rows
    .filter(([, destination, , , , , , mask]) => destination === '00000000' && mask === '00000000')
    .map(([name = '', , gateway = '']) => `${name} ${gateway}`)
    .sort()
    .join('\n');
}
