import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A temporary folder for one agent to work in, with a home of its own beside it. */
export interface Project extends AsyncDisposable {
  readonly cwd: string;
  readonly home: string;
  /** Removes both. */
  readonly remove: () => Promise<void>;
}

const SAMPLE: Readonly<Record<string, string>> = {
  'README.md': '# Sample project\n\nhello\n',
  'a.txt': 'alpha\n',
  'b.txt': 'beta\n',
};

/** Makes a project. @param files paths relative to it and their text, instead of three sample files */
export async function makeProject(files: Readonly<Record<string, string>> = SAMPLE): Promise<Project> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'spanprism-')));
  const cwd = join(root, 'project');
  const home = join(root, 'home');
  await Promise.all([cwd, home].map((folder) => mkdir(folder, { recursive: true })));
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, path)), { recursive: true });
    await writeFile(join(cwd, path), content);
  }
  // A `claude` that is just ending still writes to its home.
  const remove = (): Promise<void> => rm(root, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  return { cwd, home, remove, [Symbol.asyncDispose]: remove };
}
