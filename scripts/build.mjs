#!/usr/bin/env node
// Builds each executable to one file of its own under dist/.
// Rule: a file is replaced whole and only when it changed, so that a running agent or shim never reads half of one; a shim holds no package;
// nothing but Node itself is needed at run time, and the licences of what is inside lie beside it.

import { chmod, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { formatLicences } from './licences.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

const EXECUTABLES = [
  { from: 'src/cli/git-xmpp.ts', to: 'git-xmpp.cjs', mayHoldPackages: true },
  { from: 'git-shell-shim/git-remote-xmpp.ts', to: 'git-remote-xmpp.cjs', mayHoldPackages: false },
  { from: 'git-shell-shim/git-xmpp-shell.ts', to: 'git-xmpp-shell.cjs', mayHoldPackages: false },
  { from: 'src/agent/main.ts', to: 'agent.mjs', mayHoldPackages: true },
];

/** Whose packages are inside, and under which terms. */
const LICENCES = 'LICENCES.txt';

/** Builds what there is to build; resolves with one line per file. */
export async function build() {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  await mkdir(path.join(root, 'dist'), { recursive: true });
  const present = EXECUTABLES.filter(({ from }) => existsSync(path.join(root, from)));
  const built = await Promise.all(present.map((executable) => buildOne(executable, version)));
  await replace(path.join(root, 'dist', LICENCES), Buffer.from(await formatLicences(root, built.flatMap(({ packages }) => packages))), 0o644);
  return [...built.map(({ line }) => line), `dist/${LICENCES}`, ...(await linkCommands())];
}

async function buildOne({ from, to, mayHoldPackages }, version) {
  const esbuild = await import('esbuild');
  const isModule = to.endsWith('.mjs');
  const require = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);";
  const { outputFiles, metafile } = await esbuild.build({
    absWorkingDir: root,
    entryPoints: [from],
    outfile: path.join('dist', to),
    write: false,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: isModule ? 'esm' : 'cjs',
    // Packages of the older kind call require(), which a module has not.
    banner: { js: isModule ? `#!/usr/bin/env node\n${require}` : '#!/usr/bin/env node' },
    define: {
      'process.env.GIT_XMPP_VERSION': JSON.stringify(version),
      ...(isModule ? {} : { 'import.meta.dirname': '__dirname', 'import.meta.filename': '__filename' }),
    },
    legalComments: 'none',
    charset: 'utf8',
    logLevel: 'error',
  });
  const packages = Object.keys(metafile.inputs).filter((input) => input.includes('node_modules/'));
  if (!mayHoldPackages && packages.length > 0) throw new Error(`${from} may load no package, and loads ${packages.join(', ')}`);
  const outside = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map((each) => each.path)).filter((name) => !isBuiltin(name));
  if (outside.length > 0) throw new Error(`${from} would need ${outside.join(', ')} at run time`);
  const [{ contents }] = outputFiles;
  await replace(path.join(root, 'dist', to), contents, 0o755);
  return { line: `dist/${to} ${Math.ceil(contents.length / 1024)} KiB`, packages };
}

/** Under dist/bin the commands have the names that git and people call them by, as npm gives them when it installs. */
async function linkCommands() {
  const bin = path.join(root, 'dist/bin');
  await mkdir(bin, { recursive: true });
  const commands = EXECUTABLES.map(({ to }) => to).filter((to) => to.endsWith('.cjs'));
  for (const command of commands) {
    const link = path.join(bin, command.replace(/\.cjs$/, ''));
    if (!existsSync(link)) await symlink(path.join('..', command), link);
  }
  return commands.map((command) => `dist/bin/${command.replace(/\.cjs$/, '')}`);
}

async function replace(file, contents, mode) {
  const isSame = existsSync(file) && Buffer.from(contents).equals(await readFile(file));
  if (!isSame) {
    const fresh = `${file}.${process.pid}.new`;
    await writeFile(fresh, contents);
    await chmod(fresh, mode);
    await rename(fresh, file);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const line of await build()) console.log(line);
}
