// `npm test`, `npm run test:backends`, `npm run build:backends`, `npm run demo` and `npm run bench`: set up what is missing, then run.
import { join } from 'node:path';
import { root, run, setup } from './setup.mjs';
import { test, testBackends } from './test.mjs';

const build = () => run(['turbo', 'run', 'build', '--output-logs=errors-only']);
const install = (options) => run(['pnpm', 'install', '--frozen-lockfile'], options);
const inBench = { cwd: join(root, 'bench') };

const commands = {
  test: () => test(),
  'test:backends': () => testBackends(),
  'build:backends': () =>
    setup() && run(['node', '--conditions=@spanprism/source', join('e2e', 'backends', 'build.ts')]),
  demo: (args) => setup() && build() && run(['node', join('examples', 'demo', 'main.ts'), ...args]),
  bench: (args) => setup() && build() && install(inBench) && run(['pnpm', 'run', 'bench', ...args], inBench),
};

const [name, ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) throw new Error(`Unknown command "${name}": use one of ${Object.keys(commands).join(', ')}`);

// npm takes the `--` before the arguments away, other package managers leave it in.
if (args[0] === '--') args.shift();
process.exitCode = command(args) ? 0 : 1;
