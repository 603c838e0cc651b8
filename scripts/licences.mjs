// The licences of the packages that the build takes into its files, as one text.
// Rule: a package that names no licence fails the build, so nothing is passed on without its terms.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * @param {string} root folder that `files` begin from
 * @param {readonly string[]} files below node_modules, as esbuild names its inputs
 * @returns {Promise<string>} each package once, in order of its name: name, version, licence, the text
 */
export async function formatLicences(root, files) {
  const folders = [...new Set(files.map(packageFolder))].toSorted((a, b) => (a < b ? -1 : 1));
  const parts = await Promise.all(folders.map((folder) => formatOne(path.join(root, folder))));
  return ['git-xmpp holds these packages, unchanged but for being put together:', ...new Set(parts)].join(`\n\n${'-'.repeat(80)}\n\n`) + '\n';
}

/** `node_modules/@scope/name`, of the innermost package. */
function packageFolder(file) {
  const parts = file.split('/');
  const at = parts.lastIndexOf('node_modules');
  return parts.slice(0, at + (parts[at + 1]?.startsWith('@') ? 3 : 2)).join('/');
}

async function formatOne(folder) {
  const { name, version, license, licenses } = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
  const file = (await readdir(folder)).find((each) => /^licen[cs]e(\.|$)/i.test(each));
  // The older form of package.json has a list.
  const terms = license ?? licenses?.map(({ type }) => type).join(', ');
  if (typeof terms !== 'string') throw new Error(`${name} ${version} names no licence`);
  const text = file === undefined ? `Its package holds no text of the licence; "${terms}" is what it names.` : await readFile(path.join(folder, file), 'utf8');
  return `${name} ${version} (${terms})\n\n${text.trim()}`;
}
