/**
 * The file of a thread, beside the one that starts it. Its name is unmistakable because in a bundle this looks beside the bundle,
 * where an application may well have a `worker.js` of its own.
 */
export function entryBeside(here: string | undefined, name: string): URL | undefined {
  // A bundler that writes CommonJS leaves `import.meta.url` undefined.
  return here === undefined ? undefined : new URL(`./${name}.${here.endsWith('.ts') ? 'ts' : 'js'}`, here);
}
