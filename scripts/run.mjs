// `npm test`, `npm run demo` and `npm run bench`: set up what is missing, then run.
import { join } from 'node:path';
import { root, run, setup } from './setup.mjs';
import { test } from './test.mjs';

const build = () => run(['turbo', 'run', 'build', '--output-logs=errors-only']);

const commands = {
  test: () => test(),
  demo: (args) => build() && run(['node', join('examples', 'demo', 'main.ts'), ...args]),
  bench: (args) => {
    const inBench = { cwd: join(root, 'bench') };
    return (
      build() &&
      run(['pnpm', 'install', '--frozen-lockfile'], inBench) &&
      run(['pnpm', 'run', 'bench', ...args], inBench)
    );
  },
};

const [name, ...args] = process.argv.slice(2);
const command = commands[name];
if (!command) throw new Error(`Unknown command "${name}": use one of ${Object.keys(commands).join(', ')}`);

// npm takes the `--` before the arguments away, other package managers leave it in.
if (args[0] === '--') args.shift();
setup();
process.exitCode = command(args) ? 0 : 1;
