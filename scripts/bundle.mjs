/**
 * How packages are bundled: one file per entry in place of one per source, since each further file costs an importing program a
 * fraction of a millisecond. Each package brings its own esbuild.
 */
export function bundled(entryPoints, { target = 'node20.19' } = {}) {
  return {
    entryPoints,
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target,
    packages: 'external',
    legalComments: 'none',
  };
}
